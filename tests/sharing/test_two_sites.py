"""Two sites on one Redis: whatever the one sends, the other does not receive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers, get_channel_layer
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.test import override_settings

from django_fcs import site
from django_fcs.layer import bus
from django_fcs.layer.bus import DEMAND, HUBS, Announcement, Beat, Bus, RoomNotice, lease_line
from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import CacheStore, LastValue
from django_fcs.rooms import Room
from django_fcs.sharing.fingerprint import fingerprint
from django_fcs.site import site_store
from django_fcs.streaming.lease import _SERVER, Lease, lease_keys
from tests.layer.test_bus import events_of, following, update
from tests.sharing.test_databases import layers
from tests.support.checked import PUBSUB
from tests.support.network import free_port
from tests.support.redis import redis_server
from tests.test_checks import CORE

pytestmark = pytest.mark.usefixtures("clean_loop", "needs_redis")

EURUSD = Room("FX:EURUSD", "1D")
PATH = PathReport(1000.5, online=True, reason="")


class OwnPubSub(RedisPubSubChannelLayer):  # type: ignore[misc]
    """A layer of the site's own, whose database no setting tells."""


class OwnCore(RedisChannelLayer):  # type: ignore[misc]
    """The same over the other layer."""


OWN = {PUBSUB: f"{__name__}.OwnPubSub", CORE: f"{__name__}.OwnCore"}


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    port = free_port()
    async with redis_server(port, tmp_path):
        yield port


@contextmanager
def a_site(port: int, database: int, backend: str, **settings: Any) -> Iterator[None]:
    host = {"address": f"redis://127.0.0.1:{port}/{database}", "socket_timeout": None}
    cache = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://127.0.0.1:{port}/8",
    }
    with override_settings(
        CHANNEL_LAYERS=layers([host], backend), CACHES={"default": cache}, **settings
    ):
        channel_layers.backends.clear()
        yield
    channel_layers.backends.clear()


SITES: dict[str, list[tuple[int, dict[str, Any]]]] = {
    "databases": [(0, {}), (1, {})],
    "marks": [(0, {"FCS_SITE": "one"}), (0, {"FCS_SITE": "two"})],
}
both_layers = pytest.mark.parametrize("backend", [PUBSUB, CORE], ids=["pubsub", "core"])
both_ways = pytest.mark.parametrize("way", SITES)


async def say_everything(speaker: Bus, *, epoch: int) -> None:
    await speaker.publish([update(EURUSD, seq=epoch)])
    await speaker.beat(Beat(epoch, PATH))
    await speaker.tell(RoomNotice(EURUSD, "", None, f"of {epoch}"))
    await speaker.announce(Announcement(f"hub {epoch}", (EURUSD,), ()))


@both_layers
@both_ways
async def test_nothing_of_one_site_reaches_the_other(way: str, backend: str, port: int) -> None:
    """Prices, heartbeats with their epoch, notices and demand."""
    (first, of_first), (second, of_second) = SITES[way]
    with a_site(port, first, backend, **of_first):
        async with events_of(HUBS) as (hub, heard), events_of(DEMAND) as (stream, calls):
            await hub.subscribe([EURUSD])
            with a_site(port, second, backend, **of_second):
                async with Bus(HUBS, DEMAND) as other:
                    await say_everything(other, epoch=9)
            await say_everything(stream, epoch=5)
            said = [await following(heard) for _ in range(3)]
            demanded = await following(calls)

    assert update(EURUSD, seq=5) in said and Beat(5, PATH) in said
    assert RoomNotice(EURUSD, "", None, "of 5") in said
    assert isinstance(demanded, Announcement) and demanded.hub == "hub 5"


@both_ways
async def test_the_sites_own_consumers_hear_their_own_site(way: str, port: int) -> None:
    (first, of_first), (second, of_second) = SITES[way]
    with a_site(port, first, PUBSUB, **of_first):
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(EURUSD.group, channel)
        with a_site(port, second, PUBSUB, **of_second):
            async with Bus(HUBS) as other:
                await other.publish([update(EURUSD, seq=9)])
        async with Bus(HUBS) as own:
            await own.publish([update(EURUSD, seq=5)])
        heard = await asyncio.wait_for(layer.receive(channel), 60)
        await layer.flush()

    assert heard == update(EURUSD, seq=5).event()


@both_layers
@both_ways
async def test_each_site_has_a_leader(way: str, backend: str, port: int) -> None:
    (first, of_first), (second, of_second) = SITES[way]
    async with leading(port, first, backend, of_first) as one:
        async with leading(port, second, backend, of_second) as two:
            assert one.is_held and two.is_held


@asynccontextmanager
async def leading(
    port: int, database: int, backend: str, settings: dict[str, Any]
) -> AsyncIterator[Lease]:
    with a_site(port, database, backend, **settings):
        found = lease_line()
        assert found is not None
        line, prefix = found
        run = await line.ask(b"EVAL", _SERVER + b"return server", b"0")
        assert isinstance(run, bytes)
        keys = lease_keys(prefix)
        await line.ask(b"MSET", keys[1], b"1", keys[3], run)
        async with Lease(line, seconds=20, prefix=prefix, site=fingerprint()) as lease:
            await asyncio.wait_for(lease.acquire(), 10)
            yield lease


@both_ways
async def test_no_site_reads_the_prices_that_the_other_saved(
    way: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, of_first), (second, of_second) = SITES[way]
    with a_site(port, first, PUBSUB, **of_first):
        store = site_store()
        assert isinstance(store, CacheStore)
        store.save({EURUSD: LastValue("{}")}, PATH)
        assert store.load([EURUSD]) == ({EURUSD: LastValue("{}")}, PATH)
    monkeypatch.setattr(site, "_caches", {})
    with a_site(port, second, PUBSUB, **of_second):
        assert site_store().load([EURUSD]) == ({}, None)
        assert site_store().report() == (None, None)


# -- a layer of the site's own


@both_layers
async def test_a_database_that_no_setting_tells_is_an_error_in_the_log_once(
    backend: str, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    bus._complain_once.cache_clear()
    with a_site(port, 1, OWN[backend]):
        for _ in range(2):
            async with Bus(HUBS):
                pass
        assert "database 1" in bus.database_mistaken()

    (record,) = [record for record in caplog.records if "database" in record.getMessage()]
    assert record.levelno == logging.ERROR and "set FCS_SITE" in record.getMessage()


@both_layers
@pytest.mark.parametrize(
    ("database", "own", "settings"),
    [(0, True, {}), (1, True, {"FCS_SITE": "shop"}), (0, False, {}), (1, False, {})],
)
async def test_where_the_settings_are_right_nothing_is_said(
    database: int,
    own: bool,
    settings: dict[str, Any],
    backend: str,
    port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with a_site(port, database, OWN[backend] if own else backend, **settings):
        async with Bus(HUBS):
            pass
        assert bus.database_mistaken() == ""

    assert not [record for record in caplog.records if "database" in record.getMessage()]
