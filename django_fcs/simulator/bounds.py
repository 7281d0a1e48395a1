"""When simulated candles begin and end: in UTC, weeks on Monday, months on the first.

The candles of a timeframe are numbered without a gap.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone

from django_fcs.values.timeframes import LENGTHS

__all__ = ["candle_bounds", "candle_number", "candle_start"]

_FIRST_MONDAY = 4 * 86400


def candle_number(timeframe: str, at: float) -> int:
    """Return the number of the candle that contains a moment, in unix seconds."""
    if timeframe == "1M":
        moment = datetime.fromtimestamp(at, timezone.utc)
        return moment.year * 12 + moment.month - 1
    return (math.floor(at) - _first(timeframe)) // LENGTHS[timeframe]


def candle_start(timeframe: str, number: int) -> int:
    """Return when a candle opens, in unix seconds."""
    if timeframe == "1M":
        year, month = divmod(number, 12)
        return int(datetime(year, month + 1, 1, tzinfo=timezone.utc).timestamp())
    return number * LENGTHS[timeframe] + _first(timeframe)


def candle_bounds(timeframe: str, now: float) -> tuple[int, int]:
    """Return when the current candle opened and when it ends, in unix seconds."""
    number = candle_number(timeframe, now)
    return candle_start(timeframe, number), candle_start(timeframe, number + 1)


def _first(timeframe: str) -> int:
    return _FIRST_MONDAY if timeframe == "1W" else 0
