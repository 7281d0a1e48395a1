"""The candles of the pictures: random walks that end at a given price."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from random import Random

from django_fcs.candles import Candle, Candles
from django_fcs.prices.symbols import market_of
from django_fcs.rooms import Room
from django_fcs.values.timeframes import LENGTHS

__all__ = ["candles_until"]

_DAY = 86_400
_VOLUME = 40_000


def candles_until(
    now: datetime, room: Room, limit: int, *, close: float, low: float, high: float
) -> Candles:
    """Return candles, the last one forming; those of today are between ``low`` and ``high``."""
    random, length = Random(str(room)), LENGTHS[room.timeframe]
    size = (high - low) * math.sqrt(length / _DAY) / 2
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    newest = int(now.timestamp()) // length * length

    def walk() -> Iterator[Candle]:
        end = close
        for t in range(newest, newest - limit * length, -length):
            bottom, top = (low, high) if t >= midnight else (-math.inf, math.inf)
            step = random.gauss(0, size)
            begin = end - step if bottom < end - step < top else end + step
            reach = abs(random.gauss(0, size / 2))
            highest = min(max(begin, end) + reach, top)
            lowest = max(min(begin, end) - abs(random.gauss(0, size / 2)), bottom)
            volume = None if market_of(room.symbol) == "forex" else _VOLUME * random.random()
            yield Candle(t, begin, highest, lowest, end, volume, t < newest)
            end = begin

    return Candles(room, tuple(walk())[::-1], more=True)
