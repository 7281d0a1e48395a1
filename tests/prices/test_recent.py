"""The copy of last values: one read for all rooms of a page, and never old ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable

import pytest

from django_fcs.prices.paths import PathReport
from django_fcs.prices.recent import COPY_SECONDS, ROOMS_MAX, SHOWN_SECONDS, RecentValues
from django_fcs.prices.store import LastValue, MemoryStore, Seen
from django_fcs.rooms import Room

ROOMS = [Room(f"FX:PAIR{number}", "1D") for number in range(60)]
BEAT = PathReport(1.0, online=True, reason="")


class CountingStore(MemoryStore):
    """A store that counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def see(self, rooms: Iterable[Room]) -> Seen:
        wanted = list(rooms)
        self.asked.append(len(wanted))
        return super().see(wanted)


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.store = CountingStore()
        self.recent = RecentValues(self.store, monotonic=lambda: self.now)

    def save(self, text: str, *rooms: Room) -> None:
        self.store.save({room: LastValue(text) for room in rooms}, BEAT)

    def page(self, *rooms: Room) -> list[str | None]:
        values = [self.recent.read(room).value for room in rooms]
        return [value.text if value else None for value in values]

    def calls(self) -> list[int]:
        asked, self.store.asked = self.store.asked, []
        return asked


@pytest.fixture
def world() -> World:
    return World()


def test_a_page_asks_once_for_all_rooms_that_were_shown_before(world: World) -> None:
    world.save("old", *ROOMS)
    world.page(*ROOMS)
    assert world.calls() == [1] * 60

    world.save("new", *ROOMS)
    world.now += COPY_SECONDS

    assert world.page(*ROOMS) == ["new"] * 60
    assert world.calls() == [60]


def test_pages_within_a_quarter_of_a_second_share_a_read(world: World) -> None:
    world.save("old", *ROOMS)
    world.page(*ROOMS)
    world.calls()

    world.now += COPY_SECONDS - 0.001
    world.save("new", *ROOMS)

    assert world.page(*ROOMS) == ["old"] * 60
    assert world.calls() == []


def test_a_room_without_a_price_is_not_asked_for_again(world: World) -> None:
    assert world.page(ROOMS[0], ROOMS[0]) == [None, None]
    assert world.calls() == [1]


def test_a_new_room_is_read_alone_with_the_newest_heartbeat(world: World) -> None:
    world.page(ROOMS[0])
    world.save("new", *ROOMS)

    assert world.recent.read(ROOMS[1]) == (LastValue("new"), BEAT, None)
    assert world.page(ROOMS[0]) == [None]
    assert world.calls() == [1, 1]


def test_a_room_that_is_not_shown_any_more_is_not_read_any_more(world: World) -> None:
    world.page(*ROOMS)
    world.now += SHOWN_SECONDS - 1
    world.page(ROOMS[7])
    world.now += 1
    world.calls()

    world.page(ROOMS[7])

    assert world.calls() == [1]
    assert len(world.recent._shown) == len(world.recent._copy.rooms) == 1


def test_rooms_without_number_neither_fill_the_memory_nor_the_cache(world: World) -> None:
    rooms = [Room(f"FX:PAIR{number}", "1D") for number in range(3 * ROOMS_MAX)]
    world.save("old", *rooms)

    for _ in range(3):
        world.now += COPY_SECONDS
        assert world.page(*rooms) == ["old"] * len(rooms)
        assert len(world.recent._copy.rooms) <= ROOMS_MAX
        assert max(world.calls()) <= ROOMS_MAX
    world.now += COPY_SECONDS
    world.page(rooms[0])
    assert len(world.recent._shown) <= ROOMS_MAX


def test_a_slow_store_is_not_asked_for_each_widget(world: World) -> None:
    world.page(*ROOMS)
    world.calls()
    world.now += COPY_SECONDS
    see = world.store.see

    def slow(rooms: Iterable[Room]) -> Seen:
        world.now += 10
        return see(rooms)

    world.store.see = slow  # type: ignore[method-assign]
    world.page(*ROOMS)

    assert world.calls() == [60]


def test_threads_that_show_pages_at_once_get_their_values() -> None:
    store = CountingStore()
    recent = RecentValues(store)
    store.save({room: LastValue(str(room)) for room in ROOMS}, BEAT)
    wrong: list[object] = []

    def show() -> None:
        for _ in range(200):
            for room in ROOMS[::7]:
                value = recent.read(room).value
                if value is None or value.text != str(room):
                    wrong.append(value)
                recent._copy = recent._copy._replace(at=-1e9)

    threads = [threading.Thread(target=show) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_reads_as_the_first_one() -> None:
    recent = RecentValues(CountingStore())
    recent.store.save({ROOMS[0]: LastValue("x")}, BEAT)
    recent.read(ROOMS[0])

    child = os.fork()
    if not child:
        seen = recent.read(ROOMS[0])
        os._exit(0 if seen.value == LastValue("x") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
