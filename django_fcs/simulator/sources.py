"""The simulator's sources of prices: a random walk, or a recording that is replayed.

A source returns when its next price is due and the prices up to a given time. The
simulator has the clock and the sockets, and does the waiting.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Protocol

import msgspec

from django_fcs.exceptions import RoomError
from django_fcs.rooms import Room

from .market import HISTORY, Prices, Walk

__all__ = ["Opening", "RandomWalk", "Replay", "Source", "Tick", "filled", "merged", "opened_at"]

#: Ticks returned at once, so that a replay without pauses does not run ahead of its readers.
_BATCH = 100

_FIELDS = tuple("tohlcvab")

#: A walk that is later than this continues from now instead of catching up.
_LATE_SECONDS = 1.0


class Opening(NamedTuple):
    """What a client gets for a join before the live prices."""

    profile: Prices | None
    initial: Prices | None
    history: list[Prices]


class Tick(NamedTuple):
    """One live price of a room."""

    room: Room
    prices: Prices


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
        self._seed = seed
        self._rate = rate
        self._rng = Random(seed)
        self._walks: dict[str, Walk] = {}
        self._timeframes: dict[str, tuple[str, ...]] = {}  # joined ones, by symbol
        self._schedule: list[tuple[float, str]] = []

    def open(self, room: Room, now: float) -> Opening:
        """Start or continue a room."""
        walk = self._walks.get(room.symbol)
        if walk is None:
            walk = self._walks[room.symbol] = Walk(room.symbol, seed=self._seed, now=now)
        joined = self._timeframes.get(room.symbol, ())
        if not joined and self._rate > 0:
            heapq.heappush(self._schedule, (now + self._interval(), room.symbol))
        if room.timeframe not in joined:
            self._timeframes[room.symbol] = (*joined, room.timeframe)
        initial = walk.initial(room.timeframe, now)
        return Opening(walk.profile(), initial, walk.history(room.timeframe))

    def close(self, room: Room) -> None:
        """Stop a room; its symbol continues if another timeframe is joined."""
        joined = self._timeframes.get(room.symbol, ())
        left = tuple(timeframe for timeframe in joined if timeframe != room.timeframe)
        if left:
            self._timeframes[room.symbol] = left
        elif joined:
            del self._timeframes[room.symbol]
            self._schedule = [due for due in self._schedule if due[1] != room.symbol]
            heapq.heapify(self._schedule)

    def due(self) -> float | None:
        """Return when the next symbol has a tick."""
        return self._schedule[0][0] if self._schedule else None

    def advance(self, now: float) -> list[Tick]:
        """Return a tick of every symbol that is due."""
        ticks: list[Tick] = []
        while self._schedule and self._schedule[0][0] <= now and len(ticks) < _BATCH:
            due, symbol = self._schedule[0]
            following = max(due, now - _LATE_SECONDS) + self._interval()
            heapq.heapreplace(self._schedule, (following, symbol))
            moved = self._walks[symbol].tick(now, self._timeframes[symbol])
            ticks += [Tick(Room(symbol, timeframe), prices) for timeframe, prices in moved.items()]
        return ticks

    def _interval(self) -> float:
        return self._rng.uniform(0.5, 1.5) / self._rate


class _PriceFrame(msgspec.Struct, tag="price", tag_field="type"):
    symbol: str
    timeframe: str | int
    prices: msgspec.Raw  # kept as text: a day's recording as dictionaries would fill the memory


_decode_frame = msgspec.json.Decoder(_PriceFrame).decode
_decode_frames = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_prices = msgspec.json.Decoder(Prices).decode


@dataclass
class _Track:
    """The recording of one room, and its position in the replay."""

    steps: list[tuple[float, msgspec.Raw]] = field(default_factory=list)
    at: float = 0.0  # recorded time of the last step, which never decreases
    began: float | None = None
    position: int = 0
    profile: Prices | None = None
    state: Prices = field(default_factory=dict)
    history: deque[Prices] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def append(self, at: float, prices: msgspec.Raw) -> None:
        self.at = max(at, self.at) if self.steps else at
        self.steps.append((self.at, prices))

    def due(self, speed: float) -> float | None:
        if self.began is None or self.position == len(self.steps):
            return None
        if not speed:
            return -math.inf
        return self.began + (self.steps[self.position][0] - self.steps[0][0]) / speed

    def step(self) -> Prices:
        """Play one price and return it."""
        prices: Prices = _decode_prices(self.steps[self.position][1])
        self.position += 1
        if prices.get("mode") == "profile":
            self.profile = prices.get("profile")
            return prices
        if self.state and opened_at(prices) > opened_at(self.state):
            self.history.append(self.state)
        self.state = merged(self.state, prices)
        return prices

    def skip_opening(self) -> None:
        """Play the recorded answers to the join."""
        while self.position < len(self.steps):
            mode = _decode_prices(self.steps[self.position][1]).get("mode")
            if mode not in ("profile", "initial"):
                return
            self.step()


class Replay:
    """A recording; each room is played once, starting with the first join of the room.

    The recorded pauses are divided by ``speed``; 0 means no pauses. A later join gets the
    current state of the replay, and nothing more if the replay has ended.
    """

    lossless = True

    def __init__(self, frames: Iterable[tuple[float, str]], *, speed: float = 1.0) -> None:
        self._speed = speed
        self._tracks: dict[Room, _Track] = {}
        for at, text in frames:
            for frame in _price_frames(text):
                self._add(at, frame)

    @property
    def rooms(self) -> list[Room]:
        """The rooms in the recording."""
        return list(self._tracks)

    def open(self, room: Room, now: float) -> Opening | None:
        """Start the room's replay or return its current state."""
        track = self._tracks.get(room)
        if track is None:
            return None
        if track.began is None:
            track.began = now
            track.skip_opening()
        initial = {"mode": "initial", **track.state} if track.state else None
        return Opening(track.profile, initial, list(track.history))

    def close(self, room: Room) -> None:
        """Do nothing: the replay continues without clients."""

    def due(self) -> float | None:
        """Return when the next recorded price is due."""
        dues = (track.due(self._speed) for track in self._tracks.values())
        return min((due for due in dues if due is not None), default=None)

    def advance(self, now: float) -> list[Tick]:
        """Play the prices that are due, at most one batch per room."""
        ticks: list[Tick] = []
        for room, track in self._tracks.items():
            for _ in range(_BATCH):
                due = track.due(self._speed)
                if due is None or due > now:
                    break
                ticks.append(Tick(room, track.step()))
        return ticks

    def _add(self, at: float, frame: _PriceFrame) -> None:
        try:
            room = Room.parse(frame.symbol, str(frame.timeframe))
        except RoomError:
            return
        self._tracks.setdefault(room, _Track()).append(at, frame.prices)


def _price_frames(text: str) -> list[_PriceFrame]:
    """Return the prices in a frame; the simulator writes all other messages itself."""
    try:
        raws = _decode_frames(text) if text.lstrip()[:1] == "[" else [text]
    except msgspec.MsgspecError:
        return []
    frames = []
    for raw in raws:
        try:
            frame = _decode_frame(raw)
            opened = opened_at(_decode_prices(frame.prices))
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
            continue
        if math.isfinite(opened):
            frames.append(frame)
    return frames
