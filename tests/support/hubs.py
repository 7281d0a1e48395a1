"""Browsers and a stream for the tests of the hub."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any
from unittest import mock

from channels.layers import get_channel_layer

from django_fcs.fanout import subscriber as subscriber_module
from django_fcs.fanout.flow import STEADY, Flow
from django_fcs.fanout.hub import Hub
from django_fcs.fanout.routes import Key
from django_fcs.fanout.subscriber import Subscriber
from django_fcs.layer.bus import DEMAND, Announcement, Beat, Bus, RoomNotice, Wish
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation, Outage
from django_fcs.prices.store import LastValue, MemoryStore, Store
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate, serialise
from django_fcs.protocol.intervals import Intervals
from django_fcs.rooms import Room
from django_fcs.tools.tasks import running
from tests.support.waiting import eventually

EURUSD = Room("FX:EURUSD", "1D")
HOURLY = Room("FX:EURUSD", "60")
USDJPY = Room("FX:USDJPY", "1D")
NEVER = Outage()

#: Of a hub that looks at its clock all the time: the tests move that by hand, and skip beats.
QUICK = Intervals(beat=math.inf, look=0.005, reconnect=0.005)


class Clock:
    """A wall clock that stands still unless the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._ran, self._looked_at = 0.0, time.monotonic()

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        """The same, yet it runs, as frames wait for their turn; not while the machine stands."""
        before, self._looked_at = self._looked_at, time.monotonic()
        self._ran += min(self._looked_at - before, 0.02)
        return self.now + self._ran


class Browser:
    """Everything that one browser was sent; for a while it may read nothing."""

    one: Subscriber

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.frames: list[list[dict[str, Any]]] = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.sent.append(message)
        if "text" not in message:
            return
        frame = json.loads(message["text"])
        self.frames.append(frame if isinstance(frame, list) else [frame])
        self.heard += self.frames[-1]

    @property
    def prices(self) -> list[tuple[str, str, int]]:
        """Mode, timeframe and seq of each price."""
        return [
            (one["prices"]["mode"], one["timeframe"], one["seq"])
            for one in self.heard
            if one["type"] == "price" and "seq" in one
        ]

    @property
    def seqs(self) -> list[int]:
        return [seq for _, _, seq in self.prices]

    @property
    def states(self) -> list[str]:
        return [one["state"] for one in self.heard if one["type"] == "state"]

    @property
    def closes(self) -> list[int]:
        return [message["code"] for message in self.sent if "code" in message]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.heard if one["type"] == kind]


def key(room: Room) -> Key:
    """Return a room as a browser joins it that writes the canonical timeframe."""
    return Key(room, room.timeframe)


class FakeStream:
    """The stream, as a hub knows it: a member of the demand group that says things."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.announcements: list[Announcement] = []
        self.wishes: list[Wish] = []

    async def listen(self) -> None:
        async with aclosing(self._bus.bursts()) as bursts:
            async for burst in bursts:
                for event in burst:
                    if isinstance(event, Wish):
                        self.wishes.append(event)
                        continue
                    assert isinstance(event, Announcement)
                    self.announcements.append(event)

    async def price(
        self, room: Room = EURUSD, *, seq: int, mode: str = "candle", epoch: int = 1
    ) -> None:
        await self._bus.publish([update(room, seq=seq, mode=mode, epoch=epoch)])

    async def beat(
        self,
        *,
        epoch: int = 1,
        online: bool = True,
        reason: str = "",
        outage: Outage = NEVER,
        at: float = 1000.5,
    ) -> None:
        await self._bus.beat(Beat(epoch, PathReport(at, online, reason, outage)))

    async def notice(self, room: Room = EURUSD, *, profile: str = "", **expected: Any) -> None:
        await self._bus.tell(RoomNotice(room, profile, Expectation(**expected)))

    async def trouble(self, why: str, room: Room = EURUSD) -> None:
        """Say that no price of a room can come, of which nothing else is known."""
        await self._bus.tell(RoomNotice(room, "", None, why))


@asynccontextmanager
async def fake_stream() -> AsyncIterator[FakeStream]:
    async with Bus(DEMAND) as bus:
        stream = FakeStream(bus)
        async with running(stream.listen()):
            yield stream


@asynccontextmanager
async def hub_of(
    store: Store | None = None,
    *,
    clock: Clock | None = None,
    idle: float = 30,
    intervals: Intervals = QUICK,
    flow: Flow = STEADY,
) -> AsyncIterator[Hub]:
    clock = clock or Clock()
    hub = Hub(
        store or MemoryStore(),
        idle=idle,
        intervals=intervals,
        flow=flow,
        clock=clock,
        monotonic=clock.monotonic,
    )
    try:
        yield hub
    finally:
        await hub.aclose()


@asynccontextmanager
async def browsing(
    hub: Hub, *, merge: bool = False, rate: float = 1000, address: str = ""
) -> AsyncIterator[Browser]:
    """Let one in as a server does that has no middleware between itself and the hub."""
    browser = Browser()
    async with AsyncExitStack() as stack:
        with mock.patch.object(subscriber_module, "is_of_a_server", lambda send: True):
            browser.one = await stack.enter_async_context(
                hub.entered(browser.send, merge=merge, rate=rate, address=address)
            )
        yield browser


def update(
    room: Room = EURUSD,
    *,
    seq: int,
    at: float = 1000.0,
    mode: str = "candle",
    t: int = 60,
    epoch: int = 1,
) -> Update:
    price = Price(
        symbol=room.symbol,
        timeframe=room.timeframe,
        mode=mode,
        t=t,
        o=1.5,
        h=1.5,
        l=1.5,
        c=1.5,
        seq=seq,
        at=at,
    )
    return Update.encode(room, price, epoch=epoch)


def profile(room: Room = EURUSD, **fields: str) -> str:
    return serialise(
        ProfileUpdate(symbol=room.symbol, timeframe=room.timeframe, profile=dict(fields))
    )


def stored(room: Room = EURUSD, *, text: str = "", **expected: Any) -> MemoryStore:
    store = MemoryStore()
    value = LastValue(text or update(room, seq=7, at=999.0).text, Expectation(**expected))
    store.save({room: value}, PathReport(999.0, online=True, reason=""))
    return store


def members(group: str) -> int:
    return len(get_channel_layer().groups.get(group, ()))


async def joined(room: Room = EURUSD) -> None:
    await eventually(lambda: members(room.group) == 1, what=f"a member in {room.group}")
