"""Stores: last values that outlive a process, in memory and in a cache."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.test import override_settings

from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.minutes import Minutes
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import KEEP_SECONDS, CacheStore, MemoryStore, Seen, Store
from django_fcs.rooms import Room
from tests.support.caches import BEAT, EURUSD, NOTHING, OTHER, USDJPY, VALUE, SickCache

pytestmark = pytest.mark.versions

REPORT = Report(
    at=1700000000.5,
    epoch=1700000000000,
    rooms=("FX:EURUSD_1D", "FX:USDJPY_60"),
    joined=1,
    updates_per_second=2.5,
    last_at=None,
    leader=True,
    counts={"stream_merged": 3},
)

LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


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


@pytest.mark.parametrize(("answer", "is_kept"), [([], True), (None, True), (["a key"], False)])
async def test_it_is_told_whether_all_was_kept(
    cache: type[SickCache], monkeypatch: pytest.MonkeyPatch, answer: list[str] | None, is_kept: bool
) -> None:
    """Django's caches return the keys that they did not take, others may return nothing."""
    monkeypatch.setattr(cache, "set_many", lambda self, data, timeout: answer)

    assert await CacheStore("default").asave({EURUSD: VALUE}, BEAT) is is_kept


async def test_the_async_side_is_the_same_store(any_store: Store) -> None:
    await any_store.asave({EURUSD: VALUE}, BEAT)

    assert await any_store.aload([EURUSD, USDJPY]) == ({EURUSD: VALUE}, BEAT)
    assert any_store.load([EURUSD]) == ({EURUSD: VALUE}, BEAT)


def test_a_beat_alone_keeps_the_values(any_store: Store) -> None:
    any_store.save({EURUSD: VALUE}, BEAT)
    later = PathReport(1700000003, online=True, reason="")
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

    later = PathReport(1700000003, online=True, reason="")
    await any_store.asave({}, later)
    assert any_store.report() == (later, REPORT)


async def test_the_minutes_of_a_room_are_kept_beside_its_value(any_store: Store) -> None:
    minutes = Minutes(28_000_000, (1.1, None, 1.2))
    assert await any_store.arecall([EURUSD]) == {}
    await any_store.asave({EURUSD: VALUE}, BEAT, None, {EURUSD: minutes})
    await any_store.asave({EURUSD: OTHER, USDJPY: OTHER}, BEAT)

    assert await any_store.arecall([EURUSD, USDJPY]) == {EURUSD: minutes}
    seen = Seen({EURUSD: OTHER, USDJPY: OTHER}, BEAT, {EURUSD: minutes})
    assert any_store.see([EURUSD, USDJPY]) == await any_store.asee([EURUSD, USDJPY]) == seen
    assert any_store.load([EURUSD]) == ({EURUSD: OTHER}, BEAT)


# -- in memory


def test_memory_is_bounded_and_forgets_what_was_longest_not_written() -> None:
    store = MemoryStore(rooms_max=2)
    third = Room("FX:GBPUSD", "1D")
    for room in (EURUSD, USDJPY, EURUSD, third):
        store.save({room: VALUE}, BEAT)

    assert store.load([EURUSD, USDJPY, third])[0].keys() == {EURUSD, third}


async def test_so_are_the_minutes_in_memory_and_they_are_forgotten_with_the_rest() -> None:
    store, minutes = MemoryStore(rooms_max=2), Minutes(28_000_000, (1.1,))
    third = Room("FX:GBPUSD", "1D")
    for room in (EURUSD, USDJPY, EURUSD, third):
        await store.asave({}, BEAT, None, {room: minutes})

    assert (await store.arecall([EURUSD, USDJPY, third]) or {}).keys() == {EURUSD, third}
    store.clear()
    assert await store.arecall([EURUSD]) == {}


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
        "fcs:4:fcs.FX.EURUSD.1D": {
            "text": '{"c":1.5}',
            "expected": {
                "closed": False,
                "patience": 0.0,
                "since": None,
                "until": None,
                "overdue": False,
            },
            "ended": None,
        },
        "fcs:4:beat": {
            "at": 1700000000.25,
            "online": False,
            "reason": "no route",
            "outage": {"lost_at": 0.0, "ended_at": 0.0, "before": 0.0},
            "silence": 0.0,
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


async def test_minutes_cost_no_call_of_their_own(cache: type[SickCache]) -> None:
    store = CacheStore("default")
    await store.asave({EURUSD: VALUE}, BEAT, None, {EURUSD: Minutes(28_000_000, (1.1,))})
    store.see([EURUSD])

    assert cache.calls == ["set_many", "get_many"]
    assert json.loads(cache.kept["fcs:4:minutes:fcs.FX.EURUSD.1D"])["closes"] == [1.1]


async def test_a_sick_cache_is_told_from_one_without_minutes(cache: type[SickCache]) -> None:
    store = CacheStore("default")
    assert await store.arecall([EURUSD]) == {}
    cache.error = OSError("no route")
    assert await store.arecall([EURUSD]) is None
    assert store.see([EURUSD]) == await store.asee([EURUSD]) == Seen({}, None, {})


async def test_a_report_costs_no_call_of_its_own(cache: type[SickCache]) -> None:
    store = CacheStore("default")
    await store.asave({EURUSD: VALUE}, BEAT, REPORT)
    store.report()

    assert cache.calls == ["set_many", "get_many"]


@pytest.mark.parametrize(
    "junk",
    ["", "junk", "[]", '{"text":5}', b"\xff", 5, None, ["x"], '{"text":"\ud800"}', object()],
)
def test_junk_in_the_cache_counts_as_nothing(cache: type[SickCache], junk: object) -> None:
    store = CacheStore("default")
    store.save({USDJPY: OTHER}, BEAT)
    cache.kept["fcs:4:fcs.FX.EURUSD.1D"] = junk

    assert store.load([EURUSD, USDJPY]) == ({USDJPY: OTHER}, BEAT)
    cache.kept["fcs:4:beat"] = junk
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
