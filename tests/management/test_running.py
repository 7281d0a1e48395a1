"""What the commands that run until a signal have in common."""

from __future__ import annotations

import asyncio
import io
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from django_fcs.exceptions import (
    BadSymbol,
    ConfigurationError,
    FailureKind,
    FCSError,
    KeyRefused,
    RecordingError,
    UpstreamError,
)
from django_fcs.management.running import Screen, fail, run_until_signal, show_logs
from tests.support.beside import Terminal, safe_signals

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    with safe_signals():
        yield


class Work:
    """What goes on until it is ended, and whether it could clean up."""

    def __init__(self) -> None:
        self.cleaned_up = False

    async def until(self, number: int) -> None:
        try:
            signal.raise_signal(number)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.cleaned_up = True


# -- running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_cleanly(number: int) -> None:
    work = Work()

    run_until_signal(lambda: work.until(number))

    assert work.cleaned_up


def test_work_that_can_leave_is_asked_to_and_not_cancelled() -> None:
    leave, left = asyncio.Event(), []

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        await leave.wait()
        await asyncio.sleep(0.01)
        left.append(True)

    run_until_signal(work, leave=leave)

    assert left


def test_work_that_does_not_leave_in_time_is_cancelled() -> None:
    work = Work()

    leave = asyncio.Event()
    run_until_signal(lambda: work.until(signal.SIGTERM), leave=leave, leave_within=0.01)

    assert work.cleaned_up


def test_a_look_up_that_hangs_keeps_nobody_from_ending() -> None:
    begun, may_go_on, ended = threading.Event(), threading.Event(), []

    def hang() -> None:
        begun.set()
        ended.append(may_go_on.wait(60))

    async def work() -> None:
        looking_up = asyncio.get_running_loop().run_in_executor(None, hang)
        await asyncio.to_thread(begun.wait)
        looking_up.cancel()

    run_until_signal(work)

    assert not ended
    may_go_on.set()


def test_work_that_ends_by_itself_is_over() -> None:
    done = []

    async def work() -> None:
        done.append(True)

    run_until_signal(work)

    assert done


def test_what_fails_is_told_to_the_caller() -> None:
    async def work() -> None:
        raise UpstreamError(FailureKind.TIMEOUT, "vendor", detail="hangs")

    with pytest.raises(UpstreamError, match="vendor hangs"):
        run_until_signal(work)


def test_where_no_signals_can_be_handled_ctrl_c_still_ends_it() -> None:
    """In a thread, as runserver has it, and on systems without ``add_signal_handler``."""

    async def work() -> None:
        raise KeyboardInterrupt

    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_until_signal(work)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)

    assert not errors


def test_a_reader_that_has_gone_ends_the_work_and_nothing_fails_at_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        raise BrokenPipeError

    path = tmp_path / "output"
    with path.open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        run_until_signal(work)
        out.write("what was left in the buffer")

    assert path.read_text() == ""


# -- errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("set it"), 2),
        (KeyRefused("vendor"), 2),
        (BadSymbol("set it"), 2),
        (UpstreamError(FailureKind.SILENT, "vendor"), 1),
        (RecordingError("set it"), 1),
    ],
)
def test_what_the_user_can_mend_ends_with_2_and_the_rest_with_1(error: FCSError, code: int) -> None:
    failure = fail(error)

    assert (str(failure), failure.returncode) == (str(error), code)


# -- the screen


def test_a_drawing_takes_the_place_of_the_one_before() -> None:
    out = Terminal(isatty=True)
    screen = Screen(out)

    screen.draw(["one", "two"])
    screen.draw(["three"])
    screen.leave()
    screen.leave()

    assert screen.is_terminal
    assert shown(out) == ["three", ""]


def test_what_was_never_drawn_needs_no_cleaning_up() -> None:
    out = Terminal()
    screen = Screen(out)

    screen.clear()
    screen.leave()

    assert not screen.is_terminal
    assert out.getvalue() == ""


def shown(out: io.StringIO) -> list[str]:
    """What a person sees: a terminal's lines after all it was told."""
    lines, row = [""], 0
    text = out.getvalue().replace("\x1b[2K", "\x02").replace("\x1b[1A", "\x01")
    for character in text:
        if character == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif character == "\x01":
            row -= 1
        elif character == "\x02":
            lines[row] = ""
        elif character != "\r":
            lines[row] += character
    return lines[: row + 1]


# -- logs


@contextmanager
def no_place_for_logs() -> Iterator[logging.Logger]:
    """This project's logger on a site that has set up nothing, and neither has pytest."""
    logger = logging.getLogger("django_fcs")
    propagate, level, handlers = logger.propagate, logger.level, logger.handlers
    logger.propagate, logger.handlers = False, []
    try:
        yield logger
    finally:
        logger.propagate, logger.handlers = propagate, handlers
        logger.setLevel(level)


def test_logs_go_above_what_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(sys.stdout)
    with no_place_for_logs():
        show_logs(screen, level=logging.WARNING)
        screen.draw(["prices"])
        logging.getLogger("django_fcs.upstream.client").warning("upstream lost reason=%s", "x")
        logging.getLogger("django_fcs.upstream.client").info("not asked for")

    out, err = capsys.readouterr()
    assert out == "prices\r\x1b[2K"
    assert err.endswith(" WARNING django_fcs.upstream.client upstream lost reason=x\n")
    assert "not asked for" not in err


def test_a_site_that_has_a_place_for_logs_keeps_it() -> None:
    own = logging.NullHandler()
    with no_place_for_logs() as logger:
        logger.addHandler(own)
        show_logs(Screen(io.StringIO()), level=logging.WARNING)

        assert logger.handlers == [own]


def test_a_terminal_gets_no_line_that_wraps_and_no_row_it_has_no_place_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "3")
    out = Terminal("never", isatty=True)
    Screen(out).draw(["0123456789", "second", "third", "fourth"])

    assert out.getvalue() == "012345678\nsecond"
