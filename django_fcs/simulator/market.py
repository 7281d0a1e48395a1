"""A seeded random walk for one symbol, and its candles.

The time is an argument. All timeframes of a symbol are candles of the same walk, so a
day's high is never below an hour's. A walk begins in the middle of its candles: a path
is drawn backwards from the first price to the start of the month, and the candles are
computed from it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from django_fcs.values.timeframes import LENGTHS, TIMEFRAMES

from .instruments import instrument

__all__ = ["HISTORY", "Prices", "Walk", "candle_bounds"]

Prices = dict[str, Any]
"""The content of ``prices`` in a price frame, with the vendor's field names."""

#: Candles before the current one that ``initial`` may list.
HISTORY = 5

#: Share of ticks in which only ask and bid change.
_QUOTES_ONLY = 0.35

#: The longest step of the walk: a symbol must not jump after a time in which nobody watched it.
_STEP_SECONDS_MAX = 60.0

#: The time constant with which the price returns to its start value, in seconds.
_PULL_SECONDS = 3 * 86400.0

#: Points of the path before the walk, on a logarithmic scale: dense near now.
_PATH_POINTS = 120

_FIRST_MONDAY = 4 * 86400


def candle_bounds(timeframe: str, now: float) -> tuple[int, int]:
    """Return when the current candle opened and when it ends, in unix seconds.

    Bounds follow UTC; weeks start on Monday, months on the first.
    """
    if timeframe == "1M":
        start = datetime.fromtimestamp(now, timezone.utc).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        end = (start + timedelta(days=32)).replace(day=1)
        return int(start.timestamp()), int(end.timestamp())
    seconds = LENGTHS[timeframe]
    first = _FIRST_MONDAY if timeframe == "1W" else 0
    start_s = int(now - first) // seconds * seconds + first
    return start_s, start_s + seconds


@dataclass
class _Candle:
    """One candle, with the vendor's field names."""

    t: int
    end: int
    o: float
    h: float
    l: float  # noqa: E741
    c: float
    v: float

    def trade(self, price: float, size: float) -> None:
        self.h, self.l = max(self.h, price), min(self.l, price)
        self.c = price
        self.v += size

    def prices(self, digits: int) -> Prices:
        return {
            "t": self.t,
            **{name: round(getattr(self, name), digits) for name in ("o", "h", "l", "c")},
            "v": _volume(self.v),
        }


def _volume(value: float) -> float:
    """Round a volume; return an int if it is whole or huge."""
    rounded = round(value, 6)
    return int(rounded) if rounded.is_integer() or rounded > 1e6 else rounded


