"""Stores of candles and of the account, in memory and in a cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.core.cache import caches
from django.test import override_settings
from hypothesis import HealthCheck, given, settings, strategies as st

from django_fcs.candles import stores
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.ledger import Account
from django_fcs.candles.series import Series
from django_fcs.candles.stores import KEEP_SECONDS, CachedCandles, CandleStore, MemoryCandles
from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.calls import REST_SECONDS
from django_fcs.prices.entries import encode
from django_fcs.prices.store import CacheStore, LastValue
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from tests.support.caches import BEAT, SickCache

pytestmark = pytest.mark.versions

HOUR = 3600
START = 1_795_302_000
EURUSD, USDJPY = Room("FX:EURUSD", "60"), Room("FX:USDJPY", "60")
LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

ACCOUNT = Account(
    month="2026-11", spent=123, asked=(1.5, 2.25), closed_until=9.5, reason="rate", epoch=7
)


def kept(count: int = 3, *, c: float = 1.084) -> Kept:
    series = Series("60", keep=600)
    for number in range(count):
        bar = Bar(START + HOUR * number, 1.0841, 1.09, 1.08, c, None)
        series.put(bar, rank=Rank.LIVE, at=START + HOUR * number + 1.5)
    series.joined.add(START, START + HOUR)
    return Kept.of(series, saved_at=START + HOUR * count, missing=((5, 9),), note="until noon")


@pytest.fixture(params=["memory", "cache"])
def any_store(request: pytest.FixtureRequest) -> Iterator[CandleStore]:
    with override_settings(CACHES=LOCAL):
        yield MemoryCandles() if request.param == "memory" else CachedCandles("default")
        caches["default"].clear()


# -- either store


async def test_an_empty_store_answers_that_it_has_nothing(any_store: CandleStore) -> None:
    assert any_store.load([EURUSD]) == await any_store.aload([EURUSD]) == {}
    assert any_store.account() is None
    assert await any_store.aaccount() == (True, None)
    assert any_store.failure == ""


async def test_what_is_saved_is_loaded(any_store: CandleStore) -> None:
    both = {EURUSD: kept(3), USDJPY: kept(200, c=1.085)}
    assert await any_store.asave(both)
    assert await any_store.asave_account(ACCOUNT)

    assert any_store.load([USDJPY, Room("FX:EURUSD", "1D")]) == {USDJPY: both[USDJPY]}
    assert await any_store.aload(iter([EURUSD, USDJPY])) == both
    assert any_store.account() == ACCOUNT
    assert await any_store.aaccount() == (True, ACCOUNT)


async def test_many_rooms_are_saved_and_loaded(any_store: CandleStore) -> None:
    rooms = {Room(f"FX:AAA{number}", "60"): kept(number % 4) for number in range(50)}

    assert await any_store.asave(rooms)
    assert any_store.load(rooms) == await any_store.aload(rooms) == rooms


async def test_memory_keeps_the_rooms_that_were_saved_last() -> None:
    store = MemoryCandles(rooms_max=2)
    third = Room("FX:GBPUSD", "60")
    for room in (EURUSD, USDJPY, EURUSD, third):
        await store.asave({room: kept()})

    assert store.load([EURUSD, USDJPY, third]).keys() == {EURUSD, third}
    await store.asave_account(ACCOUNT)
    store.clear()
    assert store.load([EURUSD]) == {} and store.account() is None
    assert (store.is_lasting, CachedCandles("default").is_lasting) == (False, True)


# -- in a cache


async def test_the_cache_holds_bytes_under_versioned_keys_for_thirty_days(
    cache: type[SickCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts = []

    def noted(self: SickCache, data: dict[str, Any], timeout: int) -> None:
        timeouts.append(timeout)
        self.kept.update(data)

    monkeypatch.setattr(cache, "set_many", noted)
    store = CachedCandles("default")
    await store.asave({EURUSD: kept()})
    await store.asave_account(ACCOUNT)

    assert timeouts == [KEEP_SECONDS] * 2 == [30 * 24 * 3600] * 2
    assert cache.kept == {
        "fcs:4:candles:fcs.FX.EURUSD.60": kept().encode(),
        "fcs:4:ledger": encode(ACCOUNT),
    }
    with override_settings(FCS_SITE="blue"):
        assert store.load([EURUSD]) == {} and store.account() is None
        await store.asave({EURUSD: kept()})
    assert "fcs-blue:4:candles:fcs-blue.FX.EURUSD.60" in cache.kept


async def test_a_call_has_few_rooms_so_that_it_ends_in_time(cache: type[SickCache]) -> None:
    rooms = [Room(f"FX:AAA{number}", "60") for number in range(9)]
    store = CachedCandles("default")
    await store.asave(dict.fromkeys(rooms, kept()))
    await store.aload(rooms)

    assert stores.ROOMS_OF_A_CALL == 4
    assert cache.calls == ["set_many"] * 3 + ["get_many"] * 3


async def test_a_page_gets_candles_and_last_value_in_one_call(cache: type[SickCache]) -> None:
    value = LastValue('{"c":1.5}')
    store = CachedCandles("default")
    assert store.see(EURUSD) == await store.asee(EURUSD) == (None, None)
    CacheStore("default").save({EURUSD: value}, BEAT)
    await store.asave({EURUSD: kept()})
    cache.calls.clear()

    assert store.see(EURUSD) == await store.asee(EURUSD) == (kept(), value)
    assert cache.calls == ["get_many"] * 2


async def test_a_cache_that_fails_is_told_from_one_that_has_nothing(
    cache: type[SickCache],
) -> None:
    now = [0.0]
    store = CachedCandles("default", monotonic=lambda: now[0])
    cache.error = OSError("no route")

    assert await store.aload([EURUSD]) is None
    now[0] += REST_SECONDS
    assert await store.aaccount() == (False, None)
    assert "no route" in store.failure
    for answer in (
        await store.asave({EURUSD: kept()}),
        await store.asave_account(ACCOUNT),
        *(store.load([EURUSD]), store.account(), store.see(EURUSD), await store.asee(EURUSD)),
    ):
        assert not answer
    now[0] += REST_SECONDS
    cache.error = None
    assert await store.asave({EURUSD: kept()})
    assert store.failure == ""


async def test_what_a_cache_did_not_take_is_told(
    cache: type[SickCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "set_many", lambda self, data, timeout: list(data))
    store = CachedCandles("default")

    assert not await store.asave({EURUSD: kept()})
    assert not await store.asave_account(ACCOUNT)
    assert await store.asave({})


def test_a_cache_that_the_site_does_not_have_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'nowhere': CACHES has no 'nowhere'"):
        CachedCandles("nowhere")


def changed(**changes: Any) -> bytes:
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(kept().encode()), **changes})


foreign = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=10),
    st.sampled_from([0, 5.5, True, [], {}, object(), "[" * 100_000, b"\xc1" * 700_000]),
    st.builds(
        changed,
        timeframe=st.sampled_from(["60", "1D", "", 5, None]),
        bars=st.sampled_from([b"x", b"", b"\xff" * 57, "text", None]),
        saved_at=st.sampled_from([1e300, -1.0, None, START]),
    ),
    st.integers(0, len(kept().encode()) - 1).map(lambda length: kept().encode()[:length]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entry=foreign, account=foreign)
def test_whatever_the_cache_holds_no_other_entry_is_affected(
    cache: type[SickCache], entry: Any, account: Any
) -> None:
    cache.kept.clear()
    cache.kept["fcs:4:candles:fcs.FX.EURUSD.60"] = entry
    cache.kept["fcs:4:candles:fcs.FX.USDJPY.60"] = kept().encode()
    cache.kept["fcs:4:ledger"] = account
    store = CachedCandles("default", patience=60)
    before = counts().get("store_malformed", 0)

    found = store.load([EURUSD, USDJPY])
    assert found.pop(USDJPY) == kept()
    for one in found.values():
        assert len(one.series(600).bars()) <= 1
    assert store.account() is None
    assert counts()["store_malformed"] >= before + 1 + (not found)
    assert store.failure == ""


async def test_a_leader_from_before_writes_over_no_account(any_store: CandleStore) -> None:
    later, before = (Account("2026-11", spent, (), 0.0, "", spent) for spent in (7, 6))
    assert await any_store.asave_account(later)

    assert not await any_store.asave_account(before)
    assert any_store.account() == later


async def test_an_account_of_the_far_future_locks_nothing(any_store: CandleStore) -> None:
    assert await any_store.asave_account(Account("2026-11", 1, (), 0.0, "", 2**62))
    account = Account("2026-11", 2, (), 0.0, "", 3)

    assert await any_store.asave_account(account)
    assert any_store.account() == account
