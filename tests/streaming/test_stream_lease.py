"""Streams that share a lease: one speaks, the others stand by; and how one leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from django_fcs.layer.bus import DEMAND, Bus
from django_fcs.management.commands.fcs_stream import _line
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Outage
from django_fcs.prices.store import MemoryStore
from django_fcs.protocol import Join, RemoveAll
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.streaming.lease import Lease
from django_fcs.streaming.stream import Stream
from django_fcs.tools.metrics import counts
from tests.streaming.leases import FakeRedis
from tests.streaming.streams import EURUSD, NOW, USDJPY, Clock, groups, joined, listening, streaming
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

ENDED = "the stream has stopped"

#: A clock that stands still saw a loss and an end.
AT_ONCE = Outage(NOW, NOW, NOW)


class Two:
    """Two processes of one site, and the Redis that lends the lease; its time is the test's."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.clock = Clock()
        self.redis = FakeRedis(self.clock)
        self.redis.know(1)
        self.store = MemoryStore()

    @asynccontextmanager
    async def process(self, *rooms: Room, **how: Any) -> AsyncIterator[tuple[Stream, Lease]]:
        lease = Lease(self.redis, seconds=3, monotonic=self.clock, sleep=_soon)
        async with lease:
            async with streaming(
                self.simulator, *rooms, lease=lease, store=self.store, clock=self.clock, **how
            ) as stream:
                yield stream, lease


async def _soon(seconds: float) -> None:
    await asyncio.sleep(0.002)


@pytest.fixture
def two(simulator: Simulator) -> Two:
    return Two(simulator)


# -- one leads


async def test_the_one_that_stands_by_hears_demand_and_says_nothing(two: Two) -> None:
    async with two.process() as (leader, lease), listening() as hub:
        await eventually(lambda: leader.status.online)
        async with two.process() as (standby, _):
            await eventually(lambda: len(groups()[DEMAND]) == 2)
            await hub.needs(EURUSD)
            await joined(two.simulator, EURUSD)
            await eventually(lambda: standby.status.wanted == 1)
            for _ in range(2):
                two.clock.now += 1.5
                await eventually(lambda: lease._until > two.clock.now + 2)
            await eventually(lambda: hub.beats and hub.beats[-1].path.at == two.clock.now)

            assert (leader.is_leader, standby.is_leader) == (True, False)
            assert two.simulator.connections == 1
            assert {beat.epoch for beat in hub.beats} == {two.redis.epoch}
            assert _line(standby.status, 0.0).startswith("state=standby rooms=0/1 ")
            assert _line(leader.status, 0.0).startswith("state=online rooms=1/1 ")


async def test_without_redis_nobody_leads_and_the_reason_is_told(two: Two) -> None:
    two.redis.failure = ConnectionError("refused")
    async with two.process(EURUSD) as (stream, _):
        await eventually(lambda: stream.status.reason)

        assert _line(stream.status, 0.0).startswith("state=standby (refused) rooms=0/1 ")
        assert two.simulator.connections == 0
        two.redis.failure = None
        await joined(two.simulator, EURUSD)


async def test_a_leader_that_loses_the_lease_cuts_the_connection_and_publishes_no_more(
    two: Two, caplog: pytest.LogCaptureFixture
) -> None:
    async with two.process(EURUSD) as (stream, lease), listening() as hub:
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        said, beats, saved = len(hub.updates), len(hub.beats), two.store.load([])[1]
        two.redis.failure = ConnectionError("refused")
        two.clock.now += 3
        assert not stream.is_leader
        await hub.needs(EURUSD)
        await eventually(lambda: not two.simulator.connections)

        assert (len(hub.updates), len(hub.beats)) == (said, beats)
        assert two.store.load([])[1] == saved
        await eventually(lambda: counts().get("stream_leases_lost") == 1)
        assert "lease lost, disconnected from the vendor" in caplog.text
        two.redis.failure = None
        await eventually(lambda: len(hub.updates) > said)
        assert hub.updates[-1].seq == hub.updates[-1].epoch * 1000
        assert hub.updates[-1].epoch > hub.updates[0].epoch


