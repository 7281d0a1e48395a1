"""The price of one symbol, as a function of seed, symbol and time.

A day opens where the day before closed, and closes at a function of its number that
returns to the start price. Each day is split into six pieces of four hours, each of those
into hours, and so on down to single trades. All candles are read from these pieces, so
they agree at any time: an hour's high is that of its minutes, and a candle that forms is
the beginning of the one that it becomes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import NamedTuple

from django_fcs.values.timeframes import TIMEFRAMES

from .bounds import candle_start
from .instruments import instrument
from .pieces import Piece, joined, split, trades

__all__ = ["Bar", "Path"]

#: The lengths of pieces in seconds; each is a multiple of the next.
_LENGTHS = (86_400, 14_400, 3600, 1800, 900, 300, 60, 5)
_PARTS = tuple(longer // shorter for longer, shorter in pairwise(_LENGTHS))
_LEVELS = {"1D": 0, "240": 1, "60": 2, "30": 3, "15": 4, "5": 5, "1": 6}
_DAY, _BLOCK = _LENGTHS[0], _LENGTHS[-1]

_TRADES_A_SECOND = 4
_TRADES_A_BLOCK = _BLOCK * _TRADES_A_SECOND

#: What is left of the moves of earlier days, the last one first.
_MEMORY = tuple(0.9**days for days in range(40))

#: Slow waves: period in days, and height in standard deviations of a day's move.
_WAVES = ((90, 2.0), (700, 4.0))

#: A day reaches this far beyond its open and close at most, in standard deviations of its move.
_REACH = 0.7

# What a number is drawn for: pieces of each level, the trades of a block, days, and each wave.
_TRADES = len(_LENGTHS)
_DAYS = _TRADES + 1
_FIRST_WAVE = _DAYS + 1


class Bar(NamedTuple):
    """One candle with the vendor's field names; ``t`` is in unix seconds."""

    t: int
    o: float
    h: float
    l: float  # noqa: E741
    c: float
    v: float


