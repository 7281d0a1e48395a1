"""Bars, times and series as the tests of candles write them."""

from __future__ import annotations

from datetime import datetime, timezone

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.series import Series


def at(text: str) -> int:
    """Return the unix seconds of a time in UTC, as in ``2026-03-08 21:00``."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def bar(t: int, c: float = 1.2, v: float | None = None) -> Bar:
    """Return a bar that closes at ``c``."""
    return Bar(t, c, c + 0.1, c - 0.1, c, v)


def series_of(timeframe: str, *times: int, keep: int = 600) -> Series:
    """Return the bars of a socket that opened at these times; nobody knows when it was joined."""
    series = Series(timeframe, keep=keep)
    for number, t in enumerate(times):
        series.put(bar(t), rank=Rank.LIVE, at=float(number))
    return series
