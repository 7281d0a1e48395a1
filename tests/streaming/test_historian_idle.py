"""What a room costs while it goes on: nothing, whatever the vendor does not have."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.spans import SPANS_MAX
from django_fcs.layer.events import Wish
from django_fcs.rooms import Room
from django_fcs.streaming.histories import INTEREST_SECONDS
from django_fcs.streaming.wishes import RANGE_SECONDS

from .historians import BTC, Scene, T, bar, plan, working

__all__ = ["plan"]

HOURS = 3


async def hours(scene: Scene, count: int = HOURS) -> None:
    """Let hours pass with a page that shows the candles, as its hub says each minute."""
    for _ in range(60 * count):
        scene.wish()
        await scene.minute()


async def test_a_room_that_is_watched_for_hours_costs_one_request() -> None:
    scene = Scene()
    scene.join(BTC)
    with override_settings(FCS_CANDLES=120):
        async with working(scene):
            scene.tick(BTC, T)
            await hours(scene)

    assert len(scene.vendor.asked) == 1
    assert scene.times()[-1] == T + HOURS * 3600


@pytest.mark.parametrize(
    "lacks",
    [range(T - 60, T + 240), range(T, T + 180), range(T + 60, T + 240), range(T + 300)],
    ids=["the candle before, too", "all but the last", "all of it", "everything"],
)
async def test_a_gap_that_the_vendor_does_not_know_either_is_asked_for_once_or_twice(
    lacks: range,
) -> None:
    scene = Scene()
    scene.vendor.lacks = lacks
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.rest()
        scene.histories.part(scene.now)
        scene.now += 240
        await hours(scene)

    assert len(scene.vendor.asked) <= 5
    assert scene.store.load([BTC])[BTC].missing == ()


async def test_a_vendor_that_never_answers_for_the_gap_is_not_asked_again_and_again() -> None:
    scene = Scene()
    scene.join(BTC)

    def newest(room: Room, **asked: Any) -> Answer:
        """Ignore the range, as if the parameters had other names, and know one bar in it."""
        scene.vendor.asked.append((room, asked["length"], asked["start"], asked["end"]))
        now = int(scene.now) // 60 * 60
        bars = [bar(t) for t in range(now, now - 6000, -60)]
        return Answer(bars, dropped=0, credits=None, server_time=None)

    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.rest()
        scene.vendor.history = newest  # type: ignore[method-assign]
        scene.histories.part(scene.now)
        scene.now += 240 * 60
        await hours(scene)

    assert len(scene.vendor.asked) <= 6


async def test_a_quiet_time_whose_answer_is_forgotten_is_asked_for_once_more() -> None:
    scene = Scene()
    scene.vendor.lacks = range(T - 1800, T - 1620)
    scene.join(BTC)
    async with working(scene):
        scene.tick(BTC, T)
        scene.wish()
        await scene.rest()
        history = scene.histories.get(BTC)
        assert history is not None
        for number in range(SPANS_MAX):  # Only so many are kept: the oldest is forgotten.
            history.series.answered.add(T + 90 + 2 * number, T + 91 + 2 * number)
        await hours(scene, 1)

    assert [start for _, _, start, _ in scene.vendor.asked if start] == [T - 1860]


async def test_a_symbol_without_history_is_asked_for_only_while_somebody_wants_it() -> None:
    scene = Scene()
    async with working(scene):
        scene.vendor.refusals = 100 * [Refused(RefusalKind.SYMBOL, "no such symbol")]
        scene.wish()
        await scene.rest()
        for _ in range(2 * HOURS):
            scene.now += INTEREST_SECONDS / 2 + 1
            scene.histories.look([], scene.now)
            await scene.rest()

    assert len(scene.vendor.asked) == 1


async def test_what_is_too_old_to_adjoin_other_candles_is_not_asked_for() -> None:
    scene = Scene()
    async with working(scene):
        scene.wish(limit=100, before=T - 86_400 * 365)
        await scene.told()
        scene.wish(limit=100, before=T - 86_400 * 365 + 60)
        await scene.told(2)

    assert scene.vendor.asked == [(BTC, 100, None, None)], "the newest ones alone"
    assert scene.times() == list(range(T - 99 * 60, T + 60, 60))


async def test_an_answer_without_candles_is_kept_so_that_no_page_waits_for_more() -> None:
    scene = Scene()
    scene.vendor.lacks = range(T + 600)
    async with working(scene):
        scene.wish()
        await scene.told()

    kept = scene.store.load([BTC])[BTC]
    assert kept.is_exhausted and kept.note == ""


async def test_a_note_is_forgotten_with_the_wish_that_nobody_repeats() -> None:
    scene = Scene()
    async with working(scene):
        scene.vendor.refusals = [Refused(RefusalKind.RATE, "429", retry_after=7200.0)]
        scene.wish()
        await scene.told()
        assert "history" in scene.store.load([BTC])[BTC].note
        for seconds in (INTEREST_SECONDS, 7200 - INTEREST_SECONDS, 1):
            scene.now += seconds
            scene.histories.look([], scene.now)
            await scene.rest()

    assert len(scene.vendor.asked) == 1
    assert scene.store.load([BTC])[BTC].note == ""


async def test_a_range_is_asked_for_only_as_long_as_its_command_runs(
    candles_in_sqlite: None,
) -> None:
    scene = Scene()
    wish = Wish(BTC, start=T - 60 * 5000, before=T - 60 * 1000)
    with override_settings(FCS_SAVE_CANDLES=["BINANCE:*"], FCS_REST_REQUESTS_PER_MINUTE=1):
        async with working(scene):
            for seconds in (0, 20, 20, 21):
                scene.now += seconds
                scene.historian.hear(wish, scene.histories)
                await scene.rest()
            asked = len(scene.vendor.asked)
            scene.now += RANGE_SECONDS + 1
            await scene.rest()

    assert asked == len(scene.vendor.asked) == 2
