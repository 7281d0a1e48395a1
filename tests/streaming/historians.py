"""A historian, and what it hears and says, for its tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Container, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles.answers import Answer, Refused
from django_fcs.candles.bars import Bar
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import MemoryCandles
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.prices.sessions import Markets
from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.streaming.databank import Databank
from django_fcs.streaming.fetching import Fetcher
from django_fcs.streaming.historian import Historian
from django_fcs.streaming.histories import Histories
from django_fcs.tools.bell import Bell
from django_fcs.tools.tasks import running
from tests.support.waiting import eventually

BTC = Room("BINANCE:BTCUSDT", "1")
ETH = Room("BINANCE:ETHUSDT", "1")
T = 1_766_400_000
"""When the candle opened that is forming when a test begins: the 22nd of a month."""


@pytest.fixture(autouse=True)
def plan() -> Iterator[None]:
    with override_settings(
        FCS_REST_KEY="history", FCS_REST_REQUESTS_PER_MINUTE=60, FCS_REST_CREDITS_PER_MONTH=10_000
    ):
        yield


class Vendor:
    """History as the vendor has it: a bar a minute, the last one forming."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.asked: list[tuple[Room, int, int | None, int | None]] = []
        self.refusals: list[Refused] = []
        self.lacks: Container[int] = ()
        """When the bars opened that it does not have."""
        self.late = 0
        """How many seconds its history is late."""
        self.gate = threading.Event()
        self.gate.set()

    def history(
        self, room: Room, *, length: int, start: int | None = None, end: int | None = None
    ) -> Answer:
        self.asked.append((room, length, start, end))
        assert self.gate.wait(10)
        if self.refusals:
            raise self.refusals.pop(0)
        now = int(self._scene.now) - self.late
        last = now - now % 60 if end is None else min(now, end) // 60 * 60
        times = range(last, max((start or 0) - 1, last - 60 * length), -60)
        bars = [bar(t) for t in times if t not in self.lacks]
        return Answer(bars, dropped=0, credits=None, server_time=None)


def bar(t: int) -> Bar:
    return Bar(t, 1.0, 3.0, 0.5, 2.0, 10.0)


class Scene:
    """A historian, and what it hears and says."""

    def __init__(self, store: MemoryCandles | None = None) -> None:
        self.now = T + 30.0
        self.held = True
        self.store = store or MemoryCandles()
        self.vendor = Vendor(self)
        self.histories = Histories(markets=Markets())
        self.snapshots: dict[Room, Snapshot] = {}
        self.heard: list[CandleNote] = []
        fetcher = Fetcher(self.vendor, self.store, lease=self, clock=self.clock)  # type: ignore[arg-type]
        self.historian = Historian(
            self.store,
            fetcher=fetcher,
            databank=Databank(SavedCandles()),
            markets=Markets(),
            lease=self,  # type: ignore[arg-type]
            ready=Bell(),
            clock=self.clock,
        )

    def clock(self) -> float:
        return self.now

    @property
    def is_held(self) -> bool:
        return self.held

    def join(self, *rooms: Room) -> None:
        for room in rooms:
            self.snapshots[room] = Snapshot(room)
            self.histories.begin(room, self.now, self.snapshots[room])
        self.histories.look(rooms, self.now)

    def tick(self, room: Room, t: int) -> None:
        """A candle of the socket, as the stream notes it."""
        history, snapshot = self.histories.get(room), self.snapshots[room]
        assert history is not None
        if snapshot.t is not None and t > snapshot.t:
            self.histories.end_candle(history, self.now)
        values: Any = {"t": t, "o": 1.0, "h": 3.0, "l": 0.5, "c": 2.5, "v": 5.0}
        snapshot.merge(Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", **values))

    def wish(self, room: Room = BTC, limit: int = 100, **where: int) -> None:
        self.historian.hear(Wish(room, limit=limit, **where), self.histories)

    @property
    def notes(self) -> list[CandleNote]:
        self.heard += self.historian.wishes.take_notes()
        return self.heard

    async def told(self, count: int = 1) -> list[CandleNote]:
        await eventually(lambda: len(self.notes) >= count)
        return self.heard

    async def minute(self, room: Room = BTC) -> None:
        """Let a minute pass in which a candle of a room begins, and what is due be asked for."""
        self.now += 60
        self.histories.look([room], self.now)
        self.tick(room, int(self.now) // 60 * 60)
        await self.rest()

    async def rest(self) -> None:
        """Save what has changed, and wait until nothing more is due."""
        await self.historian.save(self.histories)
        self.historian.wishes.changed.ring()
        for _ in range(50):  # Without a request it takes a few turns of the loop.
            if not self.historian.wishes.due(self.now):
                return
            await asyncio.sleep(0)
        await eventually(lambda: not self.historian.wishes.due(self.now))

    def times(self, room: Room = BTC) -> list[int]:
        kept = self.store.load([room]).get(room)
        return [] if kept is None else kept.series(10_000).times()


@asynccontextmanager
async def working(scene: Scene) -> AsyncIterator[Scene]:
    async with running(scene.historian.work(scene.histories, epoch=1)):
        yield scene