async def test_a_frame_that_waited_while_the_process_slept_is_not_even_read(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes with frames to read and timers long due, in whatever order they come."""
    monkeypatch.setattr(Lease, "keep", lambda lease: asyncio.Event().wait())
    async with two.process(EURUSD) as (stream, _):
        await eventually(lambda: stream.status.updates)
        updates = stream.status.updates
        two.redis.failure = ConnectionError("refused")
        await joined(two.simulator, EURUSD)
        two.clock.now += 3
        await two.simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: not two.simulator.connections)

        assert stream.status.updates == updates


async def test_one_that_slept_says_nothing_at_all_before_it_lets_go_of_the_vendor(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even that it goes on listening, which it does for as long as it has a connection."""
    monkeypatch.setattr(Lease, "keep", lambda lease: asyncio.Event().wait())
    subscribe, look = Bus.subscribe, Stream._want
    said: list[bool] = []
    looks: list[bool] = []

    async def subscribing(bus: Bus, rooms: Iterable[Room]) -> None:
        said.append(True)
        await subscribe(bus, rooms)

    def looking(stream: Stream) -> None:
        looks.append(True)
        look(stream)

    monkeypatch.setattr(Bus, "subscribe", subscribing)
    monkeypatch.setattr(Stream, "_want", looking)
    async with two.process(EURUSD) as (stream, _):
        await eventually(lambda: stream.status.updates and said)
        two.redis.failure = ConnectionError("refused")
        two.clock.now += 3
        before, looked = len(said), len(looks)
        await eventually(lambda: len(looks) > looked + 3)

        assert len(said) == before
        assert two.simulator.connections


async def test_a_burst_is_not_finished_by_one_that_slept_in_the_middle_of_it(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two.process(EURUSD, USDJPY) as (stream, _), listening() as hub:
        await hub.needs(EURUSD, USDJPY)
        await eventually(lambda: {update.room for update in hub.updates} == {EURUSD, USDJPY})
        published = Bus.publish
        told: list[Any] = []

        async def sleepy(self: Bus, updates: Any) -> None:
            for update in updates:
                told.append(update)
                two.redis.failure = ConnectionError("refused")
                two.clock.now += 3
            await published(self, [])

        monkeypatch.setattr(Bus, "publish", sleepy)
        await hub.needs(EURUSD, USDJPY)
        await eventually(lambda: not two.simulator.connections)

    assert len(told) == 1


# -- leaving


async def test_who_leaves_lets_the_other_go_on_and_pages_do_not_notice(two: Two) -> None:
    leave = asyncio.Event()
    async with listening() as hub, two.process(EURUSD, leave=leave) as (leader, _):
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        async with two.process(EURUSD) as (standby, _):
            await eventually(lambda: two.redis._waits_until)
            await two.simulator.push("FX:EURUSD", "1D", c=1.5)
            await eventually(lambda: leader.status.updates == 2)
            leave.set()
            await eventually(lambda: standby.status.online)
            await hub.needs(EURUSD)
            first = hub.updates[0].epoch
            await eventually(lambda: hub.updates[-1].epoch > first)

            said = [(update.epoch, update.text) for update in hub.updates]
            last = [text for epoch, text in said if epoch == first][-1]
            assert '"c":1.5' in last, "what had come is published first"
            assert all(beat.path.online for beat in hub.beats)
            assert two.store.load([])[1] == PathReport(NOW, online=True, reason="", outage=AT_ONCE)
            assert two.simulator.connections == 1
    said_to_vendor = [type(one.message) for one in two.simulator.received if one.connection == 1]
    assert said_to_vendor == [Join, RemoveAll]


async def test_where_nobody_waits_pages_are_told_at_once(two: Two) -> None:
    leave = asyncio.Event()
    async with listening() as hub, two.process(EURUSD, leave=leave) as (stream, _):
        await eventually(lambda: stream.status.updates)
        leave.set()
        await eventually(lambda: hub.beats and not hub.beats[-1].path.online)
        await eventually(lambda: (two.store.load([])[1] or PathReport(0, True, "")).reason)

        assert hub.beats[-1].path.reason == ENDED
        assert hub.beats[-1].epoch == two.redis.epoch
        assert two.store.load([])[1] == PathReport(NOW, False, ENDED, AT_ONCE)
        assert '"seq":' in two.store.load([EURUSD])[0][EURUSD].text
        assert two.simulator.connections == 0


async def test_one_that_stands_by_leaves_without_a_word(two: Two) -> None:
    leave = asyncio.Event()
    async with listening() as hub, two.process() as (leader, _):
        await eventually(lambda: leader.status.online)
        async with two.process(leave=leave) as (standby, lease):
            await eventually(lambda: two.redis._waits_until)
            leave.set()
            await eventually(standby._has_left.is_set)
        assert leader.is_leader
        assert all(beat.path.online for beat in hub.beats)


async def test_a_stream_without_a_lease_leaves_as_well(simulator: Simulator) -> None:
    leave, store = asyncio.Event(), MemoryStore()
    async with listening() as hub, streaming(simulator, EURUSD, store=store, leave=leave) as stream:
        await eventually(lambda: stream.status.updates)
        leave.set()
        await eventually(lambda: hub.beats and hub.beats[-1].path.reason == ENDED)
        await eventually(lambda: store.load([])[1] == PathReport(NOW, False, ENDED, AT_ONCE))


async def test_a_layer_that_fails_at_the_end_is_tried_again(
    two: Two, shared_layer: type[SharedLayer]
) -> None:
    leave = asyncio.Event()
    async with two.process(EURUSD, leave=leave) as (stream, _):
        await eventually(lambda: stream.status.updates)
        shared_layer.failures = {"group_send": ConnectionError("sick")}
        leave.set()
        await eventually(lambda: counts().get("stream_layer_reconnects"))
        shared_layer.failures = {}
        await eventually(stream._has_left.is_set)
