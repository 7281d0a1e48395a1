"""The bus and the lease over a Redis whose libraries do not have a name any more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer
from django.test import override_settings
from redis.asyncio import Redis

from django_fcs.layer import bus
from django_fcs.layer.bus import DEMAND, HUBS, Announcement, Beat, Bus, lease_line
from django_fcs.layer.line import Line
from django_fcs.layer.member import LayerMember
from django_fcs.layer.pubsub import PubSubMember
from django_fcs.prices.paths import PathReport
from django_fcs.rooms import Room
from django_fcs.streaming.lease import _SERVER, Lease
from tests.layer.test_bus import assert_all_arrive, events_of, following, update
from tests.support.missing import NAMES, RENAMED, rename, warnings_of
from tests.support.network import free_port
from tests.support.redis import redis_server
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "needs_redis")

ROOMS = [Room(f"FX:A{number}", "1D") for number in range(5)]
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
BEAT = Beat(7, PathReport(1000.5, online=True, reason=""))

OF_REDIS = [(library, name) for library in ("channels_redis", "redis") for name in NAMES[library]]


@pytest.fixture
async def hosts(tmp_path: Path) -> AsyncIterator[list[str]]:
    """Two servers, so that each group has to be on the right one."""
    ports = [free_port(), free_port()]
    async with redis_server(ports[0], tmp_path), redis_server(ports[1], tmp_path):
        yield [f"redis://127.0.0.1:{port}" for port in ports]


def site(hosts: list[str], backend: str = PUBSUB) -> Any:
    channel_layers.backends.clear()
    layer = {"BACKEND": backend, "CONFIG": {"hosts": hosts, "prefix": "site"}}
    return override_settings(CHANNEL_LAYERS={"default": layer})


def backend_without(name: str) -> str:
    return RENAMED if name in ("_args", "_kwargs", "RedisPubSubLoopLayer") else PUBSUB


# -- the bus


@pytest.mark.parametrize(("library", "name"), OF_REDIS)
async def test_without_a_name_prices_and_demand_still_flow(
    library: str,
    name: str,
    hosts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    updates = [update(room, seq=number) for number, room in enumerate(ROOMS * 3)]
    call = Announcement("hub", tuple(ROOMS), ())
    with site(hosts, backend_without(name)):
        rename(monkeypatch, name)
        async with events_of(HUBS) as (hub, heard), events_of(DEMAND) as (stream, calls):
            assert isinstance(hub._member, LayerMember)
            await hub.subscribe(ROOMS)
            await stream.publish(updates)
            await assert_all_arrive(heard, updates)
            await hub.announce(call)
            assert await following(calls) == call
            await hub.subscribe(ROOMS[:1])
            await stream.publish([update(ROOMS[1])])
            await stream.beat(BEAT)
            assert await following(heard) == BEAT
        await get_channel_layer().flush()

    [warning] = warnings_of(caplog, library)
    assert re.search(rf"name=.*{name}\b", warning)


async def test_the_slower_and_the_fast_way_understand_each_other(
    hosts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(hosts):
        async with events_of(HUBS) as (fast, from_slow):
            rename(monkeypatch, "_get_shard")
            async with events_of(HUBS) as (slow, from_fast):
                kinds = [type(one._member) for one in (fast, slow)]
                assert kinds == [PubSubMember, LayerMember]
                monkeypatch.undo()
                await fast.subscribe(ROOMS)
                await slow.subscribe(ROOMS)
                await slow.publish([update(room) for room in ROOMS])
                assert {(await following(from_slow)).room for _ in ROOMS} == set(ROOMS)
                assert {(await following(from_fast)).room for _ in ROOMS} == set(ROOMS)
                await fast.beat(BEAT)
                assert await following(from_fast) == BEAT
        await get_channel_layer().flush()


async def test_each_further_bus_uses_the_layer_of_the_site_and_leaves_nothing_in_it(
    hosts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(hosts):
        rename(monkeypatch, "_get_shard")
        layer = get_channel_layer()
        for _ in range(3):
            async with events_of(HUBS) as (one, events):
                await one.beat(BEAT)
                assert await following(events) == BEAT
        assert not layer.groups and not layer.channels
        await layer.flush()


async def test_with_all_names_the_fast_way_is_used_and_nothing_is_said(
    hosts: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with site(hosts):
        async with Bus(HUBS) as one:
            assert isinstance(one._member, PubSubMember)
        assert bus.missing_names() == {}
    assert "a name is missing" not in caplog.text


# -- the lease


async def lend(redis: Line) -> None:
    """Make the server one that has lent before: a new one lends to nobody at first."""
    run = await redis.ask(b"EVAL", _SERVER + b"return server", b"0")
    assert isinstance(run, bytes)
    await redis.ask(b"MSET", b"site:{fcs}:epoch", b"1", b"site:{fcs}:server", run)


@pytest.mark.parametrize(
    ("library", "name", "backend"),
    [
        *((library, name, backend_without(name)) for library, name in OF_REDIS),
        ("redis", "_reader", CORE),
    ],
)
async def test_without_a_name_the_lease_is_still_lent(
    library: str,
    name: str,
    backend: str,
    hosts: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with site(hosts, backend):
        rename(monkeypatch, name)
        found, other = lease_line(), lease_line()
    assert found is not None and other is not None and found[1] == "site"
    await lend(found[0])
    async with (
        Lease(found[0], seconds=6, prefix="site") as first,
        Lease(other[0], seconds=6, prefix="site") as second,
    ):
        before = await asyncio.wait_for(first.acquire(), 20)
        waiting = asyncio.ensure_future(second.acquire())
        async with Redis.from_url(hosts[0]) as admin:
            await eventually(lambda: admin.exists("site:{fcs}:waiting"))
        assert await first.release()
        assert await asyncio.wait_for(waiting, 20) > before
    assert len(warnings_of(caplog, library)) == 1


async def test_without_a_name_a_line_still_closes_after_a_failure(
    hosts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(monkeypatch, "_reader")
    redis = Redis.from_url(hosts[0])
    line = Line(redis.connection_pool)
    blocked = asyncio.ensure_future(line.ask(b"BLPOP", b"nothing", b"0"))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(blocked, 0.2)
    assert await line.ask(b"INCR", b"number") == b"1"
    with pytest.raises(Exception, match="unknown command"):
        await line.ask(b"NONSENSE")
    assert await line.ask(b"GET", b"number") == b"1"
    assert await line.ask(b"GET", b"nothing") is None
    await line.close()
    await redis.aclose()
