"""The one file that knows the channel layer, over one in memory and over a sick one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import override_settings
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
    TimeoutError as RedisTimeoutError,
)

from django_fcs.exceptions import ConfigurationError
from django_fcs.layer import bus
from django_fcs.layer.bus import (
    DEMAND,
    HUBS,
    Announcement,
    Beat,
    Bus,
    GroupEvent,
    RoomNotice,
    layer_is_in_memory,
    site_layer,
)
from django_fcs.layer.events import read_event
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price, ProfileUpdate, serialise
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from tests.support.layers import SharedLayer
from tests.support.network import free_port

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

EURUSD = Room("FX:EURUSD", "1D")
USDJPY = Room("FX:USDJPY", "60")
PROFILE = serialise(ProfileUpdate(symbol="FX:USDJPY", timeframe="60", profile={"x": 1}))


def update(room: Room = EURUSD, *, seq: int = 1, c: float = 1.5) -> Update:
    price = Price(
        symbol=room.symbol, timeframe=room.timeframe, mode="askbid", c=c, seq=seq, at=1000.5
    )
    return Update.encode(room, price, epoch=7)


class Member:
    """What any code of a site may be: a channel in groups."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def hear(self) -> dict[str, Any]:
        receive = get_channel_layer().receive(self.name)
        message: dict[str, Any] = await asyncio.wait_for(receive, 60)
        return message


async def member_of(*groups: str) -> Member:
    layer = get_channel_layer()
    name = await layer.new_channel()
    for group in groups:
        await layer.group_add(group, name)
    return Member(name)


@asynccontextmanager
async def events_of(*groups: str) -> AsyncIterator[tuple[Bus, Any]]:
    """A bus, and its events to be taken with ``following``."""
    async with Bus(*groups) as one, aclosing(one_by_one(one)) as events:
        yield one, events


async def one_by_one(bus: Bus) -> AsyncGenerator[GroupEvent, None]:
    async with aclosing(bus.bursts()) as bursts:
        async for burst in bursts:
            assert burst
            for event in burst:
                yield event


async def following(events: Any) -> Any:
    return await asyncio.wait_for(events.__anext__(), 60)


async def assert_all_arrive(events: Any, updates: list[Update]) -> None:
    """Each room's prices have to come in order; those of several Redis servers may mix."""
    got = [await following(events) for _ in updates]
    for room in {one.room for one in updates}:
        assert [one for one in got if one.room == room] == [
            one for one in updates if one.room == room
        ]


# -- what goes where


async def test_a_price_goes_to_its_room_as_the_event_that_is_promised() -> None:
    member = await member_of(EURUSD.group)
    async with Bus() as one:
        await one.publish([update(USDJPY), update(seq=9)])

    assert await member.hear() == {
        "type": "fcs.price",
        "room": "FX:EURUSD_1D",
        "text": update(seq=9).text,
        "seq": 9,
        "epoch": 7,
    }


async def test_nothing_but_prices_goes_to_a_rooms_group() -> None:
    """Channels ends a consumer that has no handler for what comes."""
    member = await member_of(EURUSD.group)
    async with Bus() as one:
        await one.beat(Beat(7, PathReport(1000.5, online=True, reason="")))
        await one.tell(RoomNotice(EURUSD, "{}", Expectation(closed=True)))
        await one.announce(Announcement("hub", (EURUSD,), (EURUSD,)))
        await one.publish([update()])

    assert (await member.hear())["type"] == "fcs.price"


async def test_a_hub_hears_what_the_stream_says() -> None:
    beat = Beat(7, PathReport(1000.5, online=False, reason="no vendor"))
    notice = RoomNotice(USDJPY, PROFILE, Expectation(True, 90.0, None, 2e9, overdue=True))
    price = update()
    async with events_of(HUBS) as (hub, events), Bus(DEMAND) as stream:
        await hub.subscribe([EURUSD])
        await stream.beat(beat)
        await stream.tell(notice)
        await stream.publish([price, update(USDJPY)])

        assert [await following(events) for _ in range(3)] == [beat, notice, price]


async def test_the_stream_hears_what_a_hub_says() -> None:
    call = Announcement("hub-1", (EURUSD, USDJPY), (USDJPY,))
    async with events_of(DEMAND) as (_, events), Bus(HUBS) as hub:
        await hub.announce(call)

        assert await following(events) == call


# -- membership


async def test_a_bus_is_in_exactly_the_groups_it_wants() -> None:
    layer = get_channel_layer()
    async with Bus(HUBS) as one:
        assert set(layer.groups) == {HUBS}
        await one.subscribe([EURUSD, USDJPY])
        assert set(layer.groups) == {HUBS, EURUSD.group, USDJPY.group}
        await one.subscribe([USDJPY])
        assert set(layer.groups) == {HUBS, USDJPY.group}

    assert not layer.groups


