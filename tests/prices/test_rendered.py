"""What pages show, on its way to the stream: in one slot a process, bounded, and no page waits."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.template import Context, Template
from django.test import override_settings

from django_fcs.prices.entries import encode
from django_fcs.prices.rendered import ROOMS_MAX, Place, Rendered, Shelf, Slot, read_slots
from django_fcs.prices.store import CacheStore, MemoryStore
from django_fcs.rooms import Room
from django_fcs.site import site_store
from django_fcs.tools.metrics import counts
from django_fcs.tools.worker import Worker
from tests.support.caches import EURUSD, USDJPY, SickCache

pytestmark = pytest.mark.versions


class OpenCache:
    """A cache without a clock, which several processes share."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.calls: list[str] = []

    def get(self, key: str) -> Any:
        return self.kept.get(key)

    def get_many(self, keys: Any) -> dict[str, Any]:
        self.calls.append("get_many")
        return {key: self.kept[key] for key in keys if key in self.kept}

    def add(self, key: str, value: str, timeout: int) -> bool:
        self.calls.append(f"add for {timeout} s")
        return self.kept.setdefault(key, value) is value

    def set(self, key: str, value: str, timeout: int) -> None:
        self.calls.append(f"set for {timeout} s")
        self.kept[key] = value


def rooms_of(cache: OpenCache) -> dict[int, tuple[str, ...]]:
    return {number: slot.rooms for number, slot in read_slots(cache).items()}


# -- slots


def test_a_process_writes_its_rooms_into_a_slot_and_keeps_it() -> None:
    cache, place = OpenCache(), Place(first=7)

    assert place.put(cache, ("FX:EURUSD_1D",))
    assert rooms_of(cache) == {7: ("FX:EURUSD_1D",)}
    assert place.put(cache, ("FX:USDJPY_1D",))
    assert rooms_of(cache) == {7: ("FX:USDJPY_1D",)}
    assert json.loads(cache.kept["fcs:4:rendered:7"])["number"] == 2
    expected = ["get_many", "add for 150 s", "get_many", "get_many", "set for 150 s", "get_many"]
    assert cache.calls == expected


def test_a_slot_that_another_process_holds_is_passed_over() -> None:
    cache = OpenCache()
    places = [Place(first=255), Place(first=255), Place(first=0)]
    for number, place in enumerate(places):
        assert place.put(cache, (f"FX:P{number}_1D",))

    assert rooms_of(cache) == {255: ("FX:P0_1D",), 0: ("FX:P1_1D",), 1: ("FX:P2_1D",)}
    cache.kept.clear()
    assert places[2].put(cache, ("FX:P2_1D",)) and places[0].put(cache, ("FX:P0_1D",))
    assert rooms_of(cache) == {255: ("FX:P0_1D",), 1: ("FX:P2_1D",)}


def test_a_process_that_was_slower_takes_the_next_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, first, second = OpenCache(), Place(first=3), Place(first=3)
    read = cache.get_many

    def late(keys: Any) -> dict[str, Any]:
        found = read(keys)
        monkeypatch.setattr(cache, "get_many", read)
        first.put(cache, ("FX:A_1D",))
        return found

    monkeypatch.setattr(cache, "get_many", late)
    assert second.put(cache, ("FX:B_1D",))
    assert rooms_of(cache) == {3: ("FX:A_1D",), 4: ("FX:B_1D",)}


def test_where_all_slots_are_held_a_process_tries_others_the_next_time() -> None:
    cache = OpenCache()
    holders = [Place(slots=6, first=number) for number in range(5)]
    assert all(holder.put(cache, ()) for holder in holders)
    late = Place(slots=6, tries=2, first=0)

    assert [late.put(cache, ("FX:A_1D",)) for _ in range(3)] == [False, False, True]
    assert Place(slots=6, tries=6).put(cache, ()) is False
    assert len(cache.kept) == 6


ODD: tuple[Any, ...] = (
    *("junk", "[]", 5, None, b"\xff", object(), '{"owner":"x"}', "[" * 100_000),
    *('{"owner":"","number":1,"rooms":[]}', '{"owner":"x","number":-1,"rooms":[]}'),
    encode(Slot("x", 1, tuple(f"FX:P{number}" for number in range(ROOMS_MAX + 1)))),
    encode(Slot("x", 1, ("x" * 101,))),
)


@pytest.mark.parametrize("junk", ODD, ids=lambda junk: type(junk).__name__)
def test_a_malformed_slot_is_nobodys(junk: Any) -> None:
    cache = OpenCache()
    cache.kept["fcs:4:rendered:7"] = junk
    assert read_slots(cache) == {}

    assert Place(first=7).put(cache, ("FX:EURUSD_1D",))
    assert rooms_of(cache) == {7: ("FX:EURUSD_1D",)}
    assert counts().get("store_malformed", 0) == (0 if junk is None else 2)


# -- rooms


