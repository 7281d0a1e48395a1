"""What the simulator needs of a source of prices, and the random walk.

A source returns when its next price is due and the prices up to a given time. The
simulator has the clock and the sockets, and does the waiting.
"""

from __future__ import annotations

import heapq
from functools import lru_cache
from random import Random
from typing import NamedTuple, Protocol

from django_fcs.rooms import Room

from .bounds import candle_number, candle_start
from .market import Prices, Walk
from .paths import Bar, Path

__all__ = [
    "BATCH",
    "History",
    "Opening",
    "RandomWalk",
    "Source",
    "Tick",
    "Window",
    "filled",
    "merged",
    "opened_at",
]

#: Ticks returned at once, so that a replay without pauses does not run ahead of its readers.
BATCH = 100

_FIELDS = tuple("tohlcvab")

#: A walk that is later than this continues from now instead of catching up.
_LATE_SECONDS = 1.0

#: When the history of every symbol of a random walk begins: 1 January 2000, in unix seconds.
_BEGAN = 946_684_800

#: Symbols whose paths are kept for the next question about their history.
_PATHS = 64


class Opening(NamedTuple):
    """What a client gets for a join before the live prices."""

    profile: Prices | None
    initial: Prices | None
    history: list[Prices]


class Tick(NamedTuple):
    """One live price of a room."""

    room: Room
    prices: Prices


class Window(NamedTuple):
    """Which candles are asked for: the newest ``length`` before the newest ``skip``.

    Of those that opened from ``start`` to ``end``, in unix seconds, both included.
    """

    start: float
    end: float
    length: int
    skip: int = 0
    forming: bool = True
    """Whether the current candle is among them."""


class History(NamedTuple):
    """Candles of one room, oldest first."""

    digits: int
    """Decimals of the symbol's prices."""
    bars: list[Bar]


class Source(Protocol):
    """A source of the simulator's prices; times are unix seconds."""

    lossless: bool
    """Whether to wait for slow readers instead of dropping prices."""

    def open(self, room: Room, now: float) -> Opening | None:
        """Start or continue a room; return ``None`` if the source does not have it."""

    def close(self, room: Room) -> None:
        """Note that the room has no clients any more."""

    def due(self) -> float | None:
        """Return when the next price is due; ``None`` = not before another join."""

    def advance(self, now: float) -> list[Tick]:
        """Return the ticks up to now that were not returned yet, one batch per call."""

    def history(self, room: Room, now: float, window: Window) -> History | None:
        """Return candles, or ``None`` if the source does not have the room.

        Other threads call it while prices flow.
        """


def merged(state: Prices, prices: Prices) -> Prices:
    """Merge a price into the state of a room; a late price changes nothing."""
    before = opened_at(state)
    now = opened_at(prices) or before
    if now < before:
        return state
    if now > before:
        state = {name: state[name] for name in "cab" if name in state}
    latest = {name: prices[name] for name in _FIELDS if prices.get(name) is not None}
    if prices.get("mode") == "initial" and "v" in state:
        # The volume of an initial is not that of the candle.
        latest.pop("v", None)
    known = {**state, **latest}
    return {name: known[name] for name in _FIELDS if name in known}


def opened_at(prices: Prices) -> float:
    """Return when the candle of a price opened; 0 if the price has no ``t``."""
    # Recordings may contain numbers as strings.
    return float(prices.get("t") or 0)


def filled(last: Prices, prices: Prices) -> Prices:
    """Add missing fields to a price, from the price before it.

    A candle with a new ``t`` opens at ``c``. High and low are extended to ``c`` unless given.
    """
    if opened_at(prices) > opened_at(last):
        last = {name: last[name] for name in "cab" if name in last}
    if prices["mode"] == "askbid":
        return {**{name: last[name] for name in "tcab" if name in last}, **prices}
    full = {**last, **prices}
    if (close := full.get("c")) is not None:
        full.setdefault("o", close)
        full["h"] = prices.get("h", max(close, full.get("h", close)))
        full["l"] = prices.get("l", min(close, full.get("l", close)))
    return full


class RandomWalk:
    """A seeded market in which every symbol exists.

    ``rate`` is the mean number of updates per second of each joined symbol. With 0, a join
    gets its ``initial`` and nothing more.
    """

    lossless = False

    def __init__(self, *, seed: int = 1, rate: float = 2.0) -> None:
        self._rate = rate
        self._rng = Random(seed)
        self._path = lru_cache(maxsize=_PATHS)(lambda symbol: Path(symbol, seed=seed))
        self._walks: dict[str, Walk] = {}
        self._timeframes: dict[str, tuple[str, ...]] = {}  # joined ones, by symbol
        self._schedule: list[tuple[float, str]] = []

    def open(self, room: Room, now: float) -> Opening:
        """Start or continue a room."""
        walk = self._walks.get(room.symbol)
        if walk is None:
            walk = self._walks[room.symbol] = Walk(self._path(room.symbol))
        joined = self._timeframes.get(room.symbol, ())
        if not joined and self._rate > 0:
            heapq.heappush(self._schedule, (now + self._interval(), room.symbol))
        if room.timeframe not in joined:
            self._timeframes[room.symbol] = (*joined, room.timeframe)
        initial = walk.initial(room.timeframe, now)
        return Opening(walk.profile(), initial, walk.history(room.timeframe, initial["t"]))

    def close(self, room: Room) -> None:
        """Stop a room; its symbol continues if another timeframe is joined."""
        joined = self._timeframes.get(room.symbol, ())
        left = tuple(timeframe for timeframe in joined if timeframe != room.timeframe)
        if left:
            self._timeframes[room.symbol] = left
            self._walks[room.symbol].forget(room.timeframe)
        elif joined:
            del self._timeframes[room.symbol]
            del self._walks[room.symbol]
            self._schedule = [due for due in self._schedule if due[1] != room.symbol]
            heapq.heapify(self._schedule)

    def due(self) -> float | None:
        """Return when the next symbol has a tick."""
        return self._schedule[0][0] if self._schedule else None

    def advance(self, now: float) -> list[Tick]:
        """Return a tick of every symbol that is due."""
        ticks: list[Tick] = []
        while self._schedule and self._schedule[0][0] <= now and len(ticks) < BATCH:
            due, symbol = self._schedule[0]
            following = max(due, now - _LATE_SECONDS) + self._interval()
            heapq.heapreplace(self._schedule, (following, symbol))
            moved = self._walks[symbol].tick(now, self._timeframes[symbol])
            ticks += [Tick(Room(symbol, timeframe), prices) for timeframe, prices in moved]
        return ticks

    def history(self, room: Room, now: float, window: Window) -> History:
        """Return candles since 1 January 2000, UTC."""
        path, timeframe = self._path(room.symbol), room.timeframe
        current = candle_number(timeframe, now)
        numbers = _numbers(timeframe, current if window.forming else current - 1, window, now)
        bars = [path.bar(timeframe, number) for number in numbers if number < current]
        if current in numbers:
            bars.append(path.forming(timeframe, current, now))
        return History(path.instrument.digits, bars)

    def _interval(self) -> float:
        return self._rng.uniform(0.5, 1.5) / self._rate


def _numbers(timeframe: str, newest: int, window: Window, now: float) -> range:
    """Return the numbers of the candles in a window; ``newest`` is the last there is."""
    start = max(window.start, _BEGAN)
    if start > now:
        return range(0)
    first = candle_number(timeframe, start)
    if candle_start(timeframe, first) < start:
        first += 1
    last = min(candle_number(timeframe, min(window.end, now)), newest) - window.skip
    return range(max(first, last - window.length + 1), last + 1)