@pytest.mark.parametrize(
    ("rooms", "forgets_after", "after"), [(1, 86_400, 5), (99, 86_400, 50), (99, 60, 20)]
)
async def test_memberships_are_renewed_before_a_layer_forgets_them(
    rooms: int, forgets_after: float, after: float
) -> None:
    layer, now = get_channel_layer(), [0.0]
    layer.group_expiry = forgets_after
    wanted = [Room(f"FX:PAIR{n}", "1D") for n in range(rooms)]
    async with Bus(HUBS, monotonic=lambda: now[0]) as one:
        await one.subscribe(wanted)
        layer.groups.clear()
        now[0] = after
        await one.subscribe(wanted)
        assert not layer.groups
        now[0] += 1
        await one.subscribe(wanted)
        assert set(layer.groups) == {HUBS, *(room.group for room in wanted)}
        layer.groups.clear()
        await one.subscribe(wanted)
        assert not layer.groups


async def test_a_room_that_is_left_just_when_memberships_are_renewed_is_left() -> None:
    layer = get_channel_layer()
    now = [0.0]
    async with Bus(HUBS, monotonic=lambda: now[0]) as one:
        await one.subscribe([EURUSD, USDJPY])
        now[0] = bus.READD_SECONDS + 1
        await one.subscribe([USDJPY])

        assert set(layer.groups) == {HUBS, USDJPY.group}


# -- what comes in malformed

NEWS = RoomNotice(Room("FX:USDJPY", "60"), PROFILE, Expectation(patience=60.0)).event()
BEAT = Beat(1, PathReport(1000.5, online=True, reason="")).event()

MALFORMED: list[dict[str, Any]] = [
    {},
    {"type": "site.own"},
    {"type": ["unhashable"]},
    {"type": "fcs.price"},
    {"type": "fcs.price", "room": 5, "text": "", "epoch": 1},
    {"type": "fcs.price", "room": ["FX:EURUSD"], "text": "", "epoch": 1},
    {"type": "fcs.price", "room": "FX:EURUSD_1D", "text": "no JSON", "epoch": 1},
    {"type": "fcs.price", "room": "FX:EURUSD_1D", "text": update().text, "epoch": None},
    {"type": "fcs.price", "room": "FX:EURUSD_1D", "text": update().text, "epoch": math.inf},
    {"type": "fcs.price", "room": "FX:USDJPY_1D", "text": update().text, "epoch": 1},
    {**BEAT, "epoch": math.inf},
    {**BEAT, "epoch": -1},
    {**BEAT, "epoch": "1"},
    {**BEAT, "path": None},
    {**BEAT, "path": {**BEAT["path"], "at": "soon"}},
    {**BEAT, "path": {**BEAT["path"], "at": math.nan}},
    {**BEAT, "path": {**BEAT["path"], "at": 1e300}},
    {**BEAT, "path": {**BEAT["path"], "outage": [0.0, 1.0, 0.0]}},
    {**BEAT, "path": {**BEAT["path"], "outage": {"ended_at": math.inf}}},
    {**BEAT, "path": {**BEAT["path"], "silence": math.nan}},
    {**BEAT, "path": {**BEAT["path"], "silence": None}},
    {**BEAT, "path": {**BEAT["path"], "online": 1}},
    {**NEWS, "room": "nonsense"},
    {**NEWS, "room": "FX:USDJPY_1D"},
    {**NEWS, "profile": "[]"},
    {**NEWS, "profile": None},
    {key: NEWS[key] for key in NEWS if key != "expected"},
    {key: NEWS[key] for key in NEWS if key != "trouble"},
    {**NEWS, "expected": 5},
    {**NEWS, "expected": "closed"},
    {**NEWS, "expected": [False, 60.0, None, None, False]},
    {**NEWS, "expected": {"closed": None}},
    {**NEWS, "expected": {"patience": None}},
    {**NEWS, "expected": {"patience": math.nan}},
    {**NEWS, "expected": {"since": math.inf}},
    {**NEWS, "expected": {"until": "soon"}},
    {**NEWS, "expected": {"overdue": 1.0}},
    {"type": "fcs.price", "room": "FX:EURUSD_1D", "text": update().text.encode(), "epoch": 1},
    {"type": "fcs.demand", "hub": "h", "rooms": 5, "new": []},
    {"type": "fcs.demand", "hub": "h", "rooms": [5], "new": []},
]


def test_what_they_are_made_of_is_well_formed() -> None:
    assert read_event(BEAT, 1_766_361_600.0) == Beat(1, PathReport(1000.5, online=True, reason=""))
    assert isinstance(read_event(NEWS, 1_766_361_600.0), RoomNotice)


