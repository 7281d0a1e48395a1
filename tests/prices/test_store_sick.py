"""A cache that fails or hangs: no caller sees it, waits for it or queues up behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from django_fcs.prices.calls import REST_SECONDS
from django_fcs.prices.store import CacheStore
from tests.support.caches import BEAT, EURUSD, NOTHING, VALUE, SickCache

pytestmark = pytest.mark.versions


class Now:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hanging(cache: type[SickCache]) -> type[SickCache]:
    cache.released.clear()
    return cache


Call = Callable[[CacheStore], Any]


def save(store: CacheStore) -> Any:
    return store.save({EURUSD: VALUE}, BEAT)


def load(store: CacheStore) -> Any:
    return store.load([EURUSD])


def asave(store: CacheStore) -> Any:
    return asyncio.run(store.asave({EURUSD: VALUE}, BEAT))


def aload(store: CacheStore) -> Any:
    return asyncio.run(store.aload([EURUSD]))


CALLS = [(save, None), (load, NOTHING), (asave, False), (aload, NOTHING)]


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
    assert call(CacheStore("default", patience=0.01)) == nothing

    (record,) = [one for one in caplog.records if one.name.startswith("django_fcs")]
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
    with caplog.at_level(logging.WARNING, "django_fcs.prices.calls"):
        for error in (ConnectionError("refused"), ConnectionError("again"), None, OSError("new")):
            cache.error = error
            now.seconds += REST_SECONDS
            load(store)

    assert [record.getMessage() for record in caplog.records] == [
        "cache failed alias=default reason=ConnectionError('refused')",
        "cache failed alias=default reason=OSError('new')",
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
    store = CacheStore("default", patience=0.01, monotonic=now)
    for _ in range(5):
        call(store)
        now.seconds += REST_SECONDS
    hanging.released.set()
    store._calls._thread.submit(lambda: None).result(5)

    assert hanging.calls == ["get_many"]


async def test_the_loop_goes_on_while_a_cache_hangs(
    hanging: type[SickCache],
) -> None:
    loading = asyncio.create_task(CacheStore("default", patience=60).aload([EURUSD]))
    await asyncio.sleep(0)

    assert not loading.done()
    hanging.released.set()
    assert await loading == NOTHING


async def test_who_is_cancelled_while_a_cache_hangs_is_cancelled(
    hanging: type[SickCache],
) -> None:
    loading = asyncio.create_task(CacheStore("default", patience=60).aload([EURUSD]))
    await asyncio.sleep(0)
    loading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await loading


def test_a_sick_cache_has_no_report_and_says_why_until_it_is_well(cache: type[SickCache]) -> None:
    now = Now()
    store = CacheStore("default", monotonic=now)
    assert store.failure == ""
    cache.error = OSError("no route")
    assert store.report() == (None, None)
    assert "no route" in store.failure
    now.seconds += REST_SECONDS
    cache.error = None
    store.report()
    assert store.failure == ""
