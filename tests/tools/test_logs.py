"""Log lines: one event is one line of bounded length, whatever text from outside it quotes."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from django_fcs.tools.logs import QUOTED_MAX, TRACEBACK_MAX, logger_of

FORGED = "x\n2026-01-01 CRITICAL root FORGED \x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}\ud800"
ESCAPED = "x\\n2026-01-01 CRITICAL root FORGED \\x1b[31m\\u202e\\ud800"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a handler writes with the format of most sites."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logger_of("django_fcs.tests.logs")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


logger = logger_of("django_fcs.tests.logs")


class Odd:
    """An object whose text is that of somebody else."""

    def __str__(self) -> str:
        return FORGED

    __repr__ = __str__


def test_a_text_cannot_forge_a_line(log: io.StringIO) -> None:
    logger.warning("error short=%s", FORGED)

    assert log.getvalue() == f"WARNING error short={ESCAPED}\n"


@pytest.mark.parametrize("thing", [Odd(), ValueError(FORGED)])
def test_no_more_can_the_text_of_an_object(log: io.StringIO, thing: object) -> None:
    logger.warning("failed reason=%s", thing)
    logger.warning("failed reason=%(reason)s", {"reason": thing})

    assert log.getvalue() == f"WARNING failed reason={ESCAPED}\n" * 2


@pytest.mark.parametrize(
    "thing", [Odd(), ValueError(FORGED), FORGED, FORGED.encode("utf-8", "replace")]
)
def test_the_repr_of_anything_is_one_line(log: io.StringIO, thing: object) -> None:
    logger.warning("failed reason=%r", thing)

    (line,) = log.getvalue().splitlines()
    assert "\x1b" not in line


def test_numbers_are_formatted_as_numbers(log: io.StringIO) -> None:
    logger.warning("epoch=%d retry_in=%.1f left=%s is_held=%s", 7, 1.25, None, True)

    assert log.getvalue() == "WARNING epoch=7 retry_in=1.2 left=None is_held=True\n"


def test_what_a_line_quotes_is_cut_and_the_rest_of_the_line_is_not(log: io.StringIO) -> None:
    logger.warning("lost reason=%s error=%r retry_in=%.1f", "x" * 10**6, ValueError("y" * 10**6), 1)

    assert len(log.getvalue()) < 3 * QUOTED_MAX
    assert log.getvalue().endswith("retry_in=1.0\n")


def test_an_exception_cannot_forge_a_line_either(log: io.StringIO) -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        logger.exception("failed room=%s", "FX:EURUSD_1D")

    first, *traceback = log.getvalue().splitlines()
    assert first == "ERROR failed room=FX:EURUSD_1D"
    assert traceback[0] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") and line.isprintable() for line in traceback)


def test_a_traceback_is_cut_at_its_start(log: io.StringIO) -> None:
    try:
        raise ValueError("x\n" * 10**6 + "the end")
    except ValueError:
        logger.exception("failed")

    assert len(log.getvalue()) < 3 * TRACEBACK_MAX
    assert log.getvalue().endswith("the end\n")


def test_a_logger_gets_one_filter_however_often_it_is_asked_for() -> None:
    assert logger_of("django_fcs.tests.logs") is logger
    assert len(logger.filters) == 1
