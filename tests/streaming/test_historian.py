"""The history of a leader's rooms: fetched once for all, within the plan of the site."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import MemoryCandles
from django_fcs.layer.events import CandleNote
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room
from django_fcs.streaming.databank import Databank
from django_fcs.streaming.historian import Historian
from django_fcs.streaming.histories import INTEREST_SECONDS
from django_fcs.streaming.pauses import PAUSE_SECONDS
from django_fcs.tools.bell import Bell
from tests.support.waiting import eventually

from .historians import BTC, ETH, Scene, T, plan, working

__all__ = ["plan"]


async def test_many_wishes_for_a_room_cost_one_request_and_reach_the_store_before_the_note() -> (
    None
):
    async with working(Scene()) as scene:
        scene.vendor.gate.clear()
        for _ in range(200):
            scene.wish()
        await eventually(lambda: bool(scene.vendor.asked))
        for _ in range(200):
            scene.wish()
        scene.vendor.gate.set()
        await scene.told()
        scene.wish()
        notes = await scene.told(2)

    assert scene.vendor.asked == [(BTC, 100, None, None)]
    assert notes[0] == CandleNote(BTC, T - 99 * 60, T)
    assert notes[1] == CandleNote(BTC), "the second time there is nothing to fetch"
    assert scene.times() == list(range(T - 99 * 60, T + 60, 60))


async def test_rooms_are_asked_for_at_the_same_time_and_each_once() -> None:
    rooms = [Room(f"BINANCE:{coin}USDT", "1") for coin in ("BTC", "ETH", "SOL", "XRP", "ADA")]
    async with working(Scene()) as scene:
        for room in 40 * rooms:
            scene.wish(room)
        await scene.told(5)

    assert sorted(room.symbol for room, *_ in scene.vendor.asked) == sorted(
        room.symbol for room in rooms
    )


async def test_with_three_requests_a_minute_the_others_are_told_and_come_a_minute_later() -> None:
    rooms = [Room(f"BINANCE:{coin}USDT", "1") for coin in ("BTC", "ETH", "SOL", "XRP", "ADA")]
    with override_settings(FCS_REST_REQUESTS_PER_MINUTE=3):
        async with working(Scene()) as scene:
            for room in rooms:
                scene.wish(room)
            notes = await scene.told(5)
            waiting = [note for note in notes if note.wait is not None]

            assert len(scene.vendor.asked) == 3 and len(waiting) == 2
            assert all(
                "minute" in note.note and 0 < note.wait <= 61 for note in waiting if note.wait
            )

            scene.now += 61
            scene.historian.wishes.changed.ring()
            await scene.told(7)

    assert len(scene.vendor.asked) == 5
    assert {note.room for note in scene.heard[5:]} == {note.room for note in waiting}
    assert all(note.start is not None and not note.note for note in scene.heard[5:])


async def test_no_credit_is_spent_beyond_the_plan_of_the_month() -> None:
    with override_settings(FCS_REST_CREDITS_PER_MONTH=1):
        async with working(Scene()) as scene:
            scene.wish()
            [note] = await scene.told()

    assert not scene.vendor.asked
    assert "credits" in note.note and note.wait and note.wait > 86_400


async def test_a_store_that_does_not_take_the_account_lets_nothing_be_asked() -> None:
    class Forgetful(MemoryCandles):
        async def asave_account(self, account: object) -> bool:
            return False

    async with working(Scene(Forgetful())) as scene:
        scene.wish()
        [note] = await scene.told()

    assert not scene.vendor.asked and note.wait == PAUSE_SECONDS


async def test_a_refusal_for_too_many_requests_stops_all_until_the_vendor_allows_them() -> None:
    async with working(Scene()) as scene:
        scene.vendor.refusals = [Refused(RefusalKind.RATE, "429", retry_after=120.0)]
        scene.wish()
        await scene.told()
        scene.wish(ETH)
        notes = await scene.told(2)
        assert len(scene.vendor.asked) == 1
        assert [note.wait for note in notes] == [pytest.approx(120), pytest.approx(120)]

        scene.now += 120
        scene.historian.wishes.changed.ring()
        await scene.told(4)
    assert len(scene.vendor.asked) == 3


async def test_a_symbol_without_history_is_not_asked_for_again_and_others_are() -> None:
    async with working(Scene()) as scene:
        scene.vendor.refusals = [Refused(RefusalKind.SYMBOL, "no such symbol")]
        scene.wish()
        [note] = await scene.told()
        assert "no history of this symbol" in note.note
        scene.wish()
        scene.wish(ETH)
        notes = await scene.told(3)

    assert [room for room, *_ in scene.vendor.asked] == [BTC, ETH]
    assert notes[1].note == notes[0].note, "those who ask later are told at once"


async def test_a_vendor_that_does_not_answer_is_asked_less_and_less() -> None:
    async with working(Scene()) as scene:
        scene.vendor.refusals = 3 * [Refused(RefusalKind.UNAVAILABLE, "no answer")]
        scene.wish()
        waits = []
        for number in range(3):
            notes = await scene.told(number + 1)
            waits.append(notes[-1].wait)
            scene.now += waits[-1] or 0
            scene.historian.wishes.changed.ring()
        notes = await scene.told(4)

    assert waits == [5, 10, 20]
    assert notes[-1].start is not None and not notes[-1].note


async def test_an_exception_in_one_room_ends_only_its_wishes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with working(Scene()) as scene:
        history = scene.vendor.history

        def faulty(room: Room, **asked: Any) -> Answer:
            if room == BTC:
                raise ZeroDivisionError
            return history(room, **asked)

        scene.vendor.history = faulty  # type: ignore[method-assign]
        scene.wish()
        scene.wish(ETH)
        await scene.told()

    assert scene.heard[0].room == ETH and "BINANCE:BTCUSDT" in caplog.text


async def test_a_leader_without_its_lease_saves_nothing() -> None:
    scene = Scene()
    scene.join(BTC)
    scene.held = False
    async with working(scene):
        scene.tick(BTC, T)
        await scene.historian.save(scene.histories, at_once=True)

    assert scene.times() == []


def test_a_room_that_is_not_streamed_is_forgotten_an_hour_after_the_last_wish() -> None:
    scene = Scene()
    scene.wish()
    scene.histories.look([], scene.now + INTEREST_SECONDS - 1)
    assert scene.histories.get(BTC) is not None
    scene.histories.look([], scene.now + INTEREST_SECONDS)
    assert scene.histories.get(BTC) is None


async def test_without_a_key_a_wish_is_answered_with_the_reason() -> None:
    scene = Scene()
    scene.historian = Historian(
        scene.store,
        fetcher=None,
        databank=Databank(SavedCandles()),
        markets=Markets(),
        lease=scene,  # type: ignore[arg-type]
        ready=Bell(),
        clock=scene.clock,
    )
    scene.wish()

    assert [note.note for note in scene.notes] == ["this site has no key for the vendor's history"]
