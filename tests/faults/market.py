"""A market that can be told apart: the close of each price is its number."""

from __future__ import annotations

import heapq
import itertools
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator

from django_fcs.rooms import Room
from django_fcs.simulator.bounds import candle_bounds, candle_number, candle_start
from django_fcs.simulator.market import Prices
from django_fcs.simulator.paths import Bar
from django_fcs.simulator.sources import History, Opening, Tick, Window

#: Ticks are handed out in batches no larger than this.
BATCH = 100


class Market:
    """What happened to each room and when, whether or not anybody was told.

    A source for the simulator. Of a room the first price is 1, and each tick adds 1.
    Rooms tick ``rate`` times a second from their first join on, watched or not,
    until ``stop``, but never between the two unix times of ``closed``. Times that are
    told are those of ``time.monotonic``.
    """

    lossless = False

    def __init__(self, *, rate: float = 4.0, closed: tuple[float, float] = (0.0, 0.0)) -> None:
        self._rate = rate
        self._closed = closed
        self._ticked_at: dict[Room, list[float]] = {}
        self._schedule: list[tuple[float, int, Room]] = []
        self._turns = itertools.count()
        self.joins: Counter[Room] = Counter()
        """How often each room has been joined so far."""

    def open(self, room: Room, now: float) -> Opening:
        """Begin or go on with a room."""
        self.joins[room] += 1
        if room not in self._ticked_at:
            self._ticked_at[room] = [time.monotonic()]
            if self._rate:
                heapq.heappush(self._schedule, self._next(room, now))
        return Opening(None, {"mode": "initial", **self._prices(room, now)}, [])

    def close(self, room: Room) -> None:
        """Go on: a market does not end with its viewers."""

    def due(self) -> float | None:
        """Return when the next room ticks."""
        return self._schedule[0][0] if self._schedule else None

    def advance(self, now: float) -> list[Tick]:
        """Let every room tick whose time has come."""
        return list(self._advance(now))

    def history(self, room: Room, now: float, window: Window) -> History:
        """Return candles that are all the same: only the live ones have numbers."""
        number = candle_number(room.timeframe, now) - (not window.forming)
        last = min(number, candle_number(room.timeframe, min(window.end, now))) - window.skip
        first = max(last - window.length + 1, candle_number(room.timeframe, window.start))
        times = [candle_start(room.timeframe, number) for number in range(first, last + 1)]
        return History(0, [Bar(t, 1.0, 2.0, 1.0, 2.0, 0.0) for t in times if t >= window.start])

    def _advance(self, now: float) -> Iterator[Tick]:
        for _ in range(BATCH):
            if not self._schedule or self._schedule[0][0] > now:
                return
            due, _, room = self._schedule[0]
            # A clock that jumped is not caught up with.
            heapq.heapreplace(self._schedule, self._next(room, max(due, now - 1)))
            closes_at, opens_at = self._closed
            if not closes_at <= now < opens_at:
                yield self.tick(room, now)

    def _next(self, room: Room, after: float) -> tuple[float, int, Room]:
        return after + 1 / self._rate, next(self._turns), room

    def tick(self, room: Room, now: float) -> Tick:
        """Let one room tick."""
        self._ticked_at[room].append(time.monotonic())
        return Tick(room, {"mode": "candle", **self._prices(room, now)})

    def stop(self) -> None:
        """Let nothing happen any more."""
        self._schedule.clear()
        self._rate = 0.0

    def _prices(self, room: Room, now: float) -> Prices:
        number = float(self.newest(room))
        opened_at, _ = candle_bounds(room.timeframe, now)
        return {"t": opened_at, "o": 1.0, "h": number, "l": 1.0, "c": number, "update": now}

    def newest(self, room: Room) -> int:
        """Return the number of the room's last tick."""
        return len(self._ticked_at[room])

    def outdated_at(self, room: Room, number: int) -> float | None:
        """Return when a newer price came than this one; None where it is the newest."""
        times = self._ticked_at[room]
        return times[number] if number < len(times) else None

    def next_after(self, room: Room, at: float) -> int:
        """Return the number of the first tick after that time."""
        return bisect_right(self._ticked_at[room], at) + 1
