"""Stores: last values that outlive a process, and caches that fail without harm."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.test import override_settings

from django_fcs import store as module
from django_fcs.exceptions import ConfigurationError
from django_fcs.reports import Report
from django_fcs.rooms import Room
from django_fcs.states import Expectation
from django_fcs.store import (
    KEEP_SECONDS,
    REST_SECONDS,
    CacheStore,
    LastBeat,
    LastValue,
    MemoryStore,
    Store,
)

EURUSD, USDJPY = Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "60")
EXPECTED = Expectation(True, 90.0, 1e9, 2e9)
VALUE, OTHER = LastValue('{"c":1.5}'), LastValue('{"c":"“é”"}', EXPECTED)
BEAT = LastBeat(1700000000.25, online=False, reason="no route")

REPORT = Report(
    at=1700000000.5,
    epoch=1700000000000,
    rooms=("FX:EURUSD_1D", "FX:USDJPY_60"),
    joined=1,
    updates_per_second=2.5,
    last_at=None,
    leader=None,
    counts={"stream_merged": 3},
)

NOTHING: tuple[dict[Room, LastValue], None] = ({}, None)


class SickCache(BaseCache):
    """A cache that works, fails, or hangs until it is let go."""

    error: Exception | None = None
    released = threading.Event()
    calls: list[str] = []
    kept: dict[str, Any] = {}

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _suffer(self, name: str) -> None:
        self.calls.append(name)
        self.released.wait()
        if self.error is not None:
            raise self.error

    def set_many(self, data: Mapping[str, Any], timeout: Any = 0, version: Any = None) -> list[str]:
        self._suffer("set_many")
        self.kept.update(data)
        return []

    def get_many(self, keys: Iterable[str], version: Any = None) -> dict[str, Any]:
        self._suffer("get_many")
        return {key: self.kept[key] for key in keys if key in self.kept}


SICK = {"default": {"BACKEND": "tests.test_store.SickCache"}}
LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


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


@pytest.fixture
def hanging(cache: type[SickCache], monkeypatch: pytest.MonkeyPatch) -> type[SickCache]:
    cache.released.clear()
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.01)
    return cache


class Now:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["memory", "cache"])
def any_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with override_settings(CACHES=LOCAL):
        yield MemoryStore() if request.param == "memory" else CacheStore("default")
        caches["default"].clear()


# -- either store


def test_an_empty_store_knows_nothing(any_store: Store) -> None:
    assert any_store.load([EURUSD]) == NOTHING
    assert any_store.load([]) == NOTHING


def test_what_is_saved_is_loaded(any_store: Store) -> None:
    any_store.save({EURUSD: VALUE, USDJPY: OTHER}, BEAT)

    assert any_store.load([USDJPY]) == ({USDJPY: OTHER}, BEAT)
    assert any_store.load([EURUSD, USDJPY]) == ({EURUSD: VALUE, USDJPY: OTHER}, BEAT)
    assert any_store.load(iter([EURUSD])) == ({EURUSD: VALUE}, BEAT)


async def test_the_async_side_is_the_same_store(any_store: Store) -> None:
    await any_store.asave({EURUSD: VALUE}, BEAT)

    assert await any_store.aload([EURUSD, USDJPY]) == ({EURUSD: VALUE}, BEAT)
    assert any_store.load([EURUSD]) == ({EURUSD: VALUE}, BEAT)


def test_a_beat_alone_keeps_the_values(any_store: Store) -> None:
    any_store.save({EURUSD: VALUE}, BEAT)
    later = LastBeat(1700000003, online=True, reason="")
    any_store.save({}, later)

    assert any_store.load([EURUSD]) == ({EURUSD: VALUE}, later)


def test_a_newer_value_takes_the_place_of_an_older_one(any_store: Store) -> None:
    any_store.save({EURUSD: VALUE}, BEAT)
    any_store.save({EURUSD: OTHER}, BEAT)

    assert any_store.load([EURUSD]) == ({EURUSD: OTHER}, BEAT)


async def test_the_last_report_of_the_stream_is_kept_beside_the_beat(any_store: Store) -> None:
    assert any_store.report() == (None, None)
    await any_store.asave({}, BEAT, REPORT)
    assert any_store.report() == (BEAT, REPORT)

    later = LastBeat(1700000003, online=True, reason="")
    await any_store.asave({}, later)
    assert any_store.report() == (later, REPORT)


# -- in memory


def test_memory_is_bounded_and_forgets_what_was_longest_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MEMORY_ROOMS", 2)
    store = MemoryStore()
    third = Room("FX:GBPUSD", "1D")
    for room in (EURUSD, USDJPY, EURUSD, third):
        store.save({room: VALUE}, BEAT)

    assert store.load([EURUSD, USDJPY, third])[0].keys() == {EURUSD, third}


# -- in a cache


def test_two_processes_share_what_is_in_the_cache() -> None:
    with override_settings(CACHES=LOCAL):
        CacheStore("default").save({EURUSD: VALUE}, BEAT)

        assert CacheStore("default").load([EURUSD]) == ({EURUSD: VALUE}, BEAT)
        caches["default"].clear()


def test_the_cache_holds_json_under_versioned_keys_for_a_week(cache: type[SickCache]) -> None:
    CacheStore("default").save({EURUSD: VALUE}, BEAT)

    assert KEEP_SECONDS == 7 * 24 * 3600
    assert {key: json.loads(text) for key, text in cache.kept.items()} == {
        "fcs:2:fcs.FX.EURUSD.1D": {
            "text": '{"c":1.5}',
            "expected": [False, 0.0, None, None, False],
        },
        "fcs:2:beat": {
            "at": 1700000000.25,
            "online": False,
            "reason": "no route",
            "outage": [0.0, 0.0],
        },
    }


def test_values_are_kept_longer_than_django_keeps_by_default(
    cache: type[SickCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts = []
    monkeypatch.setattr(
        cache, "set_many", lambda self, data, timeout: timeouts.append(timeout), raising=True
    )
    CacheStore("default").save({EURUSD: VALUE}, BEAT)

    assert timeouts == [KEEP_SECONDS]


def test_all_values_and_the_beat_are_one_call_to_the_cache(cache: type[SickCache]) -> None:
    store = CacheStore("default")
    store.save({EURUSD: VALUE, USDJPY: OTHER}, BEAT)
    store.load([EURUSD, USDJPY])

    assert cache.calls == ["set_many", "get_many"]


async def test_a_report_costs_no_call_of_its_own(cache: type[SickCache]) -> None:
    store = CacheStore("default")
    await store.asave({EURUSD: VALUE}, BEAT, REPORT)
    store.report()

    assert cache.calls == ["set_many", "get_many"]


def test_a_sick_cache_has_no_report_and_says_why_until_it_is_well(cache: type[SickCache]) -> None:
    now = Now()
    store = CacheStore("default", monotonic=now)
    assert store.sickness == ""
    cache.error = OSError("no route")
    assert store.report() == (None, None)
    assert "no route" in store.sickness
    now.seconds += REST_SECONDS
    cache.error = None
    store.report()
    assert store.sickness == ""


@pytest.mark.parametrize("junk", ["", "junk", "[]", '{"text":5}', b"\xff", 5, None, ["x"]])
def test_junk_in_the_cache_counts_as_nothing(cache: type[SickCache], junk: object) -> None:
    store = CacheStore("default")
    store.save({USDJPY: OTHER}, BEAT)
    cache.kept["fcs:2:fcs.FX.EURUSD.1D"] = junk

    assert store.load([EURUSD, USDJPY]) == ({USDJPY: OTHER}, BEAT)
    cache.kept["fcs:2:beat"] = junk
    assert store.load([USDJPY]) == ({USDJPY: OTHER}, None)


def test_the_cache_is_the_one_that_the_site_names() -> None:
    prices = {**LOCAL["default"], "LOCATION": "prices"}
    with override_settings(CACHES={**LOCAL, "prices": prices}):
        CacheStore("prices").save({EURUSD: VALUE}, BEAT)

        assert CacheStore("default").load([EURUSD]) == NOTHING
        assert CacheStore("prices").load([EURUSD]) == ({EURUSD: VALUE}, BEAT)
        caches["prices"].clear()


def test_a_cache_that_the_site_does_not_have_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'nowhere': CACHES has no 'nowhere'"):
        CacheStore("nowhere")


@override_settings(CACHES={"default": {"BACKEND": "no.such.Cache"}})
def test_a_cache_that_cannot_be_made_is_an_error_of_the_settings() -> None:
    with pytest.raises(ConfigurationError, match="FCS_CACHE names 'default': .*no.such.Cache"):
        CacheStore("default")


# -- a cache that fails

Call = Callable[[CacheStore], Any]


def save(store: CacheStore) -> Any:
    return store.save({EURUSD: VALUE}, BEAT)


def load(store: CacheStore) -> Any:
    return store.load([EURUSD])


def asave(store: CacheStore) -> Any:
    return asyncio.run(store.asave({EURUSD: VALUE}, BEAT))


def aload(store: CacheStore) -> Any:
    return asyncio.run(store.aload([EURUSD]))


CALLS = [(save, None), (load, NOTHING), (asave, None), (aload, NOTHING)]


@pytest.mark.parametrize(("call", "nothing"), CALLS)
def test_no_caller_sees_the_error_of_a_dead_cache(
    cache: type[SickCache], call: Call, nothing: object
) -> None:
    cache.error = ConnectionError("refused")

    assert call(CacheStore("default")) == nothing


@pytest.mark.parametrize(("call", "nothing"), CALLS)
def test_no_caller_waits_for_a_cache_that_hangs(
    hanging: type[SickCache], call: Call, nothing: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert call(CacheStore("default")) == nothing

    (record,) = caplog.records
    assert "alias=default reason=no answer in 0.01 s" in record.getMessage()


@pytest.mark.parametrize(("call", "nothing"), CALLS)
def test_a_sick_cache_is_left_alone_for_a_while_and_then_asked_again(
    cache: type[SickCache], call: Call, nothing: object
) -> None:
    now = Now()
    store = CacheStore("default", monotonic=now)
    cache.error = ConnectionError("refused")
    call(store)
    cache.calls.clear()

    now.seconds += REST_SECONDS - 0.1
    assert call(store) == nothing
    assert cache.calls == []
    now.seconds += 0.1
    cache.error = None
    store.save({EURUSD: VALUE}, BEAT)
    assert store.load([EURUSD]) == ({EURUSD: VALUE}, BEAT)


def test_a_sickness_is_logged_once_and_the_next_one_again(
    cache: type[SickCache], caplog: pytest.LogCaptureFixture
) -> None:
    now = Now()
    store = CacheStore("default", monotonic=now)
    with caplog.at_level(logging.WARNING, "django_fcs.store"):
        for error in (ConnectionError("refused"), ConnectionError("again"), None, OSError("new")):
            cache.error = error
            now.seconds += REST_SECONDS
            load(store)

    assert [record.getMessage() for record in caplog.records] == [
        "cache does not work alias=default reason=ConnectionError('refused')",
        "cache does not work alias=default reason=OSError('new')",
    ]


@pytest.mark.parametrize("call", [save, asave])
def test_a_cache_that_was_well_again_is_told_sick_anew(
    cache: type[SickCache], caplog: pytest.LogCaptureFixture, call: Call
) -> None:
    now = Now()
    store = CacheStore("default", monotonic=now)
    for error in (OSError("first"), None, OSError("second")):
        cache.error = error
        now.seconds += REST_SECONDS
        call(store)

    assert len(caplog.records) == 2


@pytest.mark.parametrize("call", [load, aload])
def test_calls_do_not_queue_up_behind_one_that_hangs(hanging: type[SickCache], call: Call) -> None:
    now = Now()
    store = CacheStore("default", monotonic=now)
    for _ in range(5):
        call(store)
        now.seconds += REST_SECONDS
    hanging.released.set()
    store._thread.submit(lambda: None).result(5)

    assert hanging.calls == ["get_many"]


async def test_the_loop_goes_on_while_a_cache_hangs(
    hanging: type[SickCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 60)
    loading = asyncio.create_task(CacheStore("default").aload([EURUSD]))
    await asyncio.sleep(0)

    assert not loading.done()
    hanging.released.set()
    assert await loading == NOTHING


async def test_who_is_cancelled_while_a_cache_hangs_is_cancelled(
    hanging: type[SickCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 60)
    loading = asyncio.create_task(CacheStore("default").aload([EURUSD]))
    await asyncio.sleep(0)
    loading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await loading
