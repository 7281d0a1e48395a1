"""The history of a leader's rooms: continued live, by the next leader, and repaired."""

from __future__ import annotations

import pytest
from django.test import override_settings

from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import MemoryCandles
from django_fcs.layer.events import Wish
from tests.support.waiting import eventually

from .historians import BTC, Scene, T, plan, working

__all__ = ["plan"]


async def test_candles_seen_live_join_the_fetched_ones_without_a_hole_or_a_double() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.told()
        for minute in (1, 2, 3):
            scene.now += 60
            scene.histories.look([BTC], scene.now)
            scene.tick(BTC, T + minute * 60)
        await eventually(lambda: scene.times()[-1:] == [T + 180])

    assert scene.times() == list(range(T - 99 * 60, T + 240, 60))
    kept = scene.store.load([BTC])[BTC]
    assert kept.missing == ()
    assert [one.c for one, _ in kept.series(600).bars(limit=4)] == [2.5] * 4


async def test_a_gap_of_some_candles_is_asked_for_again_and_is_known_as_repaired() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.told()
        scene.histories.part(scene.now)
        scene.now += 240
        scene.histories.look([BTC], scene.now)
        scene.tick(BTC, T + 240)
        notes = await scene.told(2)

    [_, ask] = scene.vendor.asked
    assert ask[2] is not None and ask[2] <= T and ask[3] is not None and ask[3] >= T + 180
    assert notes[1].start is not None and notes[1].start <= T + 60
    kept = scene.store.load([BTC])[BTC]
    assert kept.series(600).times()[-5:] == [T, T + 60, T + 120, T + 180, T + 240]
    assert kept.missing == () and kept.repaired


async def test_a_gap_that_the_vendor_does_not_know_yet_is_asked_for_once_more_later() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.told()
        scene.vendor.late = 115
        scene.histories.part(scene.now)
        scene.now += 240
        scene.histories.look([BTC], scene.now)
        scene.tick(BTC, T + 240)
        notes = await scene.told(2)
        assert notes[1].wait == 120 and "not there yet" in notes[1].note
        for _ in range(3):
            await scene.historian.save(scene.histories, at_once=True)
        assert len(scene.vendor.asked) == 2

        scene.now += 120
        scene.histories.look([BTC], scene.now)
        scene.historian.wishes.changed.ring()
        await eventually(lambda: not scene.store.load([BTC])[BTC].missing)

    assert len(scene.vendor.asked) == 3
    assert scene.times()[-5:] == [T + minutes * 60 for minutes in range(5)]


async def test_a_room_that_is_not_joined_is_not_asked_for_again_and_again() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.told()
        scene.histories.part(scene.now)
        for number in range(2, 60):
            scene.now += 60
            scene.histories.look([], scene.now)
            scene.wish()
            await scene.told(number)
            await scene.historian.save(scene.histories, at_once=True)

    assert len(scene.vendor.asked) == 1


async def test_who_scrolls_back_to_a_range_that_was_fetched_gets_what_lies_between(
    candles_in_sqlite: None,
) -> None:
    scene, saved = Scene(), SavedCandles()
    begin, end = T - 60 * 1500, T - 60 * 1000
    with override_settings(FCS_SAVE_CANDLES=["BINANCE:*"]):
        async with working(scene):
            scene.historian.hear(Wish(BTC, start=begin, before=end), scene.histories)
            await scene.told()
            scene.wish()
            await scene.rest()
            oldest = scene.times()[0]
            scene.wish(before=oldest)
            await scene.rest()
            before = len(scene.vendor.asked)
            for _ in range(20):
                oldest = (await saved.aload(BTC, before=oldest, limit=100))[0].t
                scene.wish(before=oldest)
                await scene.rest()

        rows = [one.t for one in await saved.aload(BTC, limit=10_000)]
    assert rows == list(range(rows[0], T, 60)) and rows[0] < begin
    assert before == 3, "the gap is asked for as a whole"
    # The whole hundreds of the first request may leave a candle or two over.
    assert sum(span is not None for _, _, span, _ in scene.vendor.asked[before:]) <= 1


