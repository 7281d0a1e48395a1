"""Who shares a frame with whom on the merge protocol."""

from __future__ import annotations

import gc
import math

import pytest

from django_fcs.fanout.cohorts import _Cohort
from django_fcs.rooms import Room
from tests.fanout.scenes import Page, Scene, assert_within_rate
from tests.support.hubs import EURUSD, USDJPY, key, update

GBPUSD = Room("FX:GBPUSD", "1D")


@pytest.fixture
def scene() -> Scene:
    return Scene()


# -- one frame for all


def test_every_page_is_alone_at_first(scene: Scene) -> None:
    pages = [scene.page(EURUSD) for _ in range(3)]
    scene.publish(seq=1)

    assert len(scene.cohorts) == 3
    assert len({id(page.frames[0]) for page in pages}) == 3
    assert [page.prices for page in pages] == [[("initial", 1)]] * 3


def test_pages_that_were_sent_the_same_share_one_frame_from_then_on(scene: Scene) -> None:
    pages = scene.united(EURUSD, USDJPY, pages=50)
    scene.publish(seq=2)
    scene.run(1)
    scene.publish(USDJPY, seq=2)

    for number in (0, 1):
        assert len({id(page.frames[number]) for page in pages}) == 1
    assert pages[0].prices == [("candle", 2), ("candle", 2)]


def test_another_rate_or_other_rooms_are_another_cohort(scene: Scene) -> None:
    for rooms, rate in (
        *(((EURUSD,), 10.0), ((EURUSD,), 4.0)),
        *(((EURUSD, USDJPY), 10.0), ((USDJPY,), 10.0), ((), 10.0)),
    ):
        for _ in range(3):
            scene.page(*rooms, rate=rate)
    scene.publish(seq=1)
    scene.publish(USDJPY, seq=1)
    scene.run(1)
    scene.cohorts.settle()

    assert len(scene.cohorts) == 5


def test_the_order_of_the_joins_makes_no_difference(scene: Scene) -> None:
    scene.page(EURUSD, USDJPY), scene.page(USDJPY, EURUSD)
    scene.publish(seq=1)
    scene.publish(USDJPY, seq=1)
    scene.run(1)
    scene.cohorts.settle()

    assert len(scene.cohorts) == 1


def test_who_has_had_no_price_of_a_room_yet_waits_for_it_among_its_like(scene: Scene) -> None:
    old = scene.united(EURUSD)
    new = [scene.page(EURUSD) for _ in range(2)]
    scene.cohorts.settle()
    assert len(scene.cohorts) == 2
    scene.publish(seq=2)
    scene.run(1)
    scene.cohorts.settle()
    assert len(scene.cohorts) == 1

    assert [page.prices for page in old] == [[("candle", 2)]] * 2
    assert [page.prices for page in new] == [[("initial", 2)]] * 2


def test_no_page_is_united_while_something_waits_for_it(scene: Scene) -> None:
    early, late = scene.page(EURUSD), scene.page(EURUSD)
    scene.publish(seq=1)
    scene.now += 0.05
    scene.publish(seq=2)
    scene.cohorts.settle()
    assert len(scene.cohorts) == 2
    scene.run(0.04)
    assert early.seqs == late.seqs == [1]
    scene.run(1)
    scene.cohorts.settle()

    assert len(scene.cohorts) == 1
    assert early.seqs == late.seqs == [1, 2]


def test_who_is_united_with_one_that_was_quiet_gets_no_frame_before_its_turn(scene: Scene) -> None:
    quiet, told = scene.page(EURUSD), scene.page(EURUSD)
    scene.publish(seq=1)
    scene.run(1)
    scene.cohorts._routes.discard(key(EURUSD), scene.cohorts._of[quiet])
    scene.publish(seq=2)
    scene.cohorts._routes.add(key(EURUSD), scene.cohorts._of[quiet])
    scene.now += 0.01
    scene.cohorts.settle()
    assert len(scene.cohorts) == 1
    scene.publish(seq=3)
    assert told.seqs == [1, 2]
    scene.run(0.1)

    assert told.seqs == [1, 2, 3]
    assert_within_rate(told, 10)


def test_pages_out_of_phase_come_into_step_though_the_feed_never_rests(scene: Scene) -> None:
    pages = []
    for number in range(8):
        pages.append(scene.page(EURUSD))
        scene.publish(seq=number + 1)
        scene.now += 0.013
    for seq in range(10, 400):
        scene.publish(seq=seq)
        scene.run(0.007)
        if seq % 100 == 0:
            scene.cohorts.settle()
    assert len(scene.cohorts) == 1

    assert len({id(page.frames[-1]) for page in pages}) == 1
    for page in pages:
        assert page.seqs == sorted(set(page.seqs))
        assert_within_rate(page, 10)


