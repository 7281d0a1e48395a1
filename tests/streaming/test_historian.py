"""The history of a leader's rooms: fetched once, within the plan, kept, and repaired."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.bars import Bar
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import MemoryCandles
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.prices.sessions import Markets
from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.streaming.databank import Databank
from django_fcs.streaming.fetching import PAUSE_SECONDS, Fetcher
from django_fcs.streaming.historian import Historian
from django_fcs.streaming.histories import INTEREST_SECONDS, Histories
from django_fcs.tools.bell import Bell
from django_fcs.tools.tasks import running
from tests.support.waiting import eventually

BTC = Room("BINANCE:BTCUSDT", "1")
ETH = Room("BINANCE:ETHUSDT", "1")
T = 1_766_400_000
"""When the candle opened that is forming when a test begins: the 22nd of a month."""


@pytest.fixture(autouse=True)
def plan() -> Iterator[None]:
    with override_settings(
        FCS_REST_KEY="history", FCS_REST_REQUESTS_PER_MINUTE=60, FCS_REST_CREDITS_PER_MONTH=10_000
    ):
        yield


class Vendor:
    """History as the vendor has it: a bar a minute, the last one forming."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.asked: list[tuple[Room, int, int | None, int | None]] = []
        self.refusals: list[Refused] = []
        self.gate = threading.Event()
        self.gate.set()

    def history(
        self, room: Room, *, length: int, start: int | None = None, end: int | None = None
    ) -> Answer:
        self.asked.append((room, length, start, end))
        assert self.gate.wait(10)
        if self.refusals:
            raise self.refusals.pop(0)
        now = int(self._scene.now)
        last = now - now % 60 if end is None else min(now, end) // 60 * 60
        times = range(last, max(start or 0, last - 60 * length), -60)
        return Answer([bar(t) for t in times], dropped=0, credits=None, server_time=None)


def bar(t: int) -> Bar:
    return Bar(t, 1.0, 3.0, 0.5, 2.0, 10.0)


class Scene:
    """A historian, and what it hears and says."""

    def __init__(self, store: MemoryCandles | None = None) -> None:
        self.now = T + 30.0
        self.held = True
        self.store = store or MemoryCandles()
        self.vendor = Vendor(self)
        self.histories = Histories(markets=Markets())
        self.snapshots: dict[Room, Snapshot] = {}
        self.heard: list[CandleNote] = []
        fetcher = Fetcher(self.vendor, self.store, clock=self.clock)  # type: ignore[arg-type]
        self.historian = Historian(
            self.store,
            fetcher=fetcher,
            databank=Databank(SavedCandles()),
            markets=Markets(),
            lease=self,  # type: ignore[arg-type]
            ready=Bell(),
            clock=self.clock,
        )

    def clock(self) -> float:
        return self.now

    @property
    def is_held(self) -> bool:
        return self.held

    def join(self, *rooms: Room) -> None:
        for room in rooms:
            self.snapshots[room] = Snapshot(room)
            self.histories.begin(room, self.now, self.snapshots[room])
        self.histories.look(rooms, self.now)

    def tick(self, room: Room, t: int) -> None:
        """A candle of the socket, as the stream notes it."""
        history, snapshot = self.histories.get(room), self.snapshots[room]
        assert history is not None
        if snapshot.t is not None and t > snapshot.t:
            self.histories.end_candle(history, self.now)
        values: Any = {"t": t, "o": 1.0, "h": 3.0, "l": 0.5, "c": 2.5, "v": 5.0}
        snapshot.merge(Price(symbol=room.symbol, timeframe="1", mode="candle", **values))

    def wish(self, room: Room = BTC, limit: int = 100, **where: int) -> None:
        self.historian.hear(Wish(room, limit=limit, **where), self.histories)

    @property
    def notes(self) -> list[CandleNote]:
        self.heard += self.historian.wishes.take_notes()
        return self.heard

    async def told(self, count: int = 1) -> list[CandleNote]:
        await eventually(lambda: len(self.notes) >= count)
        return self.heard

    def times(self, room: Room = BTC) -> list[int]:
        kept = self.store.load([room]).get(room)
        return [] if kept is None else kept.series(10_000).times()


@asynccontextmanager
async def working(scene: Scene) -> AsyncIterator[Scene]:
    async with running(scene.historian.work(scene.histories, epoch=1)):
        yield scene


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
    assert notes[1].note == notes[0].note, "whoever asks later is told at once"


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
