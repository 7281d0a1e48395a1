"""The history of a leader's rooms in the site's database, which keeps more than the stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from django_fcs.candles.bars import Bar
from django_fcs.candles.saved import SavedCandles, SavedRoom
from django_fcs.rooms import Room
from django_fcs.streaming.databank import Databank
from tests.support.databases import site_with_candles, sqlite
from tests.support.waiting import eventually

from .historians import BTC, ETH, Scene, T, plan, working

__all__ = ["plan"]


@pytest.fixture(autouse=True)
def database(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    settings = {"FCS_SAVE_CANDLES": ["BINANCE:BTC*"], "FCS_CANDLES": 20}
    with (
        django_db_blocker.unblock(),
        site_with_candles(sqlite(tmp_path)),
        override_settings(**settings),
    ):
        yield


async def stored(scene: Scene, limit: int = 1000) -> list[int]:
    saved = SavedCandles(clock=scene.clock)
    return [bar.t for bar in await sync_to_async(saved.load)(BTC, limit=limit)]


async def test_what_the_database_has_is_not_asked_for_again_though_the_stream_forgot_it() -> None:
    async with working(Scene()) as scene:
        scene.wish(limit=100)
        await scene.told()
        assert await stored(scene) == list(range(T - 99 * 60, T, 60))
        history = scene.histories.get(BTC)
        assert history is not None and len(history.series) == 21

        scene.wish(limit=90)
        await scene.told(2)
        assert len(scene.vendor.asked) == 1
        scene.wish(limit=100, before=T - 90 * 60)
        await scene.told(3)

    assert scene.vendor.asked[1:] == [(BTC, 100, None, T - 99 * 60 - 1)]
    assert await stored(scene) == list(range(T - 199 * 60, T, 60))


async def test_candles_that_end_live_are_stored_for_the_rooms_that_the_site_chose() -> None:
    scene = Scene()
    scene.join(BTC, ETH)
    async with working(scene):
        for minute in range(3):
            for room in (BTC, ETH):
                scene.tick(room, T + 60 * minute)
            scene.now += 60
        await scene.historian.save(scene.histories)
        await eventually(lambda: stored(scene))

    assert await stored(scene) == [T, T + 60]
    assert [room.symbol for room in await sync_to_async(overview)()] == [BTC.symbol]


def overview() -> list[SavedRoom]:
    return SavedCandles().overview()


async def test_the_next_leader_stores_what_the_one_before_could_not() -> None:
    with override_settings(FCS_SAVE_CANDLES=[]):
        first = Scene()
        first.join(BTC)
        async with working(first):
            for minute in range(5):
                first.tick(BTC, T + 60 * minute)
                first.now += 60
            await first.historian.save(first.histories, at_once=True)
        assert await stored(first) == []

    second = Scene(first.store)
    second.now = first.now
    second.join(BTC)
    await second.historian.save(second.histories)

    assert await stored(second) == [T, T + 60, T + 120, T + 180]


async def test_a_note_names_the_range_whose_wish_has_ended() -> None:
    async with working(Scene()) as scene:
        scene.wish(limit=10)
        assert [note.ended for note in await scene.told()] == [()]
        scene.wish(start=T - 6000, before=T - 3000)
        await eventually(lambda: any(note.ended for note in scene.notes))

    assert scene.notes[-1].ended == ((T - 6000, T - 3000),)


@pytest.mark.parametrize("is_left", [False, True])
async def test_the_last_candle_of_a_week_is_stored_when_its_session_has_ended(
    is_left: bool,
) -> None:
    friday, opened, end = Room("FX:EURUSD", "60"), 1_766_178_000, 1_766_181_600
    scene = Scene()
    scene.now = end - 60.0
    scene.join(friday)
    with override_settings(FCS_SAVE_CANDLES=["FX:*"]):
        await scene.historian.save(scene.histories)
        scene.tick(friday, opened)
        scene.now = end + 61.0
        scene.histories.look([friday], scene.now)
        if is_left:
            scene.histories.forget([friday])
        await scene.historian.save(scene.histories, at_once=True)

    [saved] = await sync_to_async(overview)()
    assert (saved.symbol, saved.last) == (friday.symbol, opened)


async def test_a_range_is_asked_for_again_once_its_candles_were_deleted() -> None:
    start, before = T - 3000 * 60, T - 2000 * 60
    async with working(Scene()) as scene:
        scene.wish(limit=10)
        await scene.told()
        for number in (1, 2):
            scene.wish(start=start, before=before)
            await until_ended(scene, number)
        asked = len(scene.vendor.asked)
        assert min(await stored(scene, 3000)) == start
        await sync_to_async(SavedCandles(clock=scene.clock).delete)(BTC, T - 2500 * 60)
        assert min(await stored(scene, 3000)) == T - 2500 * 60

        scene.wish(start=start, before=before)
        await until_ended(scene, 3)
        await scene.historian.save(scene.histories)
        assert min(await stored(scene, 3000)) == start
        again = len(scene.vendor.asked)
        scene.wish(start=start, before=before)
        await until_ended(scene, 4)

    assert scene.vendor.asked[asked:again] == [(BTC, 600, start, T - 2500 * 60)]
    assert len(scene.vendor.asked) == again


async def test_times_for_which_the_vendor_has_no_candles_are_asked_for_once() -> None:
    start, before = T - 3000 * 60, T - 2500 * 60
    async with working(Scene()) as scene:
        scene.vendor.lacks = range(0, T - 2700 * 60)
        scene.wish(limit=10)
        await scene.told()
        for number in (1, 2):
            scene.wish(start=start, before=before)
            await until_ended(scene, number)

    assert scene.vendor.asked[1:] == [
        (BTC, 500, start, before - 1),
        (BTC, 400, start, T - 2700 * 60),
    ]


async def test_a_page_does_not_wait_until_a_long_range_is_fetched() -> None:
    async with working(Scene()) as scene:
        scene.vendor.gate.clear()
        scene.wish(start=T - 15_000 * 60, before=T - 10_000 * 60)
        await eventually(lambda: scene.vendor.asked)
        scene.wish(limit=500)
        scene.vendor.gate.set()
        await until_ended(scene, 1)

    assert (BTC, 500, None, None) in scene.vendor.asked[1:3]


async def until_ended(scene: Scene, number: int) -> None:
    """Wait until so many wishes for ranges have ended."""
    await eventually(lambda: sum(len(note.ended) for note in scene.notes) == number)


async def test_a_database_that_hangs_holds_up_no_other_room_and_no_leader_that_leaves() -> None:
    free, scene = threading.Event(), Scene()
    saved = Hanging(free, clock=scene.clock)
    scene.historian._databank = Databank(saved, call_seconds=0.05)
    scene.join(BTC, ETH)
    try:
        async with working(scene):
            for minute in range(4):
                scene.tick(BTC, T + 60 * minute)
                scene.tick(ETH, T + 60 * minute)
                scene.now += 60
            await eventually(lambda: saved.calls)
            scene.now += 400
            await eventually(lambda: scene.times(ETH)[-1:] == [T + 180])
            await scene.historian.save(scene.histories, at_once=True)
        assert saved.calls == 1 and scene.historian._databank.failure
    finally:
        free.set()
    await eventually(lambda: not scene.historian._databank.failure)
    await scene.historian.save(scene.histories, at_once=True)
    assert await stored(scene) == [T, T + 60, T + 120]


class Hanging(SavedCandles):
    """A database that takes no candle before it is free."""

    def __init__(self, free: threading.Event, *, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.free = free
        self.calls = 0

    def save(self, room: Room, bars: Iterable[Bar]) -> int:
        self.calls += 1
        self.free.wait(10)
        return super().save(room, bars)
