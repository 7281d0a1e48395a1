"""A vendor that fails or refuses, and a leader that is none any more: what history then costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room
from django_fcs.streaming.fetching import KEEP_SECONDS
from django_fcs.streaming.histories import Histories
from django_fcs.streaming.pauses import PAUSE_SECONDS, ROOMS_IN_A_ROW
from django_fcs.tools.tasks import running
from tests.support.waiting import eventually

from .historians import BTC, ETH, Scene, T, bar, plan, working

__all__ = ["plan"]

ROOMS = [Room(f"BINANCE:{coin}USDT", "1") for coin in ("SOL", "XRP", "ADA", "DOT", "UNI", "TRX")]


def failing(scene: Scene, kind: RefusalKind, **how: Any) -> None:
    """Let the vendor answer each request in the same wrong way."""

    def history(room: Room, *, length: int, **asked: Any) -> Answer:
        scene.vendor.asked.append((room, length, None, None))
        raise Refused(kind, "no", **how)

    scene.vendor.history = history  # type: ignore[method-assign]


async def a_day(scene: Scene, each: Callable[[], object]) -> None:
    for _ in range(24 * 60):
        scene.now += 60
        each()
        await scene.rest()


def spent(scene: Scene) -> int:
    account = scene.store.account()
    assert account is not None
    return account.spent


async def test_a_day_of_answers_that_cannot_be_read_costs_a_room_few_credits() -> None:
    async with working(scene := Scene()):
        scene.wish(ETH)
        await scene.told()
        before = spent(scene)
        failing(scene, RefusalKind.MALFORMED)
        await a_day(scene, lambda: scene.wish(limit=300))

    assert 5 <= len(scene.vendor.asked) <= 16
    assert spent(scene) - before == 3 * (len(scene.vendor.asked) - 1)


async def test_a_day_without_an_answer_costs_no_credit() -> None:
    async with working(scene := Scene()):
        scene.wish(ETH)
        await scene.told()
        before = spent(scene)
        failing(scene, RefusalKind.UNAVAILABLE)
        await a_day(scene, lambda: scene.wish(limit=300))

    assert len(scene.vendor.asked) > 100 and spent(scene) == before


async def test_a_room_whose_answers_cannot_be_read_stops_no_other() -> None:
    async with working(scene := Scene()):
        scene.vendor.refusals = [Refused(RefusalKind.MALFORMED, "cut off")]
        scene.wish()
        await scene.told()
        scene.now += PAUSE_SECONDS / 2
        scene.wish(ETH)
        await scene.told(2)

    assert [room for room, *_ in scene.vendor.asked][-1] == ETH and scene.times(ETH)


async def test_a_room_that_is_never_answered_in_time_stops_no_other() -> None:
    async with working(scene := Scene()):
        ask = scene.vendor.history

        def history(room: Room, **asked: Any) -> Answer:
            if room == BTC:
                scene.vendor.asked.append((room, 0, None, None))
                raise Refused(RefusalKind.UNAVAILABLE, "no answer")
            return ask(room, **asked)

        scene.vendor.history = history  # type: ignore[method-assign]
        scene.wish()
        await scene.told()
        for _ in range(600):
            scene.now += 1
            scene.wish()
            scene.wish(ETH)
            await scene.rest()

    assert scene.times(ETH)
    assert sum(room == BTC for room, *_ in scene.vendor.asked) <= 10


async def test_requests_that_fail_together_are_one_failure_and_one_probe_follows() -> None:
    async with working(scene := Scene()):
        scene.vendor.gate.clear()
        scene.vendor.refusals = [Refused(RefusalKind.UNAVAILABLE, "no answer") for _ in range(4)]
        for room in ROOMS[:4]:
            scene.wish(room)
        await asyncio.sleep(0.05)
        scene.vendor.gate.set()
        notes = await scene.told(4)
        assert [note.wait for note in notes] == [PAUSE_SECONDS] * 4

        scene.vendor.gate.clear()
        scene.now += PAUSE_SECONDS
        scene.historian.wishes.changed.ring()
        await scene.told(7)
        assert len(scene.vendor.asked) == 5
        scene.vendor.gate.set()
        await scene.told(8)
        scene.now += PAUSE_SECONDS
        scene.historian.wishes.changed.ring()
        await scene.told(11)

    assert {room for room, *_ in scene.vendor.asked[4:]} == set(ROOMS[:4])


async def test_a_vendor_that_is_down_says_how_long_and_is_left_alone() -> None:
    async with working(scene := Scene()):
        scene.vendor.refusals = [Refused(RefusalKind.UNAVAILABLE, "503", retry_after=900.0)]
        scene.wish()
        [note] = await scene.told()

    assert note.wait == pytest.approx(900, abs=1)


async def test_an_invented_symbol_closes_history_for_itself_alone() -> None:
    async with working(scene := Scene()):
        scene.vendor.refusals = [Refused(RefusalKind.ROOM, "Invalid ticker") for _ in ROOMS]
        for number, room in enumerate(ROOMS):
            scene.wish(room)
            await scene.told(number + 1)
        scene.wish()
        await scene.told(len(ROOMS) + 1)

    assert scene.times() and not any(map(scene.times, ROOMS))


async def test_a_text_that_names_a_limit_may_be_that_of_an_invented_symbol() -> None:
    async with working(scene := Scene()):
        refused = Refused(RefusalKind.RATE, "No data for LIMIT", is_certain=False)
        scene.vendor.refusals = [refused]
        scene.wish(ETH)
        await scene.told()
        scene.wish()
        await scene.told(2)

    assert scene.times() and not scene.times(ETH)


@pytest.mark.parametrize("answers_between", [False, True])
async def test_rooms_with_prices_that_are_refused_in_a_row_close_the_account(
    answers_between: bool,
) -> None:
    rooms = ROOMS[:ROOMS_IN_A_ROW]
    async with working(scene := Scene()):
        scene.join(*rooms)
        for number, room in enumerate(rooms):
            scene.tick(room, T)
            if answers_between and number == 2:
                scene.wish(ETH)
                await scene.told(number + 1)
            scene.vendor.refusals = [Refused(RefusalKind.ROOM, "Out of luck")]
            scene.wish(room)
            await scene.told(number + 1 + (answers_between and number >= 2))
        before = len(scene.heard)
        scene.wish()
        [note] = (await scene.told(before + 1))[before:]

    assert bool(scene.times()) is answers_between
    assert answers_between or note.note.startswith("the feed refuses history: wait until")


@pytest.mark.parametrize(("said", "cost"), [(3, 3), (10, 10), (11, 10), (10_000, 10), (None, 1)])
async def test_the_vendor_counts_no_more_than_ten_times_what_its_candles_cost(
    said: int | None, cost: int
) -> None:
    async with working(scene := Scene()):
        scene.wish(ETH)
        await scene.told()
        before = spent(scene)
        answer = Answer([bar(T - 60)], dropped=0, credits=said, server_time=None)
        scene.vendor.history = lambda room, **asked: answer  # type: ignore[method-assign]
        scene.wish(BTC, limit=1)
        await scene.told(2)

    assert spent(scene) - before == cost


async def test_a_leader_that_has_lost_its_lease_neither_asks_on_nor_writes_the_account() -> None:
    async with working(scene := Scene()):
        scene.vendor.gate.clear()
        scene.wish(limit=300)
        await eventually(lambda: bool(scene.vendor.asked))
        reserved = scene.store.account()
        scene.held = False
        scene.vendor.gate.set()
        await scene.told()

    assert len(scene.vendor.asked) == 1
    assert reserved is not None and scene.store.account() == reserved


def later(before: Scene) -> Scene:
    """The leader after another one, which still has work to do."""
    scene = Scene(before.store)
    scene.now = before.now
    return scene


async def test_from_a_takeover_on_the_leader_before_writes_no_account_and_asks_nothing() -> None:
    async with working(first := Scene()):
        first.wish(ETH)
        await first.told()
        async with running(later(first).historian.work(Histories(markets=Markets()), epoch=2)):
            await eventually(lambda: epoch_of(first) == 2)
            taken_over = first.store.account()
            first.wish(BTC)
            [_, note] = await first.told(2)

    assert "can be paid" in note.note and [room for room, *_ in first.vendor.asked] == [ETH]
    assert taken_over is not None and first.store.account() == taken_over


async def test_an_account_that_came_too_late_does_not_stay() -> None:
    first = Scene()
    async with working(first):
        first.wish(ETH)
        await first.told()
        late = first.store.account()
    second = later(first)
    async with running(second.historian.work(second.histories, epoch=2)):
        second.wish(BTC)
        await second.told()
        right = first.store.account()
        assert late is not None and right is not None and right.spent == late.spent + 1
        # A cache cannot compare and write at once: this was compared before the takeover.
        first.store._account = late
        second.now += KEEP_SECONDS
        await eventually(lambda: epoch_of(first) == 2)

    assert spent(first) == right.spent


def epoch_of(scene: Scene) -> int:
    account = scene.store.account()
    return 0 if account is None else account.epoch
