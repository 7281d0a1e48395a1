"""What clients are told of one symbol: its candles and quotes, read from its path."""

from __future__ import annotations

from random import Random
from typing import Any

from .bounds import candle_number, candle_start
from .paths import Bar, Path

__all__ = ["HISTORY", "Prices", "Walk"]

Prices = dict[str, Any]
"""The content of ``prices`` in a price frame, with the vendor's field names."""

#: Candles before the current one that ``initial`` may list.
HISTORY = 5

#: Share of ticks in which only ask and bid change.
_QUOTES_ONLY = 0.35


class Walk:
    """The ticks of one symbol, in the timeframes that clients have joined.

    The same path, joins and times give the same ticks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rng = Random(f"{path.seed}/{path.symbol}/ticks")
        self._told: dict[str, Bar] = {}  # the candle last sent to clients
        self._ends: dict[str, int] = {}  # when it ends
        self._close = 0.0
        self._ask = self._bid = 0.0

    # -- answers to a join

    def profile(self) -> Prices:
        """Return the profile of the symbol, with an open market."""
        return {
            "current_session": "market",
            "timezone": self.path.instrument.timezone,
            "pro_name": self.path.symbol,
            "update_mode": "streaming",
        }

    def initial(self, timeframe: str, now: float) -> Prices:
        """Return the current candle without ask and bid, as in the vendor's sample.

        Its volume is that of the last trade: the vendor's sample has 0.247 here and
        8192.70 in the next ``candle``. Until clients are told of the next candle, the
        last one that they know is the current one, even if it has ended.
        """
        bar = self._ended(timeframe, now) or self._forming(timeframe, now)
        return {"mode": "initial", **bar._asdict(), "v": self.path.size(now)}

    def history(self, timeframe: str, opened_at: int) -> list[Prices]:
        """Return the candles before the one that opened at this time, oldest first."""
        number = candle_number(timeframe, opened_at)
        numbers = range(number - HISTORY, number)
        return [self.path.bar(timeframe, earlier)._asdict() for earlier in numbers]

    # -- live prices

    def tick(self, now: float, timeframes: tuple[str, ...]) -> list[tuple[str, Prices]]:
        """Trade or change the quote; return the new prices, each with its timeframe.

        A candle is told as one before any quote of it. If the candle before it changed
        after it was last told, it is told once more, as it ended.
        """
        is_quote = self._rng.random() < _QUOTES_ONLY
        if is_quote and all(now < self._ends.get(timeframe, 0) for timeframe in timeframes):
            self._quote(self._close)
            return [(timeframe, self._askbid(timeframe, now)) for timeframe in timeframes]
        ended = {timeframe: self._ended(timeframe, now) for timeframe in timeframes}
        bars = [(timeframe, bar) for timeframe, bar in ended.items() if bar]
        bars = [(timeframe, bar) for timeframe, bar in bars if bar != self._told[timeframe]]
        bars += [(timeframe, self._forming(timeframe, now)) for timeframe in timeframes]
        return self._tell(bars)

    def forget(self, timeframe: str) -> None:
        """Forget what clients were told, because none is left."""
        self._told.pop(timeframe, None)
        self._ends.pop(timeframe, None)

    def _forming(self, timeframe: str, now: float) -> Bar:
        return self.path.forming(timeframe, candle_number(timeframe, now), now)

    def _ended(self, timeframe: str, now: float) -> Bar | None:
        """Return the candle last told, as it ended; ``None`` if it has not."""
        told = self._told.get(timeframe)
        if told is None or now < self._ends[timeframe]:
            return None
        return self.path.bar(timeframe, candle_number(timeframe, told.t))

    def _tell(self, bars: list[tuple[str, Bar]]) -> list[tuple[str, Prices]]:
        """Return candles; those with the same close have the same ask and bid."""
        told: list[tuple[str, Prices]] = []
        for timeframe, bar in bars:
            if not told or bar.c != self._close:
                self._quote(bar.c)
            told.append((timeframe, self._candle(timeframe, bar)))
        return told

    def _candle(self, timeframe: str, bar: Bar) -> Prices:
        known = self._told.get(timeframe)
        if known is None or known.t != bar.t:
            number = candle_number(timeframe, bar.t)
            self._ends[timeframe] = candle_start(timeframe, number + 1)
        self._told[timeframe] = bar
        return {"mode": "candle", **bar._asdict(), "a": self._ask, "b": self._bid}

    def _askbid(self, timeframe: str, now: float) -> Prices:
        return {
            **{"mode": "askbid", "update": int(now), "c": self._close},
            **{"a": self._ask, "b": self._bid, "t": self._told[timeframe].t},
        }

    def _quote(self, close: float) -> None:
        """Set ask and bid around the price; in forex the price equals the bid."""
        self._close = close
        instrument = self.path.instrument
        spread = instrument.spread * self._rng.uniform(0.7, 1.4)
        below = 0.0 if instrument.market == "forex" else spread * self._rng.random()
        unit = 10.0**-instrument.digits
        self._bid = round(close - below, instrument.digits)
        self._ask = round(max(self._bid + spread, self._bid + unit, close), instrument.digits)
