"""Streams, and the hubs that hear them, for the tests of the stream."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

from channels.layers import get_channel_layer

from django_fcs.candles.rest import RestClient
from django_fcs.candles.stores import CandleStore
from django_fcs.layer.bus import DEMAND, HUBS, Announcement, Beat, Bus, RoomNotice, Wish
from django_fcs.prices.store import MemoryStore
from django_fcs.prices.updates import Update
from django_fcs.protocol.intervals import Intervals
from django_fcs.recording import Recorder
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.streaming.lease import Alone, Lease
from django_fcs.streaming.stream import Stream
from django_fcs.tools.tasks import running
from django_fcs.upstream import Timing, UpstreamClient
from tests.support.waiting import eventually

EURUSD = Room("FX:EURUSD", "1D")
USDJPY = Room("FX:USDJPY", "1D")
GBPUSD = Room("FX:GBPUSD", "1D")
HOURLY = Room("FX:EURUSD", "60")


#: When the tests of streams begin, in unix seconds. A stream believes only prices of its own time,
#: and simulators send those of today.
NOW = time.time() // 86_400 * 86_400 + 0.25


class Clock:
    def __init__(self) -> None:
        self.now = NOW
        self.heard_at = math.inf
        """When the vendor was last heard; infinite as long as that is now."""

    def __call__(self) -> float:
        return self.now


class Client(UpstreamClient):
    """A client that has heard the vendor when its test says."""

    def __init__(self, *, url: str, timing: Timing, clock: Clock) -> None:
        super().__init__("test", url=url, timing=timing, clock=clock)
        self._tests_clock = clock

    @property
    def silence(self) -> float:
        return max(0.0, self._tests_clock.now - self._tests_clock.heard_at)


class Hub:
    """A web process, as a stream knows it: a member of groups that announces rooms."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.heard: list[Any] = []

    async def listen(self) -> None:
        async with aclosing(self._bus.bursts()) as bursts:
            async for burst in bursts:
                self.heard += burst

    async def needs(
        self, *rooms: Room, new: Iterable[Room] | None = None, name: str = "hub"
    ) -> None:
        """Announce rooms, all of them new unless it is said which."""
        await self._bus.subscribe(rooms)
        await self._bus.announce(Announcement(name, rooms, rooms if new is None else tuple(new)))

    async def wishes(self, room: Room, limit: int) -> None:
        """Ask for the newest candles of a room."""
        await self._bus.wish(Wish(room, limit=limit))

    @property
    def updates(self) -> list[Update]:
        return [event for event in self.heard if isinstance(event, Update)]

    @property
    def beats(self) -> list[Beat]:
        return [event for event in self.heard if isinstance(event, Beat)]

    @property
    def notices(self) -> list[RoomNotice]:
        return [event for event in self.heard if isinstance(event, RoomNotice)]

    def last(self) -> dict[str, Any]:
        text: dict[str, Any] = json.loads(self.updates[-1].text)
        return text


#: Of a stream that looks at its clock all the time: the tests move that by hand.
QUICK = Intervals(look=0.005, save=0.005, reconnect=0.005, pages=0.005, calendars=0.005)


@asynccontextmanager
async def listening() -> AsyncIterator[Hub]:
    async with Bus(HUBS) as bus:
        hub = Hub(bus)
        async with running(hub.listen()):
            yield hub


@asynccontextmanager
async def streaming(
    simulator: Simulator,
    *rooms: Room,
    store: MemoryStore | None = None,
    candles: CandleStore | None = None,
    rest: RestClient | None = None,
    clock: Clock | None = None,
    lease: Lease | None = None,
    recorder: Recorder | None = None,
    leave: asyncio.Event | None = None,
    intervals: Intervals = QUICK,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Stream]:
    """Run a stream beside the test, on a clock that only the test moves."""
    clock = clock or Clock()
    timing = Timing(
        retry_first=0.01, retry_cap=0.01, joins_per_second=10_000, welcome=120, pong=120
    )
    client = Client(url=simulator.url, timing=timing, clock=clock)
    stream = Stream(
        client,
        store or MemoryStore(),
        candles=candles,
        rest=rest,
        rooms=rooms,
        # The annotation names only ``Lease``, but a stream uses ``Alone`` in the same way.
        lease=lease or cast(Lease, Alone(clock, monotonic=lambda: 0.0)),
        recorder=recorder,
        intervals=intervals,
        clock=clock,
        monotonic=clock,
        sleep=sleep,
    )
    async with client, running(stream.run(leave)):
        await eventually(lambda: groups().get(DEMAND), what="a stream that hears hubs")
        yield stream


def groups() -> dict[str, Any]:
    layer = get_channel_layer()
    members: dict[str, Any] = getattr(layer, "behind", layer).groups
    return members


async def joined(simulator: Simulator, *rooms: Room) -> None:
    await eventually(lambda: set(simulator.rooms) == set(rooms), what=f"joined {rooms}")