class Walk:
    """One symbol's price, ask, bid and candles.

    The same seed, symbol and times give the same prices.
    """

    def __init__(self, symbol: str, *, seed: int, now: float) -> None:
        self._rng = rng = Random(f"{seed}/{symbol}")
        self.symbol = symbol
        self.instrument = instrument(symbol, rng)
        self._unit = 10.0**-self.instrument.digits
        self._volatility = self.instrument.volatility / math.sqrt(86400)  # of one second
        # Not rounded, so that steps below one unit of the last digit add up.
        self._price = self.instrument.price * math.exp(rng.gauss(0, 0.004))
        self._at = now
        self._last_size = 0.0
        self._candles: dict[str, _Candle] = {}
        self._history: dict[str, deque[Prices]] = {}
        self._told: dict[str, int] = {}  # opening time of the candle last sent to clients
        self._quote()
        self._begin(now)

    # -- answers to a join

    def profile(self) -> Prices:
        """Return the profile of the symbol, with an open market."""
        return {
            "current_session": "market",
            "timezone": self.instrument.timezone,
            "pro_name": self.symbol,
            "update_mode": "streaming",
        }

    def initial(self, timeframe: str, now: float) -> Prices:
        """Return the current candle without ask and bid, as in the vendor's sample.

        Its volume is that of the last trade: the vendor's sample has 0.247 here and
        8192.70 in the next ``candle``.
        """
        self._roll(timeframe, now)
        candle = self._candles[timeframe].prices(self.instrument.digits)
        return {"mode": "initial", **candle, "v": _volume(self._last_size)}

    def history(self, timeframe: str) -> list[Prices]:
        """Return the candles before the current one, oldest first."""
        return list(self._history[timeframe])

    # -- live prices

    def tick(self, now: float, timeframes: tuple[str, ...]) -> dict[str, Prices]:
        """Trade or change the quote; return the new price in each timeframe."""
        if self._rng.random() < _QUOTES_ONLY:
            self._quote()
            mode = "askbid"
        else:
            self._trade(now)
            mode = "candle"
        return {timeframe: self._prices(timeframe, now, mode) for timeframe in timeframes}

    def _prices(self, timeframe: str, now: float, mode: str) -> Prices:
        self._roll(timeframe, now)
        candle = self._candles[timeframe]
        if mode == "candle" or self._told.get(timeframe) != candle.t:
            self._told[timeframe] = candle.t
            prices = candle.prices(self.instrument.digits)
            return {"mode": "candle", **prices, "a": self._ask, "b": self._bid}
        return {
            **{"mode": "askbid", "update": int(now), "c": self._close()},
            **{"a": self._ask, "b": self._bid, "t": candle.t},
        }

    def _trade(self, now: float) -> None:
        elapsed = min(max(now - self._at, 0.0), _STEP_SECONDS_MAX)
        self._at = now
        pull = math.log(self.instrument.price / self._price) * elapsed / _PULL_SECONDS
        shock = self._rng.gauss(0, self._volatility) * math.sqrt(elapsed)
        self._price *= math.exp(pull + shock)
        self._last_size = self._size(elapsed)
        self._quote()
        for timeframe in TIMEFRAMES:
            self._roll(timeframe, now)
            self._candles[timeframe].trade(self._close(), self._last_size)

    def _quote(self) -> None:
        """Set ask and bid around the price; in forex the price equals the bid."""
        digits, close = self.instrument.digits, self._close()
        spread = self.instrument.spread * self._rng.uniform(0.7, 1.4)
        below = 0.0 if self.instrument.market == "forex" else spread * self._rng.random()
        self._bid = round(close - below, digits)
        self._ask = round(max(self._bid + spread, self._bid + self._unit, close), digits)

    def _close(self) -> float:
        return round(max(self._price, self._unit), self.instrument.digits)

    def _size(self, elapsed: float) -> float:
        return self._traded(elapsed, self._rng.expovariate(1))

    def _traded(self, seconds: float, factor: float) -> float:
        """Return the volume in a period; stocks trade whole shares."""
        volume = self.instrument.volume * seconds / 86400 * factor
        return float(math.ceil(volume)) if self.instrument.market == "stock" else volume

    def _roll(self, timeframe: str, now: float) -> None:
        """Begin a new candle at the last price if the old one has ended."""
        old = self._candles[timeframe]
        if now < old.end:
            return
        self._history[timeframe].append(old.prices(self.instrument.digits))
        close = self._close()
        self._candles[timeframe] = _Candle(
            *candle_bounds(timeframe, now), o=close, h=close, l=close, c=close, v=0.0
        )

    # -- before the first price

    def _begin(self, now: float) -> None:
        bounds = {timeframe: candle_bounds(timeframe, now) for timeframe in TIMEFRAMES}
        path = self._path(now, [start for start, _ in bounds.values()])
        self._last_size = self._size(1.0)
        for timeframe, (start, end) in bounds.items():
            points = [point for point in path if point[0] >= start]
            prices = [price for _, price, _ in points]
            self._candles[timeframe] = _Candle(
                *(start, end, prices[0], max(prices), min(prices), self._close()),
                v=sum(volume for _, _, volume in points),
            )
            self._history[timeframe] = self._earlier(timeframe, start, prices[0])

    def _path(self, now: float, starts: list[int]) -> list[tuple[float, float, float]]:
        """Return points (time, price, volume until the next), from the oldest to now."""
        span = max(1.0, now - min(starts))
        times = {now - span ** (i / _PATH_POINTS) for i in range(_PATH_POINTS)}
        times |= {float(start) for start in starts} | {now}
        digits, price = self.instrument.digits, self._price
        path: list[tuple[float, float, float]] = []
        later = now
        for time in sorted(times, reverse=True):
            step = self._rng.gauss(0, self._volatility) * math.sqrt(later - time)
            price *= math.exp(step)
            volume = self._traded(later - time, self._rng.uniform(0.7, 1.3))
            path.append((time, round(max(price, self._unit), digits), volume))
            later = time
        return path[::-1]

    def _earlier(self, timeframe: str, start: int, close: float) -> deque[Prices]:
        """Draw the candles before ``start``; each closes at the open of the next."""
        candles: deque[Prices] = deque(maxlen=HISTORY)
        while len(candles) < HISTORY:
            t, end = candle_bounds(timeframe, start - 1)
            deviation = self._volatility * math.sqrt(end - t)
            open_ = close * math.exp(self._rng.gauss(0, deviation))
            high = max(open_, close) * (1 + abs(self._rng.gauss(0, deviation / 2)))
            low = min(open_, close) / (1 + abs(self._rng.gauss(0, deviation / 2)))
            volume = self._traded(end - t, self._rng.uniform(0.7, 1.3))
            candle = _Candle(t, end, open_, high, low, close, v=volume)
            candles.appendleft(candle.prices(self.instrument.digits))
            start, close = t, open_
        return candles
