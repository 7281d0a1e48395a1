"""The last hour of each room: read before it is saved, saved once a minute, never invented."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from django_fcs.prices.minutes import Minutes, minute_of
from django_fcs.prices.sessions import Markets
from django_fcs.prices.store import MemoryStore
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.streaming.memory import MinuteMemory
from django_fcs.streaming.stream import Stream
from django_fcs.streaming.streamed import Streamed
from tests.streaming.streams import EURUSD, NOW, QUICK, USDJPY, Clock, streaming
from tests.support.waiting import eventually

MINUTE = 60.0 * minute_of(NOW)
THIS = minute_of(NOW)


def memory_of(*rooms: Room, spread: int = 1) -> MinuteMemory:
    """Every room has a price in the minute of ``NOW``."""
    memory = MinuteMemory(spread=spread)
    for room in rooms:
        memory.begin(room, MINUTE).note(1.1, MINUTE)
    return memory


def read(memory: MinuteMemory) -> None:
    """Read a store that has nothing."""
    memory.recall(memory.unread(), {})


def test_a_room_is_saved_once_its_minute_has_ended_and_only_once() -> None:
    memory = memory_of(EURUSD)
    read(memory)

    assert memory.take(MINUTE + 59) == {}
    saved = memory.take(MINUTE + 60)
    assert saved == {EURUSD: Minutes(THIS, (1.1,))}
    memory.were_kept(saved)
    assert memory.take(MINUTE + 61) == memory.take(MINUTE + 120) == {}


def test_what_could_not_be_saved_is_given_again() -> None:
    memory = memory_of(EURUSD)
    read(memory)

    assert memory.take(MINUTE + 60) == memory.take(MINUTE + 61) != {}


def test_a_room_is_not_saved_before_what_is_kept_of_it_was_read() -> None:
    memory = memory_of(EURUSD)

    assert memory.unread() == [EURUSD]
    assert memory.take(MINUTE + 60) == {}
    memory.recall([EURUSD], {EURUSD: Minutes(THIS - 1, (1.0,))})
    assert memory.unread() == []
    assert memory.take(MINUTE + 61) == {EURUSD: Minutes(THIS, (1.0, 1.1))}


def test_the_rooms_of_a_minute_are_spread_over_several_saves() -> None:
    rooms = [Room(f"FX:P{number}", "1D") for number in range(25)]
    memory = memory_of(*rooms, spread=10)
    read(memory)
    sizes = []
    for second in range(60, 72):
        saved = memory.take(MINUTE + second)
        memory.were_kept(saved)
        sizes.append(len(saved))

    assert sizes == [3] * 8 + [1] + [0] * 3


def test_a_stream_that_leaves_saves_all_at_once() -> None:
    rooms = [Room(f"FX:P{number}", "1D") for number in range(25)]
    memory = memory_of(*rooms, spread=10)
    read(memory)

    assert memory.take(MINUTE + 60, at_once=True).keys() == set(rooms)


def test_of_rooms_that_are_forgotten_nothing_is_kept_in_memory() -> None:
    memory = memory_of(EURUSD, USDJPY)
    read(memory)
    memory.were_kept(memory.take(MINUTE + 60))
    memory.forget([EURUSD, USDJPY])
    memory.were_kept({EURUSD: Minutes(THIS, (1.1,))})

    assert memory.take(MINUTE + 180) == {}
    kept = (memory._closes, memory._unread, memory._due, memory._kept)
    assert not any(kept)


def tick(c: float | None, mode: str = "candle", t: int | None = None) -> Price:
    t = int(MINUTE) if t is None else t
    return Price(symbol=EURUSD.symbol, timeframe=EURUSD.timeframe, mode=mode, t=t, c=c)


@pytest.mark.parametrize(
    ("later", "closes"),
    [
        (tick(1.2), (1.1, 1.2)),
        (tick(1.2, "initial"), (1.1,)),
        (tick(None, "askbid"), (1.1,)),
        (tick(1.2, "close", int(MINUTE) - 86_400), (1.1,)),
        (tick(1.2, t=int(MINUTE) - 86_400), (1.1,)),
    ],
)
def test_only_a_tick_that_changes_what_is_shown_is_a_price_of_its_minute(
    later: Price, closes: tuple[float, ...]
) -> None:
    streamed = Streamed(epoch=7, markets=Markets())
    streamed.merge(EURUSD, tick(1.0, t=int(MINUTE) - 86_400), MINUTE - 86_400)
    streamed.merge(EURUSD, tick(1.1), MINUTE)
    streamed.merge(EURUSD, later, MINUTE + 60)
    streamed.minutes.recall([EURUSD], {})

    assert streamed.minutes.take(MINUTE + 120)[EURUSD].closes == closes


# -- through a stream


async def minute(simulator: Simulator, stream: Stream, clock: Clock, c: float) -> None:
    """Let a price come after the one at the join, and its minute end."""
    await eventually(lambda: stream.status.updates, what="the price at the join")
    before = stream.status.updates
    await simulator.push("FX:EURUSD", "1D", c=c)
    await eventually(lambda: stream.status.updates > before, what="the price")
    clock.now += 60


async def test_the_next_leader_goes_on_where_the_one_before_has_ended(
    simulator: Simulator,
) -> None:
    store, clock = MemoryStore(), Clock()

    def kept() -> tuple[float | None, ...]:
        minutes = store.see([EURUSD]).minutes.get(EURUSD)
        return minutes.closes if minutes else ()

    async with streaming(simulator, EURUSD, store=store, clock=clock) as stream:
        await minute(simulator, stream, clock, 1.5)
        await eventually(lambda: kept() == (1.5,))
    clock.now += 60
    async with streaming(simulator, EURUSD, store=store, clock=clock) as stream:
        await minute(simulator, stream, clock, 1.6)
        await eventually(lambda: kept() == (1.5, None, 1.6))


async def test_a_stream_that_ends_saves_the_minutes_that_have_ended(simulator: Simulator) -> None:
    store, clock, leave = MemoryStore(), Clock(), asyncio.Event()
    slow = replace(QUICK, save=1e9)
    async with streaming(
        simulator, EURUSD, store=store, clock=clock, leave=leave, intervals=slow
    ) as stream:
        await minute(simulator, stream, clock, 1.5)
        leave.set()
        await eventually(lambda: store.see([EURUSD]).minutes)

    assert store.see([EURUSD]).minutes[EURUSD].closes == (1.5,)


# -- in any order


class Machine(RuleBasedStateMachine):
    """Ticks, saves, restarts, rooms that are left, and a clock that jumps, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = MINUTE
        self.store: dict[Room, Minutes] = {}
        self.visits: list[tuple[int, float]] = []
        """Each stay of the clock in a minute that had a tick, with the last price of it."""
        self.is_new_visit = True
        self.restart()

    @rule()
    def restart(self) -> None:
        self.memory = MinuteMemory(spread=1)
        self.begin()

    @rule()
    def begin(self) -> None:
        self.memory.forget([EURUSD])
        self.closes = self.memory.begin(EURUSD, self.now)

    @rule(close=st.integers(1, 10**6))
    def tick(self, close: int) -> None:
        self.closes.note(float(close), self.now)
        if not self.is_new_visit:
            self.visits.pop()
        self.visits.append((minute_of(self.now), float(close)))
        self.is_new_visit = False

    @rule(
        seconds=st.sampled_from([0.5, 29.0, 60.0, 61.0, 600.0, 3599.0, 7200.0])
        | st.sampled_from([-0.5, -60.0, -90.0, -3700.0])
    )
    def pass_time(self, seconds: float) -> None:
        before = minute_of(self.now)
        self.now += seconds
        self.is_new_visit |= minute_of(self.now) != before

    @rule(is_answered=st.booleans())
    def recall(self, is_answered: bool) -> None:
        if is_answered:
            self.memory.recall(self.memory.unread(), dict(self.store))

    @rule(is_kept=st.booleans())
    def save(self, is_kept: bool) -> None:
        minutes = self.memory.take(self.now)
        if is_kept:
            self.store.update(minutes)
            self.memory.were_kept(minutes)

    @invariant()
    def all_values_were_the_last_of_their_minute(self) -> None:
        for minutes in self.store.values():
            assert set(minutes) <= set(self.visits)


TestMachine = Machine.TestCase
