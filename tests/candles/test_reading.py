"""``get_candles`` and ``aget_candles``: what a site knows of a room, without asking anybody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.test import override_settings

from django_fcs.candles import Candle, Candles, aget_candles, get_candles, reading
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.reading import candle_store
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.series import Series
from django_fcs.candles.stores import CachedCandles, MemoryCandles
from django_fcs.exceptions import BadRange, BadSymbol, BadTimeframe
from django_fcs.prices.entries import key_of
from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import LastValue
from django_fcs.protocol import Price, serialise
from django_fcs.rooms import Room
from django_fcs.site import site_store
from django_fcs.testing import push_price
from django_fcs.tools.metrics import counts
from tests.support.caches import SickCache
from tests.support.layers import SharedLayer
from tests.support.waiting import eventually

pytestmark = pytest.mark.versions

ROOM = Room("FX:EURUSD", "60")
HOUR = 3600
#: The hour that is forming now.
NOW = int(time.time()) // HOUR * HOUR

T = TypeVar("T")
Read = Callable[..., Awaitable[Candles]]


async def read_sync(*arguments: Any, **keywords: Any) -> Candles:
    return await in_thread(get_candles, *arguments, **keywords)


async def read_async(*arguments: Any, **keywords: Any) -> Candles:
    try:
        return await aget_candles(*arguments, **keywords)
    finally:
        await sync_to_async(connections.close_all)()


async def in_thread(call: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
    """Make a call as a request without async does: its connections are closed afterwards."""

    def call_and_close() -> T:
        try:
            return call(*arguments, **keywords)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call_and_close)


@pytest.fixture(params=[read_sync, read_async], ids=["get_candles", "aget_candles"])
def read(request: pytest.FixtureRequest) -> Read:
    either: Read = request.param
    return either


@pytest.fixture(params=["memory", "cache"])
def store(request: pytest.FixtureRequest) -> None:
    """A site in one process, and one of several."""
    if request.param == "cache":
        request.getfixturevalue("shared_layer")


def bar(number: int, close: float = 1.5) -> Bar:
    """Return the bar that opened so many hours ago."""
    return Bar(NOW - number * HOUR, 1.5, 2.0, 1.0, close, 7.0)


async def keep(*bars: Bar, room: Room = ROOM, **known: Any) -> None:
    series = Series(room.timeframe, keep=600)
    series.since = known.pop("since", None)
    for one in bars:
        series.put(one, rank=Rank.LIVE, at=NOW - 60.0)
    assert await candle_store().asave({room: Kept.of(series, saved_at=NOW - 60.0, **known)})


async def tick(close: float, *, t: int = NOW, room: Room = ROOM) -> None:
    known: dict[str, Any] = {
        "t": t,
        "o": 1.5,
        "h": 2.0,
        "l": 1.0,
        "c": close,
        "v": 8.0,
        "seq": 1,
        "at": t + 1.0,
    }
    price = Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", **known)
    beat = PathReport(time.time(), online=True, reason="")
    assert await site_store().asave({room: LastValue(serialise(price))}, beat)


@pytest.mark.usefixtures("store")
async def test_a_page_sees_what_is_stored_and_the_live_bar_at_once(read: Read) -> None:
    await keep(bar(2), bar(1), since=NOW - 9 * HOUR)
    await tick(1.7)

    found = await read("FX:EURUSD", "60", limit=2)

    assert found[0] == Candle(NOW - HOUR, 1.5, 2.0, 1.0, 1.5, 7.0, final=True)
    assert found[1] == Candle(NOW, 1.5, 2.0, 1.0, 1.7, 8.0, final=False)
    assert found.more and found.since == NOW - 9 * HOUR and found.room == ROOM


@pytest.mark.usefixtures("store")
async def test_a_room_is_named_in_any_way_that_names_rooms(read: Read) -> None:
    await tick(1.7)
    day = Room("FX:EURUSD", "1D")
    await tick(1.8, room=day)

    for name in (("FX:EURUSD", "1h"), ("FX:EURUSD", "60"), (ROOM,), (ROOM, "1D")):
        assert (await read(*name))[-1].close == 1.7
    assert (await read("FX:EURUSD")).room == day
    with override_settings(FCS_TIMEFRAME="2h"):
        assert (await read("FX:EURUSD"))[-1].close == 1.8


@pytest.mark.parametrize(
    ("error", "name", "numbers"),
    [
        (BadSymbol, ("eurusd", "60"), {}),
        (BadTimeframe, ("FX:EURUSD", "2h"), {}),
        (BadTimeframe, (Room("FX:EURUSD", "2h"),), {}),
        (BadRange, ("FX:EURUSD", "60"), {"limit": 0}),
        (BadRange, ("FX:EURUSD", "60"), {"before": "2026-01-01"}),
    ],
)
async def test_what_cannot_be_asked_for_is_told(
    read: Read, error: type[Exception], name: tuple[Any, ...], numbers: dict[str, Any]
) -> None:
    with pytest.raises(error):
        await read(*name, **numbers)


@pytest.mark.usefixtures("store")
async def test_times_are_those_of_the_clock_of_the_stream(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tick(1.7, t=NOW + 9 * HOUR)
    assert len(await read(ROOM)) == 0

    monkeypatch.setattr(site_store().offset, "seconds", -9.0 * HOUR)
    assert len(await read(ROOM)) == 1


async def test_a_price_that_a_test_of_a_site_sets_is_the_newest_candle(read: Read) -> None:
    await push_price(ROOM, close=1.0842)

    [candle] = await read(ROOM)
    assert candle.close == 1.0842 and not candle.final


# -- the store


def test_candles_are_kept_where_prices_are(shared_layer: type[SharedLayer]) -> None:
    store = candle_store()

    assert isinstance(store, CachedCandles) and candle_store() is store


def test_a_site_in_one_process_keeps_candles_in_memory() -> None:
    assert isinstance(candle_store(), MemoryCandles) and candle_store() is candle_store()


async def test_one_page_is_one_round_trip(
    read: Read, shared_layer: type[SharedLayer], cache: type[SickCache]
) -> None:
    await keep(bar(1))
    await tick(1.7)
    cache.calls.clear()

    assert len(await read(ROOM)) == 2
    assert cache.calls == ["get_many"]


async def test_a_cache_that_fails_leaves_an_empty_page_that_says_so(
    read: Read, shared_layer: type[SharedLayer], cache: type[SickCache]
) -> None:
    await keep(bar(1))
    cache.error = OSError("no route to 10.0.0.5")

    found = await read(ROOM)
    assert len(found) == 0
    assert found.note == "the cache with the newest candles does not answer"


@pytest.mark.parametrize("junk", [b"", b"\x93\x01\x02", "text", 7, {"a": object()}])
async def test_junk_in_the_cache_costs_that_entry_alone(
    read: Read, junk: object, shared_layer: type[SharedLayer]
) -> None:
    await keep(bar(1))
    await tick(1.7)
    caches["default"].set(key_of(f"candles:{ROOM.group}", ""), junk)

    assert [candle.close for candle in await read(ROOM)] == [1.7]
    assert counts()["store_malformed"] >= 1

    await keep(bar(1))
    caches["default"].set(key_of(ROOM.group, ""), junk)
    assert [candle.t for candle in await read(ROOM)] == [NOW - HOUR]


@pytest.mark.parametrize(
    "wrong", [{"FCS_CACHE": "nowhere"}, {"FCS_SITE": "!"}, {"CHANNEL_LAYERS": {}}], ids=str
)
async def test_a_site_that_is_not_set_up_has_an_empty_page(
    read: Read, wrong: dict[str, Any], shared_layer: type[SharedLayer]
) -> None:
    with override_settings(**wrong):
        found = await read(ROOM)

    assert len(found) == 0 and found.note == "this site is not set up for prices"


@pytest.mark.parametrize(
    "wrong", [{"FCS_CANDLES": "many"}, {"FCS_REST_KEY": 7}, {"FCS_SAVE_CANDLES": 7}], ids=str
)
async def test_a_wrong_setting_counts_as_its_default(read: Read, wrong: dict[str, Any]) -> None:
    await keep(bar(1))

    with override_settings(**wrong):
        assert len(await read(ROOM)) == 1


# -- the database


@pytest.mark.usefixtures("candles_in_sqlite", "store")
async def test_older_bars_come_from_the_database(read: Read) -> None:
    await keep(bar(2), bar(1))
    await tick(1.7)
    saved = [bar(number) for number in range(9, 1, -1)]
    assert await in_thread(SavedCandles().save, ROOM, saved) == 8

    found = await read(ROOM, limit=5)
    assert [(NOW - candle.t) // HOUR for candle in found] == [4, 3, 2, 1, 0]
    assert [candle.final for candle in found] == [True, True, True, True, False]
    assert found.more

    older = await read(ROOM, limit=10, before=found[0].t)
    assert [(NOW - candle.t) // HOUR for candle in older] == [9, 8, 7, 6, 5]
    assert not older.more


@pytest.mark.usefixtures("candles_in_sqlite", "store")
async def test_holes_among_bars_that_only_the_database_has_are_missing(read: Read) -> None:
    coin = Room("BINANCE:BTCUSDT", "60")  # Its market is always open.
    await keep(bar(2), bar(1), room=coin)
    await in_thread(SavedCandles().save, coin, [bar(9), bar(8), bar(4), bar(3)])
    hole = (NOW - 7 * HOUR, NOW - 4 * HOUR)

    assert (await read(coin)).missing == (hole,)
    assert (await read(coin, before=NOW - 3 * HOUR)).missing == (hole,)
    assert (await read(coin, limit=4)).missing == ()


@pytest.mark.usefixtures("candles_in_sqlite")
@pytest.mark.parametrize(
    ("patterns", "key", "more"),
    [(["FX:*"], "a-key", True), (["FX:EURUSD_60"], "a-key", True)]
    + [(["FX:EURUSD_1D"], "a-key", False), (["FX:*"], "", False)],
)
async def test_more_may_come_from_the_vendor_where_it_is_saved(
    read: Read, patterns: list[str], key: str, more: bool
) -> None:
    await keep(bar(2), bar(1))

    with override_settings(FCS_CANDLES=2, FCS_SAVE_CANDLES=patterns, FCS_REST_KEY=key):
        assert (await read(ROOM)).more is more


@pytest.mark.usefixtures("candles_in_sqlite")
async def test_a_database_that_fails_leaves_what_the_store_has(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_saved", SavedCandles())
    await keep(bar(1))
    with override_settings(DATABASE_ROUTERS=["tests.candles.test_reading.Nowhere"]):
        found = await read(ROOM)

    assert len(found) == 1
    assert found.note == "the database with older candles does not answer"
    assert (await read(ROOM)).note == ""


@pytest.mark.usefixtures("candles_in_sqlite")
async def test_async_code_is_told_to_use_the_async_function() -> None:
    with pytest.raises(SynchronousOnlyOperation, match="await aget_candles"):
        get_candles(ROOM)


@pytest.mark.usefixtures("candles_in_sqlite")
async def test_a_database_that_hangs_is_waited_for_once_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free, reads = threading.Event(), list[int]()
    saved = SavedCandles(wait_seconds=0.05)
    load = saved.load
    monkeypatch.setattr(reading, "_saved", saved)

    def hang(room: Room, **wanted: Any) -> list[Bar]:
        reads.append(1)
        free.wait(10)
        return load(room, **wanted)

    monkeypatch.setattr(saved, "load", hang)
    await keep(bar(1))
    try:
        for _ in range(3):
            found = await aget_candles(ROOM)
            assert len(found) == 1 and "does not answer" in found.note
        assert len(reads) == 1
    finally:
        free.set()
    await eventually(lambda: not saved._hanging)
    monkeypatch.setattr(saved, "_wait_seconds", 10)
    assert (await read_async(ROOM)).note == ""


class Nowhere:
    """A router that sends all queries to a database that is not there."""

    def db_for_read(self, model: object, **hints: object) -> str:
        return "nowhere"