async def test_a_room_of_which_nothing_but_answers_is_stored_is_saved_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = Scene()
    first.vendor.lacks = range(T + 60)
    async with working(first):
        first.wish()
        await first.told()
    assert first.times() == [] and first.store.load([BTC])[BTC].answered

    second = Scene(first.store)
    second.join(BTC)
    await second.historian.save(second.histories)
    second.tick(BTC, T)
    await second.historian.save(second.histories, at_once=True)

    assert second.times() == [T] and not caplog.records


async def test_a_store_that_fails_in_an_unknown_way_ends_no_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(MemoryCandles):
        async def asave(self, kept: object) -> bool:
            raise ZeroDivisionError

    scene = Scene(Broken())
    scene.join(BTC)
    scene.tick(BTC, T)
    await scene.historian.save(scene.histories, at_once=True)

    assert "candles cannot be saved now" in caplog.text


async def test_a_candle_that_opens_at_no_multiple_of_its_period_is_asked_for_once() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.told()
        scene.now += 45
        scene.histories.look([BTC], scene.now)
        scene.tick(BTC, T + 40)
        await scene.told(2)
        for number in range(3, 8):
            scene.now += 1
            scene.wish()
            await scene.told(number)

    assert [start for _, _, start, _ in scene.vendor.asked] == [None, T - 60]


async def test_a_short_break_within_a_candle_costs_nothing() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.told()
        scene.histories.part(scene.now)
        scene.now += 5
        scene.histories.look([BTC], scene.now)
        scene.tick(BTC, T)
        scene.now += 30
        scene.histories.look([BTC], scene.now)
        scene.tick(BTC, T + 60)
        await eventually(lambda: scene.times()[-1:] == [T + 60])

    assert len(scene.vendor.asked) == 1


async def test_a_gap_in_a_room_that_nobody_asked_for_costs_nothing_until_somebody_asks() -> None:
    scene = Scene()
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.histories.part(scene.now)
        scene.now += 240
        scene.histories.look([BTC], scene.now)
        scene.tick(BTC, T + 240)
        await eventually(lambda: scene.times() == [T, T + 240])
        assert not scene.vendor.asked and scene.store.load([BTC])[BTC].missing

        scene.wish(limit=1)
        await scene.told()

    assert scene.vendor.asked and not scene.store.load([BTC])[BTC].missing


async def test_the_next_leader_goes_on_with_what_was_stored_and_repairs_what_nobody_saw() -> None:
    first = Scene()
    first.join(BTC)
    async with working(first):
        first.tick(BTC, T)
        first.wish()
        await first.told()
        first.now += 60
        first.histories.look([BTC], first.now)
        first.tick(BTC, T + 60)
        await first.historian.save(first.histories, at_once=True)

    second = Scene(first.store)
    second.now = first.now + 300
    second.join(BTC)
    async with working(second):
        second.tick(BTC, T + 360)
        await second.told()

    assert second.vendor.asked[0][2:] != (None, None), "only the gap"
    assert second.times() == list(range(T - 99 * 60, T + 420, 60))


@pytest.mark.parametrize("has_key", [True, False])
async def test_the_hubs_are_told_when_other_candles_are_missing_than_before(has_key: bool) -> None:
    scene = Scene()
    if not has_key:
        scene.historian._fetcher = None
    scene.join(BTC)
    scene.tick(BTC, T)
    scene.wish()
    await scene.historian.save(scene.histories, at_once=True)
    assert not any(note.holes for note in scene.notes)
    scene.heard.clear()

    scene.histories.part(scene.now)
    scene.now += 240
    scene.histories.look([BTC], scene.now)
    scene.tick(BTC, T + 240)
    await scene.historian.save(scene.histories, at_once=True)
    assert [note.holes for note in scene.notes] == [True]
    await scene.historian.save(scene.histories, at_once=True)
    assert len(scene.notes) == 1, "nothing else is missing"
