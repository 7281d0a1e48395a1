"""Credits that are spent once: whatever the vendor, a browser, the database or a clock does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles.answers import Answer
from django_fcs.candles.bars import Bar
from django_fcs.candles.spans import SPANS_MAX, Spans
from django_fcs.rooms import Room
from django_fcs.streaming.databank import Databank
from django_fcs.streaming.wishes import RANGE_SECONDS
from tests.support.waiting import eventually

from .historians import BTC, ETH, Scene, T, bar, plan, working

__all__ = ["plan"]


class Database:
    """The table of candles; ``failure`` tells why it is down."""

    def __init__(self, failure: str = "") -> None:
        self.failure = failure
        self.rows: dict[int, Bar] = {}

    def is_installed(self) -> bool:
        return True

    def save(self, room: Room, bars: Iterable[Bar]) -> int:
        some = [] if self.failure else list(bars)
        self.rows |= {one.t: one for one in some}
        return len(some)

    def load(self, room: Room, *, before: int | None = None, limit: int) -> list[Bar]:
        times = [t for t in sorted(self.rows) if before is None or t < before]
        return [self.rows[t] for t in times[-limit:]]

    def first(self, room: Room, start: int, stop: int) -> int | None:
        return min((t for t in self.rows if start <= t < stop), default=None)


def scene_with(database: Database) -> Scene:
    scene = Scene()
    scene.historian._databank = Databank(database)  # type: ignore[arg-type]
    return scene


def only(scene: Scene, is_known: Callable[[int], bool]) -> None:
    """Let the vendor know only some of the bars."""
    ask = scene.vendor.history

    def history(room: Room, **asked: Any) -> Answer:
        answer = ask(room, **asked)
        return answer._replace(bars=[one for one in answer.bars if is_known(one.t)])

    scene.vendor.history = history  # type: ignore[method-assign]


async def pass_time(scene: Scene, minutes: int, each: Callable[[], object] = lambda: None) -> None:
    """Let time pass in steps of ten seconds, in each of which a historian does what is due."""
    for _ in range(6 * minutes):
        scene.now += 10
        each()
        scene.historian.wishes.changed.ring()
        await eventually(lambda: not scene.historian.wishes.due(scene.now))


async def test_a_browser_that_asks_for_the_past_takes_history_from_no_other() -> None:
    async with working(Scene()) as scene:
        scene.join(BTC)
        scene.tick(BTC, T)
        scene.wish(limit=1, before=1)
        await scene.told()
        scene.wish(limit=300)
        await scene.told(2)

    assert scene.vendor.asked[0] == (BTC, 100, None, None)
    assert scene.times()[-300:] == list(range(T - 299 * 60, T + 60, 60))


async def test_no_more_is_paid_than_can_be_kept() -> None:
    async with working(Scene()) as scene:
        scene.wish(limit=10_000)
        await scene.told()

    assert scene.vendor.asked == [(BTC, 700, None, None)]


@pytest.mark.parametrize("wish", [{"limit": 300}, {"start": T - 60_000, "before": T}])
async def test_while_the_database_is_down_nothing_is_asked_that_only_it_could_keep(
    wish: dict[str, Any],
) -> None:
    with override_settings(FCS_SAVE_CANDLES=["*"], FCS_CANDLES=100):
        async with working(scene_with(Database("down"))) as scene:
            await pass_time(scene, 10, lambda: scene.wish(**wish))

    assert len(scene.vendor.asked) <= 1


async def test_a_range_from_before_the_first_candle_ends() -> None:
    with override_settings(FCS_SAVE_CANDLES=["*"], FCS_CANDLES=100):
        scene = scene_with(database := Database())
        only(scene, lambda t: t >= T - 3000 * 60)
        async with working(scene):
            scene.wish(start=T - 6000 * 60, before=T - 300)
            await pass_time(scene, 3)

    assert len(scene.vendor.asked) <= 8
    assert min(database.rows) == T - 3000 * 60 and len(database.rows) == 2995


async def test_a_long_hole_that_the_vendor_has_too_is_asked_for_once() -> None:
    scene = Scene()
    only(scene, lambda t: t <= T - 3000 * 60 or t >= T - 60 * 60)
    async with working(scene):
        scene.join(BTC)
        await scene.historian.save(scene.histories)
        history = scene.histories.get(BTC)
        assert history is not None
        history.series.take_page([bar(T - 3000 * 60)], fetched_at=T - 2990 * 60)
        history.series.answered.add(T - 3001 * 60, T - 3000 * 60)
        scene.tick(BTC, T)
        await pass_time(scene, 10, scene.wish)

    assert len(scene.vendor.asked) <= 8


async def test_a_hole_older_than_all_that_is_remembered_is_asked_for_once() -> None:
    scene = Scene()
    only(scene, lambda t: (t - T) % 180 == 0)
    async with working(scene):
        scene.join(BTC)
        await scene.historian.save(scene.histories)
        history = scene.histories.get(BTC)
        assert history is not None
        first = T - 3 * 60 * (SPANS_MAX + 1)
        history.series.take_page([bar(t) for t in range(first, T, 180)], fetched_at=T)
        history.series.answered = Spans(
            (t, t + 179) for t in range(first + 180, first + 180 * (SPANS_MAX + 1), 180)
        )
        scene.tick(BTC, T)
        await pass_time(scene, 10, scene.wish)

    assert len(scene.vendor.asked) <= 8


async def test_a_vendor_with_one_bar_is_not_asked_again_and_again() -> None:
    scene = Scene()
    only(scene, lambda t: t == T - 60)
    async with working(scene):
        scene.join(BTC)
        scene.tick(BTC, T)
        await pass_time(scene, 10, scene.wish)

    assert len(scene.vendor.asked) <= 8


async def test_a_row_is_forming_by_the_clock_of_the_vendor() -> None:
    scene = Scene()
    ask = scene.vendor.history
    scene.vendor.late = 3600

    def history(room: Room, **asked: Any) -> Answer:
        return ask(room, **asked)._replace(server_time=scene.now - 3600)

    scene.vendor.history = history  # type: ignore[method-assign]
    async with working(scene):
        scene.wish()
        await scene.told()

    [*_, (newest, is_final)] = scene.store.load([BTC])[BTC].series(600).bars()
    assert newest.t == T - 3600 and not is_final


async def test_without_the_lease_nothing_is_asked_or_saved() -> None:
    scene = Scene()
    scene.held = False
    async with working(scene):
        await pass_time(scene, 1, scene.wish)

    assert not scene.vendor.asked and not scene.times() and scene.store.account() is None


async def test_a_wish_that_nobody_repeats_costs_nothing_later() -> None:
    with override_settings(FCS_REST_CREDITS_PER_MONTH=3):
        async with working(Scene()) as scene:
            scene.wish(limit=300)
            await scene.told()
            scene.now += 10 * 86_400  # Another month has begun.
            await pass_time(scene, 1)

    assert not scene.vendor.asked


async def test_a_range_whose_command_has_ended_is_not_fetched_on() -> None:
    with override_settings(FCS_SAVE_CANDLES=["*"], FCS_REST_REQUESTS_PER_MINUTE=3):
        async with working(scene_with(Database())) as scene:
            scene.wish(start=T - 50_000 * 60, before=T)
            await pass_time(scene, 30)

    assert 0 < len(scene.vendor.asked) <= 3 * (RANGE_SECONDS // 60 + 1)


async def test_rooms_that_prices_come_of_are_asked_for_before_invented_ones() -> None:
    with override_settings(FCS_REST_REQUESTS_PER_MINUTE=3):
        async with working(Scene()) as scene:
            for number in range(100):
                scene.wish(Room(f"BINANCE:NO{number}", "1"))
            await scene.told(100)
            scene.join(BTC)
            await pass_time(scene, 2, scene.wish)

    assert BTC in [room for room, *_ in scene.vendor.asked[:6]]


async def test_one_request_of_a_browser_costs_ten_credits_at_most() -> None:
    with override_settings(FCS_SAVE_CANDLES=["*"], FCS_CANDLES=100):
        async with working(scene_with(database := Database())) as scene:
            scene.join(BTC)
            scene.wish(limit=10_000)
            await scene.told()
            asked = sum(length for _, length, *_ in scene.vendor.asked)
            scene.wish(limit=10_000)
            await scene.told(2)

    assert asked == 1000
    assert sum(length for _, length, *_ in scene.vendor.asked) == 2000
    assert len(database.rows) >= 1990


async def test_a_range_of_an_operator_may_cost_more() -> None:
    with override_settings(FCS_SAVE_CANDLES=["*"], FCS_CANDLES=100):
        async with working(scene_with(database := Database())) as scene:
            scene.wish(start=T - 5000 * 60, before=T - 300)
            await pass_time(scene, 1)

    assert len(database.rows) >= 4900


async def test_a_range_that_the_database_has_is_not_paid_again_after_the_cache_is_lost() -> None:
    with override_settings(FCS_SAVE_CANDLES=["*"]):
        scene = scene_with(database := Database())
        lost = range(T - 2100 * 60, T - 2000 * 60, 60)
        times = set(range(T - 30_000 * 60, T, 60)) - set(lost)
        database.rows = {t: bar(t) for t in times}
        async with working(scene):
            scene.wish(start=T - 30_000 * 60, before=T)
            await pass_time(scene, 1)

    assert sum(length for _, length, *_ in scene.vendor.asked) <= 300
    assert all(t in database.rows for t in lost)


async def test_a_wait_for_the_requests_of_a_minute_is_not_stored_as_a_note() -> None:
    scene = Scene()
    with override_settings(FCS_REST_REQUESTS_PER_MINUTE=1):
        async with working(scene):
            scene.wish(ETH)
            await scene.told()
            scene.wish(BTC)
            told = await scene.told(2)
            await scene.historian.save(scene.histories, at_once=True)

    assert "wait for" in told[-1].note
    assert scene.store.load([BTC])[BTC].note == ""