def test_a_beat_goes_to_all_and_keeps_none_apart(scene: Scene) -> None:
    pages = [scene.page(EURUSD), scene.page(EURUSD), scene.page()]
    scene.publish(seq=1)
    scene.cohorts.tell_all("beat", '{"type":"beat"}')
    scene.run(1)
    scene.cohorts.settle()

    assert len(scene.cohorts) == 2
    assert [page.heard[-1] for page in pages] == [{"type": "beat"}] * 3


# -- one leaves the others


def test_what_one_joins_leaves_or_wishes_is_nothing_to_the_others(scene: Scene) -> None:
    stays, joins, leaves, slows = pages = scene.united(EURUSD, USDJPY, pages=4)
    scene.publish(seq=2)
    scene.cohorts.join(joins, key(GBPUSD))
    scene.cohorts.leave(leaves, key(USDJPY))
    scene.cohorts.set_rate(slows, 2)
    for seq in (3, 4):
        scene.run(0.1)
        for room in (EURUSD, USDJPY, GBPUSD):
            scene.publish(room, seq=seq)
    scene.run(1)

    def heard_of(page: Page, room: Room) -> list[tuple[str, int]]:
        return [
            (one["prices"]["mode"], one["seq"])
            for one in page.heard
            if one.get("symbol") == room.symbol
        ]

    candles = [("candle", seq) for seq in (2, 3, 4)]
    for page in (stays, joins, leaves):
        assert heard_of(page, EURUSD) == candles
    assert [heard_of(page, GBPUSD) for page in pages] == [
        [],
        [("initial", 3), ("candle", 4)],
        [],
        [],
    ]
    assert [heard_of(page, USDJPY) for page in (stays, joins)] == [candles[1:]] * 2
    assert heard_of(leaves, USDJPY) == []
    assert heard_of(slows, EURUSD) == [candles[0], candles[2]]


def test_what_waits_for_all_goes_along_with_one_who_leaves_them(scene: Scene) -> None:
    stays, leaves = scene.united(EURUSD, USDJPY)
    scene.publish(seq=2)
    scene.publish(USDJPY, seq=2)
    scene.publish(seq=3)
    scene.cohorts.leave(leaves, key(USDJPY))
    scene.run(1)

    assert [one["symbol"] for one in stays.heard] == ["FX:EURUSD", "FX:USDJPY", "FX:EURUSD"]
    assert [one["symbol"] for one in leaves.heard] == ["FX:EURUSD", "FX:EURUSD"]
    assert stays.seqs == [2, 2, 3]


def test_a_page_that_goes_takes_nothing_from_the_others(scene: Scene) -> None:
    stays, goes = scene.united(EURUSD)
    scene.publish(seq=2)
    scene.publish(seq=3)
    scene.cohorts.exit(goes)
    scene.run(1)

    assert stays.seqs == [2, 3]
    assert goes.seqs == [2]


def test_after_a_join_its_first_price_is_initial_and_what_waited_of_it_is_not_sent(
    scene: Scene,
) -> None:
    stays, joins = scene.united(EURUSD)
    scene.publish(seq=2)
    scene.publish(seq=3)
    scene.publish(seq=4, t=120)
    reader = scene.cohorts.join(joins, key(EURUSD))
    reader.put(key(EURUSD), update(EURUSD, seq=4, t=120))
    scene.run(1)

    assert stays.prices == [("candle", 2), ("candle", 3), ("candle", 4)]
    assert joins.prices == [("candle", 2), ("initial", 4)]


def test_of_a_left_room_nothing_more_is_sent(scene: Scene) -> None:
    page = scene.page(EURUSD, USDJPY)
    scene.publish(seq=1)
    for room in (EURUSD, USDJPY):
        scene.publish(room, seq=2)
    scene.cohorts.leave(page, key(EURUSD))
    scene.cohorts.leave(page, key(EURUSD))
    scene.publish(seq=3)
    scene.run(1)

    assert [one["symbol"] for one in page.heard] == ["FX:EURUSD", "FX:USDJPY"]


# -- nothing is left behind


def test_with_the_last_page_every_cohort_and_route_is_gone(scene: Scene) -> None:
    pages = scene.united(EURUSD, USDJPY, pages=4)
    pages[0].is_stalled = True
    scene.cohorts.join(pages[1], key(GBPUSD))
    scene.publish(seq=2)
    scene.publish(seq=3)
    scene.run(0.2)
    scene.publish(seq=4)
    assert len(in_memory(scene)) == len(scene.cohorts) == 3
    for page in pages:
        scene.cohorts.exit(page)
    scene.run(1)
    scene.cohorts.settle()

    assert len(scene.cohorts) == 0
    assert not scene.cohorts._routes._readers
    assert not scene.cohorts._of
    assert scene.cohorts.next_due() == math.inf
    assert not in_memory(scene)


def in_memory(scene: Scene) -> list[_Cohort[Page]]:
    """Whatever holds them."""
    gc.collect()
    agenda = scene.cohorts._agenda
    return [it for it in gc.get_objects() if type(it) is _Cohort and it.agenda is agenda]
