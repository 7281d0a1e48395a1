"""What a stream keeps, and what it survives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.test import override_settings

from django_fcs.exceptions import KeyRefused, RecordingError
from django_fcs.layer.bus import DEMAND, Bus
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Outage
from django_fcs.prices.store import MemoryStore
from django_fcs.prices.updates import Update
from django_fcs.protocol import Join
from django_fcs.recording import Recorder, read
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.simulator.server import BAD_KEY
from django_fcs.streaming import keeper
from django_fcs.streaming.pace import BURST_SECONDS, REST_SECONDS
from django_fcs.streaming.stream import Stream
from django_fcs.tools.metrics import counts
from django_fcs.tools.tasks import running
from django_fcs.upstream import UpstreamClient
from tests.streaming.streams import (
    EURUSD,
    HOURLY,
    NOW,
    QUICK,
    USDJPY,
    Clock,
    joined,
    listening,
    streaming,
)
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- a sick channel layer


async def hear(layer: InMemoryChannelLayer, heard: list[dict[str, Any]], *rooms: Room) -> None:
    """Take what is said to rooms as it comes: what is left lying fills the layer."""
    member = await layer.new_channel()
    for room in rooms:
        await layer.group_add(room.group, member)
    while True:
        heard.append(await layer.receive(member))


def rooms_of(heard: list[dict[str, Any]]) -> set[str]:
    return {event["room"] for event in heard}


@pytest.mark.parametrize("name", ["group_send", "receive"])
async def test_a_sick_layer_is_renewed_and_everything_is_published_again(
    name: str,
    simulator: Simulator,
    shared_layer: type[SharedLayer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, heard = Clock(), list[dict[str, Any]]()
    async with (
        running(hear(shared_layer.behind, heard, EURUSD, USDJPY)),
        streaming(simulator, EURUSD, USDJPY, clock=clock) as stream,
    ):
        await eventually(lambda: rooms_of(heard) == {str(EURUSD), str(USDJPY)})
        shared_layer.failures = {name: ConnectionError("sick")}
        # What is under way does not notice; the next beat does, and what comes after an event.
        clock.now += QUICK.beat
        demand = {"type": "fcs.demand", "hub": "h", "rooms": [], "new": []}
        await shared_layer.behind.group_send(DEMAND, demand)
        await eventually(lambda: counts().get("stream_layer_reconnects", 0) >= 2)
        updates = stream.status.updates
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: stream.status.updates == updates + 1)
        heard.clear()
        shared_layer.failures = {}
        await eventually(lambda: rooms_of(heard) == {str(EURUSD), str(USDJPY)})
        await eventually(lambda: any('"c":1.5' in event["text"] for event in heard))

    assert "channel layer failed, reconnecting reason=ConnectionError('sick')" in caplog.text
    assert all(one.closed for one in shared_layer.made[1:])


async def test_a_refused_key_is_no_trouble_of_the_layer(shared_layer: type[SharedLayer]) -> None:
    async with Simulator(RandomWalk(rate=0)) as simulator:
        async with UpstreamClient(BAD_KEY, url=simulator.url) as client:
            with pytest.raises(KeyRefused):
                await asyncio.wait_for(Stream(client, MemoryStore()).run(), 20)

    assert counts().get("stream_layer_reconnects") is None
    assert all(one.closed for one in shared_layer.made[1:])


# -- recording and keeping


async def test_every_frame_is_recorded_as_it_came(simulator: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    with Recorder(path) as recorder:
        async with streaming(simulator, EURUSD, recorder=recorder) as stream:
            await eventually(lambda: stream.status.updates)

    frames = [json.loads(frame.text) for frame in read(path)]
    assert [frame["type"] for frame in frames] == ["welcome", "message", "price", "price"]
    assert {frame.at for frame in read(path)} == {NOW}


class FullDisk(Recorder):
    def write(self, at: float, text: str) -> None:
        raise RecordingError("frames.jsonl: cannot record: No space left on device")


async def test_a_disk_that_is_full_ends_the_recording_and_no_price(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    async with streaming(simulator, EURUSD, recorder=FullDisk("frames.jsonl")) as stream:
        await eventually(lambda: stream.status.updates)

    ends = [line for line in caplog.messages if line.startswith("recording stopped")]
    assert len(ends) == 1
    assert "No space left on device" in ends[0]


async def test_last_values_and_a_sign_of_life_are_kept(simulator: Simulator) -> None:
    store, clock = MemoryStore(), Clock()
    simulator.faults = Faults(closed=True)
    async with streaming(simulator, EURUSD, store=store, clock=clock), listening() as hub:
        await hub.needs(EURUSD)
        await eventually(lambda: store.load([EURUSD])[0])
        beat = PathReport(NOW, online=True, reason="", outage=Outage(0.0, NOW))
        await eventually(lambda: store.load([])[1] == beat)
        assert store.load([EURUSD])[0][EURUSD].expected.closed
        simulator.faults = Faults()
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: '"c":1.5' in store.load([EURUSD])[0][EURUSD].text)
        await eventually(lambda: hub.updates[-1:] and '"c":1.5' in hub.updates[-1].text)

        # Kept before it was published, it had the seq of the one before for a moment.
        await eventually(lambda: store.load([EURUSD])[0][EURUSD].text == hub.updates[-1].text)
        assert not store.load([EURUSD])[0][EURUSD].expected.closed


async def test_who_follows_knows_since_when_nobody_heard_the_vendor(simulator: Simulator) -> None:
    store = MemoryStore()
    store.save({}, PathReport(NOW - 10.25, online=True, reason="", outage=Outage(5.0, 6.0)))
    async with listening() as hub, streaming(simulator, EURUSD, store=store):
        await eventually(lambda: kept(store).outage == Outage(NOW - 10.25, NOW, 6.0))
        await eventually(lambda: hub.beats and hub.beats[-1].path.outage == kept(store).outage)


async def test_who_follows_one_whose_line_was_cut_knows_since_when(simulator: Simulator) -> None:
    store = MemoryStore()
    store.save(
        {}, PathReport(NOW - 10.25, online=True, reason="", outage=Outage(5.0, 6.0), silence=7.5)
    )
    async with streaming(simulator, EURUSD, store=store):
        await eventually(lambda: kept(store).outage == Outage(NOW - 17.75, NOW, 6.0))


async def test_before_its_first_attempt_has_ended_the_last_word_is_its_predecessors(
    simulator: Simulator,
) -> None:
    store, clock = MemoryStore(), Clock()
    last = PathReport(NOW - 0.25, online=True, reason="", outage=Outage(5.0, 6.0))
    store.save({}, last)
    simulator.faults = Faults(welcome_after=0.5)
    async with streaming(simulator, EURUSD, store=store, clock=clock) as stream:
        await eventually(lambda: stream.is_leader)
        seen = []

        def is_online() -> bool:
            seen.append(kept(store))
            return stream.status.online

        await eventually(is_online)
        assert seen[0] == last and all(beat.online for beat in seen)
        await eventually(lambda: kept(store).at == clock.now)


async def test_how_the_way_to_the_vendor_stands_is_kept_at_once(simulator: Simulator) -> None:
    store, seldom = MemoryStore(), replace(QUICK, save=3600)
    async with streaming(simulator, EURUSD, store=store, clock=Clock(), intervals=seldom):
        await eventually(lambda: kept(store).online)
        simulator.faults = Faults(welcome_after=3600)
        await simulator.drop_all()
        await eventually(lambda: not kept(store).online)


async def test_beat_and_cache_say_how_long_the_vendor_is_silent(simulator: Simulator) -> None:
    store, clock = MemoryStore(), Clock()
    async with listening() as hub, streaming(simulator, EURUSD, store=store, clock=clock):
        await eventually(lambda: hub.beats and hub.beats[-1].path.online)
        clock.heard_at, clock.now = NOW + 1, NOW + 9
        await eventually(lambda: hub.beats[-1].path.silence == kept(store).silence == 8.0)


async def test_an_outage_begins_when_the_vendor_was_last_heard(simulator: Simulator) -> None:
    store, clock = MemoryStore(), Clock()
    async with streaming(simulator, EURUSD, store=store, clock=clock) as stream:
        await eventually(lambda: stream.status.online)
        clock.heard_at, clock.now = NOW + 1, NOW + 9
        await simulator.drop_all()
        await eventually(lambda: kept(store).outage.lost_at == NOW + 1)


async def test_after_a_clock_was_put_back_no_outage_is_in_the_future(simulator: Simulator) -> None:
    store, clock = MemoryStore(), Clock()
    async with streaming(simulator, EURUSD, store=store, clock=clock):
        await eventually(lambda: kept(store).outage == Outage(0.0, NOW))
        clock.now = 400.0
        await eventually(lambda: kept(store).outage == Outage(0.0, 400.0))


def kept(store: MemoryStore) -> PathReport:
    return store.load([])[1] or PathReport(0.0, online=False, reason="")


async def test_a_store_that_forgets_is_told_every_room_again(simulator: Simulator) -> None:
    store, clock = MemoryStore(), Clock()
    async with streaming(simulator, EURUSD, store=store, clock=clock):
        await eventually(lambda: store.load([EURUSD])[0])
        store._values.clear()
        await eventually(lambda: store.load([])[1])
        clock.now += keeper.SAVE_ALL_SECONDS
        await eventually(lambda: store.load([EURUSD])[0])


async def test_decimals_that_the_site_sets_are_those_of_the_text(simulator: Simulator) -> None:
    with override_settings(FCS_DIGITS={"FX:*": 3}):
        async with listening() as hub, streaming(simulator, EURUSD):
            await hub.needs(EURUSD)
            await eventually(lambda: hub.updates)

            assert hub.last()["prices"]["digits"] == 3


async def test_joins_of_the_vendor_are_in_canonical_spelling(simulator: Simulator) -> None:
    async with streaming(simulator), listening() as hub:
        await hub.needs(Room.parse("FX:EURUSD", "1h"))
        await joined(simulator, HOURLY)

    [join] = [one.message for one in simulator.received if isinstance(one.message, Join)]
    assert join == Join(symbol="FX:EURUSD", timeframe="60")


# -- the pace of publishing


class Pauses:
    """A sleep that a test ends, and every pause that was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


