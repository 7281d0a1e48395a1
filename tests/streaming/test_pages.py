"""Rooms that pages show: a page that nobody's script watches has live prices."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from django.template import Context, Template
from django.test import override_settings
from hypothesis import given, strategies as st

from django_fcs.prices.rendered import Slot
from django_fcs.prices.store import MemoryStore
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.site import site_store
from django_fcs.streaming.pages import Pages
from django_fcs.tools.metrics import counts, gauges
from tests.streaming.streams import EURUSD, GBPUSD, USDJPY, Clock, joined, listening, streaming
from tests.support.waiting import eventually

#: Its market is always open.
ETHUSDT = Room("BINANCE:ETHUSDT", "1D")

PAGE = Template('{% load fcs %}{% fcs_ticker "BINANCE:ETHUSDT" %}')


class World:
    def __init__(self, **limits: Any) -> None:
        self.now = 0.0
        self.pages = Pages(MemoryStore(), monotonic=lambda: self.now, **limits)

    def note(self, *rooms: object, slot: int = 0, number: int = 1, owner: str = "x") -> None:
        self.pages.note({slot: Slot(owner, number, tuple(map(str, rooms)))})


def test_a_room_is_wanted_for_150_seconds_after_it_was_written() -> None:
    world = World()
    world.note(EURUSD)
    world.now = 149.9
    assert world.pages.rooms() == [EURUSD]

    world.now = 150.0
    assert world.pages.rooms() == []


def test_a_slot_that_nobody_writes_any_more_keeps_no_room() -> None:
    world = World()
    for world.now in range(0, 160, 5):
        world.note(EURUSD)

    assert world.pages.rooms() == []


def test_a_slot_that_is_written_again_keeps_its_rooms_and_others_expire() -> None:
    world = World()
    world.note(EURUSD, USDJPY)
    world.now = 60
    world.note(USDJPY, number=2)
    world.now = 120
    world.note(USDJPY, number=1, owner="another")
    world.now = 200

    assert world.pages.rooms() == [USDJPY]


def test_a_room_in_doubt_comes_last_until_the_vendor_confirms_it() -> None:
    world = World()
    world.note(EURUSD, USDJPY, GBPUSD)
    world.pages.learn(joined=[USDJPY], unconfirmed=[EURUSD, Room("FX:OTHER", "1D")])
    assert world.pages.rooms() == [USDJPY, GBPUSD, EURUSD]

    world.pages.learn(joined=[EURUSD], unconfirmed=[])
    assert world.pages.rooms() == [EURUSD, USDJPY, GBPUSD]
    world.pages.learn(joined=[], unconfirmed=[GBPUSD])
    world.now = 150
    assert world.pages.rooms() == []


def test_rooms_without_number_are_not_held_and_those_of_most_processes_come_first() -> None:
    world = World(rooms_max=3)
    invented = [Room(f"FX:P{number}", "1D") for number in range(100)]
    world.pages.note(
        {
            0: Slot("a", 1, (*map(str, invented), str(EURUSD))),
            1: Slot("b", 1, (str(EURUSD), str(EURUSD))),
        }
    )
    assert world.pages.rooms() == [EURUSD, *invented[:2]]

    world.note(USDJPY, number=2)
    assert len(world.pages.rooms()) == 3
    world.now = 150
    world.note(USDJPY, number=3)
    assert world.pages.rooms() == [USDJPY]


def test_a_text_that_is_no_room_is_counted_and_costs_no_other_room() -> None:
    world = World()
    world.note("junk", "", EURUSD, "fx:eurusd")

    assert world.pages.rooms() == [EURUSD]
    assert counts()["store_malformed"] == 3


slots = st.dictionaries(
    st.integers(0, 3),
    st.builds(
        Slot,
        st.sampled_from("ab"),
        st.integers(0, 3),
        st.lists(st.sampled_from(["FX:A_1D", "FX:B_60", "FX:C", "junk", ""])).map(tuple),
    ),
)


@given(st.lists(st.tuples(slots, st.floats(0, 200)), max_size=10))
def test_whatever_the_slots_hold_the_rooms_are_few_and_expire(
    said: Iterable[tuple[dict[int, Slot], float]],
) -> None:
    world = World(rooms_max=2)
    for found, pause in said:
        world.pages.note(found)
        world.now += pause
        assert len(world.pages.rooms()) <= 2
    world.now += 150

    assert world.pages.rooms() == []


# -- through a stream


def shown() -> str:
    return str(PAGE.render(Context()))


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_page_without_a_script_has_a_live_price_at_the_second_look(
    simulator: Simulator, is_open: bool
) -> None:
    """Nobody is asked whether the page may show it: the site chose to."""
    clock = Clock()
    clock.now = time.time()
    with override_settings(FCS_AUTHORIZE=None if is_open else f"{__name__}.refuse"):
        assert 'data-state="waiting"' in shown()
        store = site_store()
        assert isinstance(store, MemoryStore)
        async with streaming(simulator, store=store, clock=clock):
            await joined(simulator, ETHUSDT)
            await eventually(lambda: store.load([ETHUSDT])[0])
            await eventually(lambda: gauges().get("stream_rooms_rendered") == 1)

            assert 'data-state="live"' in shown()


def refuse(scope: Any, room: Any) -> bool:
    raise AssertionError("nobody asks")


async def test_a_room_that_is_watched_as_well_does_not_count_as_rendered(
    simulator: Simulator,
) -> None:
    shown()
    store, clock = site_store(), Clock()
    assert isinstance(store, MemoryStore)
    async with listening() as hub, streaming(simulator, store=store, clock=clock) as stream:
        await joined(simulator, ETHUSDT)
        await hub.needs(ETHUSDT)
        await eventually(lambda: stream.status.rendered == 0)
        await hub.needs()
        clock.now += 149
        await eventually(lambda: (stream.status.rendered, stream.status.wanted) == (1, 1))
        clock.now += 2
        await eventually(lambda: stream.status.wanted == 0)
