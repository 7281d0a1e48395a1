"""How long a server asks to wait, in the header ``Retry-After``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]


def retry_after(asked: Iterable[str], dates: Iterable[str], now: float, *, most: float) -> float:
    """Return how many seconds ``Retry-After`` asks for, ``most`` at most.

    The header contains seconds or a date. Anything else is ignored, and the result is 0. A
    date counts from the server's own ``Date``, or from ``now`` (unix seconds) without one.
    """
    for text in map(str.strip, asked):
        if text.isascii() and text.isdigit():
            return min(float(text), most)
        if (until := _unix_time(text)) is not None:
            began = next((at for at in map(_unix_time, dates) if at is not None), now)
            return min(max(until - began, 0.0), most)
    return 0.0


def _unix_time(date: str) -> float | None:
    with suppress(ValueError, TypeError, OverflowError, IndexError):
        return parsedate_to_datetime(date).timestamp()
    return None
