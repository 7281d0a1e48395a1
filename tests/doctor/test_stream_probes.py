"""``manage.py fcs_doctor`` and the process that streams: none, a silent one, one without lease."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from django.test import override_settings
from redis import Redis

from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import CacheStore
from tests.doctor.doctors import Line, Report as Examined, examined
from tests.support.layers import SHARED
from tests.support.network import free_port
from tests.support.redis import redis_server

pytestmark = pytest.mark.usefixtures("no_vendor")

START = "Run manage.py fcs_stream with the settings of this site"
LEASE = "asgi:{fcs}:lease"


@pytest.fixture(autouse=True)
def no_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask no other process: it would have other settings."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")


def shared(folder: Path) -> dict[str, Any]:
    """The settings of a site of many processes, without Redis."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    return {
        "CHANNEL_LAYERS": SHARED,
        "CACHES": {"default": {"BACKEND": backend, "LOCATION": folder}},
        "FCS_OFFLINE_AFTER_SECONDS": 60,
    }


async def beat(
    settings: dict[str, Any], *, age: float = 0, online: bool = True, rendered: int = 0
) -> None:
    """Save what a stream saves once a second."""
    report = Report(time.time(), 1, ("FX:EURUSD_1D",), 1, 2.0, None, True, {}, rendered)
    with override_settings(**settings):
        reason = "" if online else "too many connections"
        await CacheStore("default").asave({}, PathReport(time.time() - age, online, reason), report)


async def doctor(settings: dict[str, Any]) -> Examined:
    channel_layers.backends.clear()
    return await asyncio.to_thread(lambda: examined(**settings))


# -- the stream


async def test_a_site_of_many_processes_without_a_stream_is_broken(tmp_path: Path) -> None:
    report = await doctor(shared(tmp_path))

    assert report["stream"].outcome == "broken"
    assert report["stream"].text == (
        "no stream runs: no heartbeat in cache 'default', none was ever saved"
    )
    assert report["stream"].fix.startswith(START)
    assert "stream" in report.broken


async def test_a_stream_that_has_ended_is_broken(tmp_path: Path) -> None:
    site = shared(tmp_path)
    await beat(site, age=3600)
    line = (await doctor(site))["stream"]

    assert line.outcome == "broken"
    assert "no stream runs" in line.text and "the last one is 3,60" in line.text


async def test_a_stream_without_the_vendor_is_broken_and_says_why(tmp_path: Path) -> None:
    site = shared(tmp_path)
    await beat(site, online=False)
    line = (await doctor(site))["stream"]

    assert line.outcome == "broken"
    assert line.text == "the stream has no connection to the vendor: too many connections"


async def test_a_stream_that_runs_is_told_with_its_rooms(tmp_path: Path) -> None:
    site = shared(tmp_path)
    await beat(site)
    report = await doctor(site)

    assert report["stream"].outcome == "ok"
    assert report["stream"].text.startswith("a stream runs: last heartbeat ")
    assert report["stream"].text.endswith(" s ago, 1 of 1 rooms joined")
    assert report["leader"].text == "because only layers of channels_redis have a lease"


async def test_rooms_that_are_joined_for_pages_alone_are_counted(tmp_path: Path) -> None:
    site = shared(tmp_path)
    await beat(site, rendered=1)
    line = (await doctor(site))["stream"]

    assert line.text.endswith("1 of 1 rooms joined, 1 of them only because pages show them")


async def test_where_the_cache_is_broken_nothing_is_said_of_the_stream(tmp_path: Path) -> None:
    backend = "django.core.cache.backends.dummy.DummyCache"
    report = await doctor({**shared(tmp_path), "CACHES": {"default": {"BACKEND": backend}}})

    assert report["stream"] == Line("skipped", "not tested, because it needs cache", "")


# -- the lease


@pytest.fixture
async def redis(needs_redis: None, tmp_path: Path) -> AsyncIterator[tuple[Redis, dict[str, Any]]]:
    port = free_port()
    address = f"redis://127.0.0.1:{port}/0"
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": address}
    site = {
        "CHANNEL_LAYERS": {"default": {**layer, "CONFIG": {"hosts": [address]}}},
        "CACHES": {"default": cache},
        "FCS_LEASE_SECONDS": 0.5,
        "FCS_OFFLINE_AFTER_SECONDS": 60,
    }
    async with redis_server(port, tmp_path):
        with Redis(port=port) as client:
            yield client, site
    channel_layers.backends.clear()


Site = tuple[Redis, dict[str, Any]]


async def test_redis_without_a_stream_is_not_ok(redis: Site) -> None:
    report = await doctor(redis[1])

    assert report["stream"].outcome == "broken"
    assert report["leader"].text == "because no stream runs, so nobody holds it"


async def test_a_stream_that_holds_the_lease_is_well(redis: Site) -> None:
    client, site = redis
    client.set(LEASE, "a-token")
    await beat(site)

    assert (await doctor(site))["leader"] == Line("ok", "a stream holds the lease", "")


async def test_heartbeats_of_a_stream_with_another_lease_are_told(redis: Site) -> None:
    client, site = redis
    client.set(LEASE, "")  # Redis waits before it lends to anybody.
    await beat(site)
    line = (await doctor(site))["leader"]

    assert (line.outcome, line.text) == (
        "broken",
        "a stream sends heartbeats, but nobody holds the lease",
    )
    assert "same CHANNEL_LAYERS" in line.fix


async def test_a_leader_that_sends_nothing_is_told(redis: Site) -> None:
    client, site = redis
    client.set(LEASE, "a-token")
    await beat(site, age=3600)
    line = (await doctor(site))["leader"]

    assert (line.outcome, line.text) == (
        "broken",
        "a process holds the lease, but sends no heartbeat",
    )


async def test_a_lease_that_may_not_be_read_is_told(redis: Site) -> None:
    client, site = redis
    client.hset(LEASE, "a", "hash")
    line = (await doctor(site))["leader"]

    assert line.outcome == "broken"
    assert "WRONGTYPE" in line.text
    assert "read and write the keys of the lease" in line.fix
