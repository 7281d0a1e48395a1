"""Shared code of the commands that run until a signal."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import threading
from argparse import ArgumentTypeError
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from django.core.management.base import CommandError

from django_fcs.exceptions import ConfigurationError, FCSError, KeyRefused, RoomError
from django_fcs.tools.tasks import together
from django_fcs.tools.texts import one_line
from django_fcs.tools.worker import Threads

from .early import SIGNALS

__all__ = [
    "Screen",
    "fail",
    "port_number",
    "quiet",
    "run_until_signal",
    "show_logs",
    "until_output_breaks",
]

_CLEAR_LINE = "\r\x1b[2K"

#: How long work that was asked to leave may take, in seconds; then it is cancelled.
LEAVE_SECONDS = 2.0

#: How many characters of a line are printed.
LINE_MAX = 1000


def run_until_signal(
    work: Callable[[], Coroutine[Any, Any, None]],
    *,
    leave: asyncio.Event | None = None,
    leave_within: float = LEAVE_SECONDS,
) -> None:
    """Run the work until it ends, or until SIGTERM or Ctrl-C ends it cleanly.

    If ``leave`` is given, the signal sets it first, and the work has ``leave_within``
    seconds to end by itself.
    """

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().set_default_executor(Threads())
        # Not every system and thread can do this: there KeyboardInterrupt ends asyncio.run.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if noted:
            stop.set()
        await together(work(), _wait(stop, leave, leave_within))

    try:
        with until_output_breaks(), _noted_signals() as noted:
            asyncio.run(main())
    except KeyboardInterrupt:
        pass


@contextmanager
def until_output_breaks() -> Iterator[None]:
    """End the ``with`` block without an error if the reader of our output ends (``| head``)."""
    try:
        yield
    except BrokenPipeError:
        # The flush at exit must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Note signals until the event loop handles them; at the end, restore their handlers.

    A handler that raises would interrupt the event loop while it is being built.
    """
    noted: list[int] = []
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = [signal.signal(number, lambda number, _: noted.append(number)) for number in SIGNALS]
    try:
        yield noted
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)


async def _wait(stop: asyncio.Event, leave: asyncio.Event | None, leave_within: float) -> None:
    await stop.wait()
    if leave is not None:
        leave.set()
        await asyncio.sleep(leave_within)


def fail(error: FCSError) -> CommandError:
    """Turn an error into one line and an exit code: 2 if the user can fix it, otherwise 1."""
    usage = isinstance(error, (ConfigurationError, KeyRefused, RoomError))
    return CommandError(one_line(str(error), LINE_MAX), returncode=2 if usage else 1)


def port_number(text: str) -> int:
    """Read an argument that is a port."""
    port = int(text)
    if not 0 <= port <= 65535:
        raise ArgumentTypeError("a port is 0 to 65535")
    return port


@contextmanager
def quiet(*names: str) -> Iterator[None]:
    """Keep the log from being printed if the site has no handler for it."""
    handler = logging.NullHandler()
    loggers = [logging.getLogger(name) for name in ("django_fcs", *names)]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class Screen:
    """An area at the end of a terminal that is redrawn again and again."""

    def __init__(self, out: TextIO) -> None:
        self.is_terminal = out.isatty()
        self._out = out
        self._lines = 0

    def draw(self, lines: list[str]) -> None:
        """Replace the last lines with these, cut to the size of the terminal.

        A line that wraps would count as two, and leave one behind at each draw.
        """
        size = shutil.get_terminal_size()
        lines = [one_line(line, LINE_MAX) for line in lines[: size.lines - 1]]
        shown = [line[: size.columns - 1] for line in lines]
        self.clear()
        self._out.write("\n".join(shown))
        self._out.flush()
        self._lines = len(shown)

    def clear(self) -> None:
        """Remove what was drawn."""
        if self._lines:
            self._out.write(_CLEAR_LINE + f"\x1b[1A{_CLEAR_LINE}" * (self._lines - 1))
            self._lines = 0

    def leave(self) -> None:
        """Keep what was drawn, and continue below it."""
        if self._lines:
            self._out.write("\n")
            self._out.flush()
            self._lines = 0


# Not StreamHandler[TextIO]: it takes no parameter before Python 3.11.
class _AboveTheScreen(logging.StreamHandler):  # type: ignore[type-arg]
    def __init__(self, screen: Screen) -> None:
        super().__init__(sys.stderr)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.clear()
        super().emit(record)


def show_logs(screen: Screen, *, level: int) -> None:
    """Show this project's log if the site has no handler for it."""
    logger = logging.getLogger("django_fcs")
    if logger.hasHandlers():
        return
    handler = _AboveTheScreen(screen)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level)
