"""The candles that the site's database keeps, written by a thread that delays no price."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeVar

from django_fcs.candles.bars import Bar
from django_fcs.candles.patterns import matches
from django_fcs.candles.saved import SavedCandles
from django_fcs.conf import conf
from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.worker import Worker

__all__ = ["Databank"]

logger = logger_of(__name__)

#: How many candles of a room wait for the database. The oldest is dropped first.
WAITING_MAX = 20_000

#: How many candles of all rooms wait: some 40 MB. Those of a room that come then are dropped.
TOTAL_MAX = 100_000

#: How long a call of the database may take, in seconds. Until a longer one has ended, there is no
#: other.
CALL_SECONDS = 20

_HANGS = "no answer in time"

T = TypeVar("T")


class Databank:
    """Finished candles of the rooms of ``FCS_SAVE_CANDLES``, until the database has them.

    Args:
        saved: The database; without the app ``django_fcs.candles`` nothing is kept.
        total: How many candles of all rooms may wait.
        call_seconds: How long a call may take, in seconds.
    """

    def __init__(
        self, saved: SavedCandles, *, total: int = TOTAL_MAX, call_seconds: float = CALL_SECONDS
    ) -> None:
        self._saved = saved
        self._total = total
        self._call_seconds = call_seconds
        self._hanging: set[asyncio.Future[Any]] = set()
        """Calls for which nobody waits any longer."""
        self._thread = Worker("fcs-candles-database")
        self._waiting: dict[Room, dict[int, Bar]] = {}

    @property
    def failure(self) -> str:
        """Why saving or loading failed the last time; empty if neither did."""
        return _HANGS if self._hanging else self._saved.failure

    def keeps(self, room: Room) -> bool:
        """Tell whether the database keeps candles of a room."""
        return self._saved.is_installed() and matches(room, conf.FCS_SAVE_CANDLES)

    def add(self, room: Room, bars: Iterable[Bar]) -> None:
        """Keep finished bars of a room until ``save``; a later one of the same time counts."""
        if not self.keeps(room):
            return
        waiting = self._waiting.setdefault(room, {})
        for bar in bars:
            waiting.pop(bar.t, None)
            waiting[bar.t] = bar
        others = sum(map(len, self._waiting.values())) - len(waiting)
        too_many = len(waiting) - max(min(WAITING_MAX, self._total - others), 0)
        for t in list(waiting)[: max(too_many, 0)]:
            del waiting[t]
            count("candles_dropped")
        if not waiting:
            del self._waiting[room]

    @property
    def is_filling(self) -> bool:
        """Whether so many candles wait that they should be saved before others are added."""
        return sum(map(len, self._waiting.values())) > self._total / 2 and not self.failure

    async def save(self) -> None:
        """Write what waits. What the database does not take waits for the next call."""
        for room in list(self._waiting):
            bars = self._waiting.pop(room)
            in_order = [bars[t] for t in sorted(bars)]
            stored = await self._run(partial(self._saved.save, room, in_order), 0)
            if stored < len(in_order) and self.failure:
                self.add(room, [*in_order[stored:], *self._waiting.pop(room, {}).values()])
                return

    async def load(self, room: Room, *, before: int | None, limit: int) -> list[Bar]:
        """Return the newest bars that the database has of those before a time, ascending."""
        if not self.keeps(room):
            return []
        return await self._run(partial(self._saved.load, room, before=before, limit=limit), [])

    async def first(self, room: Room, start: int, stop: int) -> int | None:
        """Return when the first candle opens that the database has between two times.

        ``stop`` if it has none; ``None`` if the database fails.
        """
        return await self._run(partial(self._saved.first, room, start, stop), None)

    async def _run(self, work: partial[T], nothing: T) -> T:
        """Return what a call returns, or ``nothing`` if this or an earlier one hangs."""
        if self._hanging:
            return nothing
        call = asyncio.wrap_future(self._thread.submit(work))
        done, _ = await asyncio.wait((call,), timeout=self._call_seconds)
        if done:
            return call.result()
        logger.warning("database hangs, candles wait for it")
        self._hanging.add(call)
        call.add_done_callback(self._note_end)
        return nothing

    def _note_end(self, call: asyncio.Future[Any]) -> None:
        self._hanging.discard(call)
        if not call.cancelled():
            call.exception()