async def test_a_price_goes_at_once_unless_many_come_and_then_with_the_next_burst(
    simulator: Simulator,
) -> None:
    clock, pauses = Clock(), Pauses()
    pauses.over.set()
    async with listening() as hub, streaming(simulator, EURUSD, clock=clock, sleep=pauses):
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        for number in range(100):  # Some 200 a second, as the clock stands still.
            await simulator.push("FX:EURUSD", "1D", c=round(1.4 + number / 1000, 3))
        await eventually(lambda: '"c":1.499' in hub.updates[-1].text)
        # From here on anyone who pauses waits for ever.
        pauses.over.clear()
        pauses.asked.clear()
        seq, merged = hub.updates[-1].seq, counts().get("stream_merged", 0)
        for c in (1.6, 1.7, 1.8):
            await simulator.push("FX:EURUSD", "1D", c=c)
        await eventually(lambda: counts().get("stream_merged", 0) == merged + 2)
        await eventually(lambda: pauses.asked)
        [pause] = pauses.asked
        assert BURST_SECONDS / 2 < pause < BURST_SECONDS
        assert '"c":1.499' in hub.updates[-1].text
        pauses.over.set()
        await eventually(lambda: '"c":1.8' in hub.updates[-1].text)
        assert hub.updates[-1].seq == seq + 1

        clock.now += 2 * REST_SECONDS  # Longer, and rooms would have notices of their own.
        await simulator.push("FX:EURUSD", "1D", c=1.9)
        await eventually(lambda: '"c":1.9' in hub.updates[-1].text)
        clock.now += 2 * REST_SECONDS
        pauses.over.clear()
        await simulator.push("FX:EURUSD", "1D", c=1.91)
        await eventually(lambda: '"c":1.91' in hub.updates[-1].text)


async def test_after_a_publish_that_took_a_minute_it_rests_for_a_second(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, pauses = Clock(), Pauses()
    pauses.over.set()
    publish = Bus.publish

    async def slowly(bus: Bus, updates: Iterable[Update]) -> None:
        await publish(bus, updates)
        clock.now += 60

    monkeypatch.setattr(Bus, "publish", slowly)
    async with listening() as hub, streaming(simulator, EURUSD, clock=clock, sleep=pauses):
        await hub.needs(EURUSD)
        await eventually(lambda: hub.updates)
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        await eventually(lambda: pauses.asked)

    assert max(pauses.asked) == pytest.approx(REST_SECONDS)
