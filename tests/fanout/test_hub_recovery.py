"""A hub that does not hear all begins again: with another member, and asking for everything."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from django.test import override_settings

from django_fcs.fanout.hub import Hub
from django_fcs.layer.events import Wish
from django_fcs.protocol.intervals import Intervals
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from tests.support.hubs import (
    EURUSD,
    HOURLY,
    QUICK,
    USDJPY,
    Browser,
    Clock,
    FakeStream,
    browsing,
    fake_stream,
    hub_of,
    key,
    update,
)
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

FIRST = 1000
WITH_BEATS = replace(QUICK, beat=3)


class Scene:
    """A browser that watches two rooms, both live."""

    def __init__(
        self, hub: Hub, clock: Clock, stream: FakeStream, browser: Browser, layer: type[SharedLayer]
    ) -> None:
        self._hub = hub
        self.clock = clock
        self.stream = stream
        self.browser = browser
        self._layer = layer
        self._announced = len(stream.announcements)

    def join(self, room: Room) -> None:
        self._hub.join(self.browser.one, room, room.timeframe)

    def leave(self, room: Room) -> None:
        self._hub.leave(self.browser.one, room, room.timeframe)

    def forget_members(self) -> None:
        """Let the layer lose all of them, but for the stream, which is one again at once."""
        demand = self._layer.behind.groups["fcs.demand"]
        self._layer.behind.groups = {"fcs.demand": demand}

    async def asks_anew(self, times: int = 1) -> None:
        """Another member has joined all groups and asked for all rooms."""
        await eventually(lambda: counts().get("hub_rejoins") == times)
        await eventually(
            lambda: any(
                set(call.new) == {EURUSD, USDJPY}
                for call in self.stream.announcements[self._announced :]
            )
        )
        self._announced = len(self.stream.announcements)
        assert {"fcs.hubs", EURUSD.group, USDJPY.group} <= self._layer.behind.groups.keys()


@pytest.fixture
async def scene(
    request: pytest.FixtureRequest, shared_layer: type[SharedLayer]
) -> AsyncIterator[Scene]:
    clock, intervals = Clock(), getattr(request, "param", WITH_BEATS)
    async with (
        hub_of(clock=clock, intervals=intervals) as hub,
        fake_stream() as stream,
        browsing(hub) as browser,
    ):
        for room in (EURUSD, USDJPY):
            hub.join(browser.one, room, "1D")
        await eventually(
            lambda: stream.announcements and set(stream.announcements[-1].rooms) == {EURUSD, USDJPY}
        )
        await stream.beat()
        for room in (EURUSD, USDJPY):
            await stream.price(room, seq=FIRST)
        await eventually(lambda: browser.seqs == [FIRST, FIRST])
        yield Scene(hub, clock, stream, browser, shared_layer)


async def test_a_beat_that_is_missed_makes_it_begin_anew(
    scene: Scene, shared_layer: type[SharedLayer], caplog: pytest.LogCaptureFixture
) -> None:
    before = list(shared_layer.made)
    scene.forget_members()
    await scene.stream.price(seq=FIRST + 1)
    scene.clock.now += 7
    await scene.asks_anew()

    assert sum(one.closed for one in before) == 1
    assert len(shared_layer.made) == len(before) + 1
    await scene.stream.price(seq=FIRST + 1)
    await eventually(lambda: FIRST + 1 in scene.browser.seqs)
    assert "no heartbeat from fcs_stream (is it running?), rejoining" in caplog.text


class OnlyLate(Intervals):
    """A hub that no missing heartbeat makes rejoin."""

    beat_missing = math.inf


@pytest.mark.parametrize("scene", [OnlyLate(look=0.005, reconnect=0.005)], indirect=True)
async def test_what_lay_in_buffers_while_the_process_stood_still_is_no_news(
    scene: Scene, shared_layer: type[SharedLayer]
) -> None:
    before = len(shared_layer.made)
    scene.clock.now += 20
    await scene.stream.price(seq=FIRST + 1)
    await scene.asks_anew()
    assert len(shared_layer.made) == before + 1
    assert FIRST + 1 not in scene.browser.seqs

    await scene.stream.beat()
    await scene.stream.price(seq=FIRST + 2)
    await eventually(lambda: FIRST + 2 in scene.browser.seqs)


async def test_a_gap_in_seq_makes_it_begin_anew(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Also for the other rooms: what they have lost nothing else would tell."""
    await scene.stream.price(seq=FIRST + 2)
    await scene.asks_anew()

    await scene.stream.price(USDJPY, seq=FIRST + 1)
    await eventually(lambda: scene.browser.seqs == [FIRST, FIRST, FIRST + 2, FIRST + 1])
    assert "a price is missing, rejoining" in caplog.text


