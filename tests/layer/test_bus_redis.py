"""The bus over the pub/sub layer: connections of its own, beside the site's consumers."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer
from django.test import override_settings

from django_fcs.layer.bus import DEMAND, HUBS, Announcement, Beat, Bus
from django_fcs.layer.wire import WireError
from django_fcs.prices.paths import PathReport
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from tests.layer.test_bus import assert_all_arrive, events_of, following, update
from tests.support.network import free_port
from tests.support.redis import redis_server

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

ROOMS = [Room(f"FX:A{number}", "1D") for number in range(40)]
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"


class Redis:
    """Servers that a test may stop or kill."""

    def __init__(self, processes: list[Process], hosts: list[str]) -> None:
        self.processes = processes
        self.hosts = hosts

    def signal(self, number: int) -> None:
        for process in self.processes:
            process.send_signal(number)


@pytest.fixture(params=[1, 3], ids=["one shard", "three shards"])
async def redis(
    request: pytest.FixtureRequest, needs_redis: None, tmp_path: Path
) -> AsyncIterator[Redis]:
    ports = [free_port() for _ in range(request.param)]
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(redis_server(port, tmp_path)) for port in ports
        ]
        yield Redis(processes, [f"redis://127.0.0.1:{port}" for port in ports])


@pytest.fixture(params=["msgpack", "encrypted"])
def layer(redis: Redis, request: pytest.FixtureRequest) -> Iterator[None]:
    config: dict[str, Any] = {"hosts": redis.hosts, "prefix": "site"}
    if request.param == "encrypted":
        pytest.importorskip("cryptography")
        config["symmetric_encryption_keys"] = ["a key of this test"]
    with override_settings(CHANNEL_LAYERS={"default": {"BACKEND": PUBSUB, "CONFIG": config}}):
        channel_layers.backends.clear()
        yield


async def close_the_sites_own() -> None:
    await get_channel_layer().flush()


@pytest.mark.usefixtures("layer")
async def test_hubs_and_streams_hear_each_other() -> None:
    updates = [
        update(room, seq=number) for number, room in enumerate(ROOMS * 30)
    ]  # more than may wait
    call = Announcement("hub", tuple(ROOMS), ())
    async with (
        events_of(HUBS) as (hub, heard),
        events_of(DEMAND) as (stream, calls),
    ):
        await hub.subscribe(ROOMS)
        await stream.publish(updates)
        await stream.publish([])
        await assert_all_arrive(heard, updates)
        await hub.announce(call)
        assert await following(calls) == call
        await hub.subscribe(ROOMS[:1])
        await stream.publish([update(ROOMS[1]), update(ROOMS[2])])
        await stream.beat(Beat(7, PathReport(1000.5, online=True, reason="")))
        assert isinstance(await following(heard), Beat)


@pytest.mark.usefixtures("layer")
async def test_the_sites_own_consumers_hear_the_stream_and_hubs_hear_the_site() -> None:
    sites = get_channel_layer()
    channel = await sites.new_channel()
    await sites.group_add(ROOMS[0].group, channel)
    async with events_of(HUBS) as (hub, events):
        await hub.subscribe(ROOMS)
        await hub.publish([update(ROOMS[0], seq=9)])
        assert await asyncio.wait_for(sites.receive(channel), 60) == update(ROOMS[0], seq=9).event()
        assert await following(events) == update(ROOMS[0], seq=9)
        await sites.group_send(ROOMS[3].group, {"type": "site.own"})
        await sites.group_send(ROOMS[3].group, update(ROOMS[3]).event())
        assert await following(events) == update(ROOMS[3])
    assert counts()["layer_malformed"] == 1
    await close_the_sites_own()


async def test_what_is_no_message_of_the_layer_is_dropped_and_counted(redis: Redis) -> None:
    plain = {"BACKEND": PUBSUB, "CONFIG": {"hosts": redis.hosts, "serializer_format": "json"}}
    with override_settings(
        CHANNEL_LAYERS={
            "default": {"BACKEND": PUBSUB, "CONFIG": {"hosts": redis.hosts}},
            "plain": plain,
        }
    ):
        channel_layers.backends.clear()
        async with events_of(HUBS) as (hub, events):
            for _ in range(3):
                await get_channel_layer("plain").group_send(HUBS, {"type": "fcs.beat"})
            await hub.beat(Beat(7, PathReport(1000.5, online=True, reason="")))
            assert isinstance(await following(events), Beat)
        assert counts()["layer_malformed"] == 3
        await get_channel_layer("plain").flush()


@pytest.mark.usefixtures("layer")
async def test_a_redis_that_dies_fails_whoever_listens_calls_or_publishes(redis: Redis) -> None:
    async with Bus(HUBS) as one, aclosing(one.bursts()) as bursts:
        await one.subscribe(ROOMS)
        await one.publish([update(room) for room in ROOMS])
        assert await asyncio.wait_for(bursts.__anext__(), 60)
        redis.signal(signal.SIGKILL)
        with pytest.raises((WireError, ConnectionError)):
            while True:
                await asyncio.wait_for(bursts.__anext__(), 60)
        with pytest.raises((WireError, ConnectionError)):
            await one.subscribe(ROOMS)
        with pytest.raises((WireError, ConnectionError)):
            await one.publish([update(room) for room in ROOMS])


@pytest.mark.usefixtures("layer")
async def test_a_redis_that_just_does_not_answer_fails_every_call(
    redis: Redis,
) -> None:
    async with Bus(HUBS, call_seconds=1) as one:
        await one.subscribe(ROOMS)
        await one.publish([update(room) for room in ROOMS])
        redis.signal(signal.SIGSTOP)
        try:
            with pytest.raises(asyncio.TimeoutError):
                await one.subscribe(ROOMS)
            with pytest.raises(asyncio.TimeoutError):
                await one.publish([update()])
        finally:
            redis.signal(signal.SIGCONT)