class Path:
    """The price and the candles of one symbol at any time; may be used by several threads."""

    def __init__(self, symbol: str, *, seed: int) -> None:
        self.symbol = symbol
        self.seed = seed
        rng = Random(f"{seed}/{symbol}")
        self.instrument = instrument(symbol, rng)
        self._root = rng.getrandbits(64) << 64
        self._unit = 10**self.instrument.digits  # units of the last digit in 1
        # Parts of a coin are traded; stocks, and coins of which there are millions, are whole.
        is_whole = self.instrument.market == "stock" or self.instrument.volume > 1e6
        self._volume_unit = 1 if is_whole else 10**6
        # A symbol that ticks needs one piece of each level at a time.
        self._parts = lru_cache(maxsize=16)(self._split)
        self._trades = lru_cache(maxsize=2)(self._trade)
        self._before = lru_cache(maxsize=len(TIMEFRAMES))(self._sum)
        self._day = lru_cache(maxsize=40)(self._draw_day)
        self._close = lru_cache(maxsize=4)(self._draw_close)
        self._moves = lru_cache(maxsize=len(_MEMORY) + 8)(self._draw_moves)
        self._wave = lru_cache(maxsize=2 * len(_WAVES))(self._draw_wave)

    def bar(self, timeframe: str, number: int) -> Bar:
        """Return a candle as it is when it has ended; ``bounds`` has the numbers."""
        start = candle_start(timeframe, number)
        level = _LEVELS.get(timeframe)
        if level is not None:
            return self._bar(start, self._piece(level, start // _LENGTHS[level]))
        days = range(start // _DAY, candle_start(timeframe, number + 1) // _DAY)
        return self._bar(start, joined(self._day(days[0]).o, map(self._day, days)))

    def forming(self, timeframe: str, number: int, now: float) -> Bar:
        """Return a candle as it is now; ``number`` is that of the current candle."""
        block, trade = _trade_at(now)
        start, before = self._before(timeframe, number, block)
        _, high, low, close, volume = self._trades(block)[trade]
        piece = (before.o, max(before.h, high), min(before.l, low), close, before.v + volume)
        return self._bar(start, Piece(*piece))

    def size(self, now: float) -> float:
        """Return the volume of the last trade."""
        block, trade = _trade_at(now)
        pieces = self._trades(block)
        return self._volume(pieces[trade].v - (pieces[trade - 1].v if trade else 0))

    def _bar(self, start: int, piece: Piece) -> Bar:
        unit = self._unit
        o, h, l, c, v = piece  # noqa: E741
        # Dividing by a whole number rounds once: no price has more decimals than it should.
        return Bar(start, o / unit, h / unit, l / unit, c / unit, self._volume(v))

    def _volume(self, units: int) -> float:
        whole, rest = divmod(units, self._volume_unit)
        return units / self._volume_unit if rest else whole

    def _piece(self, level: int, number: int) -> Piece:
        if level == 0:
            return self._day(number)
        parent, part = divmod(number, _PARTS[level - 1])
        return self._parts(level - 1, parent)[part]

    def _split(self, level: int, number: int) -> tuple[Piece, ...]:
        return split(self._piece(level, number), _PARTS[level], self._rng(level, number))

    def _trade(self, block: int) -> tuple[Piece, ...]:
        piece = self._piece(len(_LENGTHS) - 1, block)
        return trades(piece, _TRADES_A_BLOCK, self._rng(_TRADES, block))

    def _sum(self, timeframe: str, number: int, block: int) -> tuple[int, Piece]:
        """Return when a candle opened, and what happened in it before a block."""
        start = candle_start(timeframe, number)
        level = _LEVELS.get(timeframe, 0)
        opened = self._piece(level, start // _LENGTHS[level]).o
        return start, joined(opened, self._between(timeframe, start, block * _BLOCK))

    def _between(self, timeframe: str, start: int, end: int) -> Iterator[Piece]:
        """Yield the longest pieces from the start of a candle to a block in it."""
        level = _LEVELS.get(timeframe, -1)
        if level < 0:
            yield from map(self._day, range(start // _DAY, end // _DAY))
        for longer in range(max(level, 0), len(_PARTS)):
            parent, seconds = divmod(end, _LENGTHS[longer])
            ended = seconds // _LENGTHS[longer + 1]
            if ended:
                yield from self._parts(longer, parent)[:ended]

    def _draw_day(self, day: int) -> Piece:
        opened, close = self._close(day - 1), self._close(day)
        _, up, down, factor = self._moves(day)
        reach = _REACH * self.instrument.volatility * close
        return Piece(
            opened,
            max(opened, close) + round(reach * up),
            max(min(opened, close) - round(reach * down), 1),
            close,
            round(self.instrument.volume * self._volume_unit * factor),
        )

    def _draw_close(self, day: int) -> int:
        """Return the close of a day in units: the start price, moved by days and waves."""
        moved = 0.0
        for ago, left in enumerate(_MEMORY):
            moved += left * self._moves(day - ago)[0]
        for kind, (period, height) in enumerate(_WAVES, _FIRST_WAVE):
            number, part = divmod(day, period)
            before, after = self._wave(kind, number), self._wave(kind, number + 1)
            share = part / period
            moved += height * (before + (after - before) * share * share * (3 - 2 * share))
        price: float = self.instrument.price * self._unit
        return max(round(price * math.exp(self.instrument.volatility * moved)), 1)

    def _draw_moves(self, day: int) -> tuple[float, float, float, float]:
        """Draw a day's move, how far it reaches up and down, and its share of the volume."""
        rng = self._rng(_DAYS, day)
        return rng.gauss(0, 1), rng.random(), rng.random(), rng.uniform(0.7, 1.3)

    def _draw_wave(self, kind: int, number: int) -> float:
        return self._rng(kind, number).gauss(0, 1)

    def _rng(self, kind: int, number: int) -> Random:
        return Random(self._root | kind << 56 | number & (1 << 56) - 1)


def _trade_at(now: float) -> tuple[int, int]:
    """Return the number of the current block, and of the last trade in it."""
    return divmod(math.floor(now * _TRADES_A_SECOND), _TRADES_A_BLOCK)
