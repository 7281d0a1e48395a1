"""Fixtures that give each test a site, a vendor and a clean event loop."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from django.core.cache import caches
from django.core.checks.registry import registry
from django.test import override_settings
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from django_fcs import consumers, embedded, site
from django_fcs.candles import reading
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import MemoryCandles
from django_fcs.fanout import subscriber
from django_fcs.fanout.hub import Hub
from django_fcs.prices import rendered
from django_fcs.prices.store import MemoryStore
from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.testing import end_streams
from django_fcs.tools import metrics
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.worker import Worker
from django_fcs.widgets import context, figures, refusals, rows, tiles
from tests.support import redis
from tests.support.caches import SICK, SickCache
from tests.support.databases import site_with_candles, sqlite
from tests.support.layers import SHARED, SharedLayer

# How long an example takes says more of the machine than of the code.
# Half of the usual examples: `make fuzz` looks further.
settings.register_profile(
    "patient", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
# For environments that run each example several times slower: --hypothesis-profile=brief.
settings.register_profile("brief", settings.get_profile("patient"), max_examples=25)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import the files without a test that ``-m versions`` selects: most of all files."""
    if config.getoption("markexpr") != "versions" or not collection_path.match("test_*.py"):
        return None
    return True if "pytest.mark.versions" not in collection_path.read_text("utf-8") else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector off what stays to the end: all the tests and their modules."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


class IdleWorker(Worker):
    """A thread that does nothing."""

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        return Future()


@pytest.fixture(autouse=True)
def checks_of_this_test() -> Iterator[None]:
    """Forget the checks of apps that only this test installs: they fail without their app."""
    before = set(registry.registered_checks)
    yield
    registry.registered_checks = before


@pytest.fixture(scope="session")
def needs_redis() -> None:
    """Skip where there is no ``redis-server``, or fail where it is required."""
    if not redis.is_there():
        (pytest.fail if redis.is_required() else pytest.skip)(redis.MISSING)


@pytest.fixture
def candles_in_sqlite(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A site that has ``django_fcs.candles``, with an empty table in SQLite."""
    with django_db_blocker.unblock(), site_with_candles(sqlite(tmp_path)):
        yield


@pytest.fixture(autouse=True)
def fresh_site(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A site that knows no price yet: what is kept beside the settings starts empty."""
    monkeypatch.setattr(site, "_memory", MemoryStore())
    monkeypatch.setattr(site, "_caches", {})
    monkeypatch.setattr(site, "_recent", None)
    monkeypatch.setattr(reading, "_memory", MemoryCandles())
    monkeypatch.setattr(reading, "_caches", {})
    monkeypatch.setattr(reading, "_saved", SavedCandles())
    for module in (consumers, embedded, subscriber, site, context, figures, refusals, rows, tiles):
        monkeypatch.setattr(module, "_complaints", Complaints())
    # What a page shows is written a second later, which may be in another test.
    monkeypatch.setattr(rendered, "Worker", IdleWorker)
    monkeypatch.setattr(metrics, "_counts", Counter())
    monkeypatch.setattr(metrics, "_distributions", {})
    monkeypatch.setattr(metrics, "_readers", {})
    channel_layers.backends.clear()
    caches["default"].clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
async def clean_loop() -> AsyncIterator[None]:
    """End the hub and the stream of the test's loop; whatever else still runs is a leak."""
    yield
    await end_streams()
    loop = asyncio.get_running_loop()
    Hub._hubs.pop(loop, None)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"still running: {left}"


@pytest.fixture
def shared_layer() -> Iterator[type[SharedLayer]]:
    """A site of many processes, as far as its channel layer can tell."""
    SharedLayer.reset()
    with override_settings(CHANNEL_LAYERS=SHARED):
        yield SharedLayer
    SharedLayer.reset()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A vendor in whose market nothing happens by itself."""
    async with Simulator(RandomWalk(rate=0)) as simulator:
        yield simulator


@pytest.fixture
def open_site() -> Iterator[None]:
    """A site that lets everybody see all currencies, and nothing else."""
    with override_settings(FCS_ALLOWED_SYMBOLS=["FX:*"]):
        yield


@pytest.fixture
def cache() -> Iterator[type[SickCache]]:
    """The cache of a site, in perfect health at first."""
    SickCache.error = None
    SickCache.calls.clear()
    SickCache.kept.clear()
    SickCache.released.set()
    with override_settings(CACHES=SICK):
        yield SickCache
    SickCache.released.set()