async def test_what_is_malformed_is_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    layer = get_channel_layer()
    async with events_of(HUBS) as (_, events):
        for message in MALFORMED:
            await layer.group_send(HUBS, message)
        await layer.group_send(HUBS, update().event())

        assert await following(events) == update()
    assert counts()["layer_malformed"] == len(MALFORMED)
    dropped = [line for line in caplog.messages if "malformed group message dropped" in line]
    assert len(dropped) == len(MALFORMED).bit_length()


# -- own layers, and sick ones


async def test_over_redis_a_bus_has_an_instance_of_its_own_and_closes_it(
    shared_layer: type[SharedLayer],
) -> None:
    sites = site_layer()
    async with Bus(HUBS), Bus(DEMAND):
        assert shared_layer.made[0] is sites
        assert len(shared_layer.made) == 3

    assert [one.closed for one in shared_layer.made] == [False, True, True]


async def test_an_instance_that_fails_at_the_start_is_closed_as_well(
    shared_layer: type[SharedLayer],
) -> None:
    for name in ("new_channel", "group_add"):
        shared_layer.failures = {name: ConnectionError("sick")}
        with pytest.raises(ConnectionError, match="sick"):
            async with Bus(HUBS):
                pass

    assert [one.closed for one in shared_layer.made[1:]] == [True, True]


async def test_a_redis_that_is_not_there_leaves_no_task_behind() -> None:
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    hosts = [f"redis://127.0.0.1:{free_port()}"]
    with override_settings(
        CHANNEL_LAYERS={"default": {"BACKEND": backend, "CONFIG": {"hosts": hosts}}}
    ):
        assert not layer_is_in_memory()
        with pytest.raises(RedisConnectionError):
            async with Bus(HUBS):
                pass


async def test_a_layer_without_anything_to_close_is_let_go(
    shared_layer: type[SharedLayer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(shared_layer, "close_pools")
    async with Bus(HUBS):
        pass


async def test_a_layer_that_fails_at_the_end_is_logged_and_no_more(
    shared_layer: type[SharedLayer], caplog: pytest.LogCaptureFixture
) -> None:
    async with Bus(HUBS):
        shared_layer.failures = {"group_discard": ConnectionError("sick")}

    assert "cannot close the channel layer cleanly reason=ConnectionError('sick')" in caplog.text
    assert shared_layer.made[-1].closed


async def test_a_layer_that_cannot_even_be_closed_is_logged_and_no_more(
    shared_layer: type[SharedLayer], caplog: pytest.LogCaptureFixture
) -> None:
    async with Bus(HUBS):
        shared_layer.failures = {"close_pools": ConnectionError("dead")}

    assert "cannot close the channel layer cleanly reason=ConnectionError('dead')" in caplog.text


async def test_a_call_that_hangs_fails_after_a_while(
    shared_layer: type[SharedLayer],
) -> None:
    async with Bus(HUBS, call_seconds=0.01) as one:
        shared_layer.failures = {"group_send": asyncio.TimeoutError()}
        with pytest.raises(asyncio.TimeoutError):
            await one.publish([update()])


async def test_an_idle_wait_that_redis_ends_is_begun_again(
    shared_layer: type[SharedLayer],
) -> None:
    async with events_of(HUBS) as (one, events):
        shared_layer.failures = {"receive": RedisTimeoutError("Timeout reading from socket")}
        waiting = asyncio.ensure_future(following(events))
        await asyncio.sleep(0)
        shared_layer.failures = {}
        await one.beat(Beat(7, PathReport(1000.5, online=True, reason="")))

        assert isinstance(await waiting, Beat)


# -- what a site has to set


@override_settings(CHANNEL_LAYERS={})
def test_without_a_channel_layer_the_error_says_what_to_paste() -> None:
    with pytest.raises(ConfigurationError) as caught:
        site_layer()

    for text in ("CHANNEL_LAYERS has no 'default'", "InMemoryChannelLayer", "redis://localhost"):
        assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@override_settings(CHANNEL_LAYERS={"default": {"BACKEND": "nowhere.Layer"}})
def test_a_backend_that_is_not_there_is_told_by_its_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"CHANNEL_LAYERS: .*nowhere\.Layer"):
        layer_is_in_memory()


@override_settings(
    FCS_CHANNEL_LAYER="prices",
    CHANNEL_LAYERS={"prices": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
async def test_prices_can_have_a_layer_beside_the_sites_own() -> None:
    assert layer_is_in_memory()
    async with Bus(HUBS):
        assert set(get_channel_layer("prices").groups) == {HUBS}