async def test_a_room_that_is_left_and_joined_again_at_once_has_no_gap(
    scene: Scene, shared_layer: type[SharedLayer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was on its way when the group was left is heard after the new join."""
    groups = shared_layer.behind.groups
    leaves, may_leave, may_join = asyncio.Event(), asyncio.Event(), asyncio.Event()
    discard, add = shared_layer.group_discard, shared_layer.group_add

    async def slow_discard(layer: SharedLayer, group: str, channel: str) -> None:
        leaves.set()
        await may_leave.wait()
        await discard(layer, group, channel)

    async def slow_add(layer: SharedLayer, group: str, channel: str) -> None:
        await may_join.wait()
        await add(layer, group, channel)

    monkeypatch.setattr(shared_layer, "group_discard", slow_discard)
    monkeypatch.setattr(shared_layer, "group_add", slow_add)
    scene.leave(EURUSD)
    await leaves.wait()
    scene.join(EURUSD)
    await scene.stream.price(seq=FIRST + 1)
    await eventually(lambda: FIRST + 1 in scene.browser.seqs)
    may_leave.set()
    await eventually(lambda: EURUSD.group not in groups)
    await scene.stream.price(seq=FIRST + 2)
    may_join.set()
    await eventually(lambda: EURUSD.group in groups)
    await scene.stream.price(seq=FIRST + 3)
    await eventually(lambda: FIRST + 3 in scene.browser.seqs)

    # It looks for gaps whenever it has something to do.
    scene.join(HOURLY)
    await eventually(lambda: HOURLY.group in groups)
    scene.leave(HOURLY)
    await eventually(lambda: HOURLY.group not in groups)
    assert "hub_rejoins" not in counts()


@pytest.mark.parametrize("scene", [replace(WITH_BEATS, rejoin=1000)], indirect=True)
async def test_while_it_does_not_help_it_is_not_tried_again_at_once(scene: Scene) -> None:
    await scene.stream.price(seq=FIRST + 2)
    await scene.asks_anew()
    for n in (4, 5, 7):
        await scene.stream.price(seq=FIRST + n)
    await eventually(lambda: FIRST + 7 in scene.browser.seqs)
    assert counts()["hub_rejoins"] == 1

    scene.clock.now += 1000
    await scene.asks_anew(2)


async def test_where_no_stream_runs_it_is_tried_now_and_then_and_nobody_is_closed(
    scene: Scene,
) -> None:
    for times in (1, 2, 3):
        scene.clock.now += 31
        await eventually(lambda times=times: counts().get("hub_rejoins") == times)

    assert scene.browser.closes == []


async def test_one_wrong_message_in_a_group_stops_no_room(
    shared_layer: type[SharedLayer],
) -> None:
    async with fake_stream() as stream, hub_of() as hub, browsing(hub) as browser:
        hub.join(browser.one, EURUSD, "1D")
        await eventually(lambda: EURUSD.group in shared_layer.behind.groups)
        await stream.beat()
        await stream.price(seq=FIRST)
        await eventually(lambda: browser.seqs == [FIRST])
        for seq in (2**62, 2**53, 9_000_000_000):
            wrong = update(EURUSD, seq=FIRST).event()
            wrong["text"] = wrong["text"].replace(f'"seq":{FIRST}', f'"seq":{seq}')
            await shared_layer.behind.group_send(EURUSD.group, wrong)
        await eventually(lambda: counts().get("layer_malformed") == 2)
        numbers = itertools.count(1)

        async def is_heard_again() -> bool:
            number = next(numbers)
            await stream._bus.publish([update(EURUSD, seq=FIRST + number, at=1000.0 + number)])
            return browser.seqs[-1] in range(FIRST + 1, FIRST + number + 1)

        await eventually(is_heard_again)
        assert browser.seqs[:2] == [FIRST, 9_000_000_000]


async def test_each_new_stream_hears_which_candles_are_wished_for() -> None:
    with override_settings(FCS_REST_KEY="history"):
        async with fake_stream() as stream, hub_of() as hub, browsing(hub, merge=True) as browser:
            hub.join(browser.one, EURUSD, EURUSD.timeframe)
            await stream.beat()
            assert hub.candles.ask(browser.one, key(EURUSD), limit=10, before=None)
            await eventually(lambda: stream.wishes)
            for epoch in (2, 3):
                stream.wishes.clear()
                await stream.beat(epoch=epoch)
                await eventually(lambda: set(stream.wishes) == {Wish(EURUSD, limit=10)})