def test_a_room_is_forgotten_if_it_is_not_rendered_any_more() -> None:
    shelf = Shelf(seconds=60)
    shelf.note(EURUSD, 0)
    shelf.note(USDJPY, 30)
    shelf.note(EURUSD, 40)

    assert shelf.rooms(90) == [EURUSD]
    assert shelf.rooms(100) == []


def test_a_room_that_pages_show_all_the_time_keeps_its_place_in_a_flood() -> None:
    shelf = Shelf(seconds=60, rooms_max=10)
    for number in range(1000):
        now = number / 5
        assert shelf.note(EURUSD, now)
        shelf.note(Room(f"FX:P{number}", "1D"), now)
        assert len(shelf.rooms(now)) <= 10
        assert len(shelf._rooms) <= 10

    assert EURUSD in shelf.rooms(200)


# -- when it is written


class World:
    """A process whose thread runs only when the test lets it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_kept = True
        self.written: list[tuple[float, list[str]]] = []
        self.jobs: list[Callable[[], Any]] = []
        self.shows: dict[float, Room] = {}
        """What pages show while the thread waits."""
        world = self

        class Thread(Worker):
            def submit(self, work: Callable[[], Any]) -> Future[Any]:
                world.jobs.append(work)
                return Future()

        self.rendered = Rendered(
            self.write, worker=Thread("test"), monotonic=lambda: self.now, sleep=self.sleep
        )

    def write(self, place: Place, rooms: tuple[str, ...]) -> bool:
        self.written.append((self.now, [*rooms]))
        return self.is_kept

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now in self.shows:
            self.rendered.note(self.shows[self.now])

    def run(self) -> None:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()


def test_the_rooms_of_a_page_are_written_together_a_second_later() -> None:
    world = World()
    world.rendered.note(EURUSD)
    world.rendered.note(USDJPY)
    assert (len(world.jobs), world.written) == (1, [])
    world.run()

    assert world.written == [(1.0, ["FX:EURUSD_1D", "FX:USDJPY_60"])]


def test_a_new_room_is_written_soon_and_a_known_one_once_a_minute() -> None:
    world = World()
    world.rendered.note(EURUSD)
    world.run()
    world.rendered.note(EURUSD)
    world.shows = {20.0: USDJPY}
    world.run()
    assert world.written[1:] == [(20.0, ["FX:EURUSD_1D", "FX:USDJPY_60"])]

    world.rendered.note(EURUSD)
    world.run()
    assert world.written[2:] == [(80.0, ["FX:EURUSD_1D", "FX:USDJPY_60"])]
    world.rendered.note(EURUSD)
    world.shows = {82.0: Room("FX:GBPUSD", "1D")}
    world.run()
    assert world.written[3:] == [(85.0, ["FX:EURUSD_1D", "FX:GBPUSD_1D"])]


def test_what_could_not_be_written_is_written_soon() -> None:
    world = World()
    world.is_kept = False
    world.rendered.note(EURUSD)
    world.run()
    world.rendered.note(EURUSD)
    world.run()

    assert [at for at, _ in world.written] == [1.0, 6.0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_writes_though_its_parent_was_about_to() -> None:
    world = World()
    world.rendered.note(EURUSD)
    world.jobs.clear()

    child = os.fork()
    if not child:
        world.rendered.note(USDJPY)
        world.run()
        os._exit(0 if world.written == [(1.0, ["FX:USDJPY_60"])] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- through the stores


PAGE = Template('{% load fcs %}{% fcs_ticker "FX:EURUSD" %}{% fcs_price "FX:USDJPY" %}')


async def test_a_site_in_one_process_keeps_in_memory_what_its_pages_show() -> None:
    PAGE.render(Context())
    store = site_store()
    assert isinstance(store, MemoryStore)

    [slot] = (await store.arendered()).values()
    assert slot.rooms == ("FX:EURUSD_1D", "FX:USDJPY_1D")
    PAGE.render(Context())
    [again] = (await store.arendered()).values()
    assert (again.owner, again.rooms) == (slot.owner, slot.rooms) and again.number > slot.number
    store.clear()
    assert (await store.arendered())[0].rooms == ()


async def test_a_site_of_many_processes_writes_it_to_its_cache(shared_layer: object) -> None:
    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with override_settings(CACHES=caches):
        store = CacheStore("default")
        assert store._write_rendered(Place(first=7), ("FX:EURUSD_1D",))

        found = await CacheStore("default").arendered()
    assert {number: slot.rooms for number, slot in found.items()} == {7: ("FX:EURUSD_1D",)}


async def test_a_cache_that_hangs_costs_a_page_nothing(cache: type[SickCache]) -> None:
    cache.released.clear()
    store = CacheStore("default", patience=60)

    for _ in range(1000):
        store.note_rendered(EURUSD)
    assert cache.calls == []


async def test_a_cache_that_fails_has_no_slots(cache: type[SickCache]) -> None:
    store = CacheStore("default")
    cache.error = OSError("no route")

    assert await store.arendered() == {}
    assert store._write_rendered(Place(), ("FX:EURUSD_1D",)) is False
