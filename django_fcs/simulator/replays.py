"""A recording as a source of the simulator's prices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain

import msgspec

from django_fcs.exceptions import RoomError
from django_fcs.rooms import Room

from .market import HISTORY, Prices
from .paths import Bar
from .sources import BATCH, History, Opening, Tick, Window, merged, opened_at

__all__ = ["Replay"]

#: The decimals of a room are those of its last candles, so many of them.
_DIGITS_FROM = 300


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
    bars: list[Bar] = field(default_factory=list)  # the last one may change

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
        self.state = merged(self.state, prices)
        self._note(_bar(self.state))
        return prices

    def skip_opening(self) -> None:
        """Play the recorded answers to the join."""
        while self.position < len(self.steps):
            mode = _decode_prices(self.steps[self.position][1]).get("mode")
            if mode not in ("profile", "initial"):
                return
            self.step()

    def earlier(self) -> list[Prices]:
        """Return the candles before the current one, oldest first."""
        return [bar._asdict() for bar in self.ended(self.bars[-HISTORY - 1 :])][-HISTORY:]

    def ended(self, bars: list[Bar]) -> list[Bar]:
        """Return candles without the current one."""
        current = opened_at(self.state)
        return [bar for bar in bars if bar.t < current]

    def _note(self, bar: Bar | None) -> None:
        """Keep the state of a candle; one step at most, because other threads read the list."""
        if bar is None:
            return
        if self.bars and self.bars[-1].t == bar.t:
            self.bars[-1] = bar
        else:
            self.bars.append(bar)


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
        return Opening(track.profile, initial, track.earlier())

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
            for _ in range(BATCH):
                due = track.due(self._speed)
                if due is None or due > now:
                    break
                ticks.append(Tick(room, track.step()))
        return ticks

    def history(self, room: Room, now: float, window: Window) -> History | None:
        """Return candles up to the position of the replay, with their recorded times."""
        track = self._tracks.get(room)
        if track is None:
            return None
        bars = list(track.bars)
        digits = _digits(bars[-_DIGITS_FROM:])
        if not window.forming:
            bars = track.ended(bars)
        bars = [bar for bar in bars if window.start <= bar.t <= window.end]
        newest = max(len(bars) - window.skip, 0)
        return History(digits, bars[max(newest - window.length, 0) : newest])

    def _add(self, at: float, frame: _PriceFrame) -> None:
        try:
            room = Room.parse(frame.symbol, str(frame.timeframe))
        except RoomError:
            return
        self._tracks.setdefault(room, _Track()).append(at, frame.prices)


def _bar(state: Prices) -> Bar | None:
    """Return the candle in a state; ``None`` if the state has no whole one."""
    try:
        # Recordings may contain numbers as strings.
        t, o, h, l, c, v = (float(state.get(name) or 0) for name in "tohlcv")  # noqa: E741
    except (TypeError, ValueError, OverflowError):
        return None
    if not all(map(math.isfinite, (t, o, h, l, c, v))) or not (o and h and l and c and t >= 0):
        return None
    # A quote may have moved the close out of the candle.
    return Bar(int(t), o, max(h, c), min(l, c), c, int(v) if v.is_integer() else v)


def _digits(bars: list[Bar]) -> int:
    """Return the most decimals in the prices of candles."""
    prices = chain.from_iterable(bar[1:5] for bar in bars)
    exponents = (Decimal(repr(price)).normalize().as_tuple().exponent for price in prices)
    return max((-int(exponent) for exponent in exponents if int(exponent) < 0), default=0)


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
