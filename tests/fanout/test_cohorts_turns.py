"""When a frame of the merge protocol goes, and what becomes of one who does not read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.fanout.mail import FRAME_BYTES
from django_fcs.rooms import Room
from tests.fanout.scenes import Scene, assert_within_rate
from tests.support.hubs import EURUSD, USDJPY, key, update


@pytest.fixture
def scene() -> Scene:
    return Scene()


# -- one who does not read


def test_who_is_shut_goes_alone_and_gets_later_all_that_it_missed(scene: Scene) -> None:
    reads, stalls = scene.united(EURUSD)
    stalls.is_stalled = True
    for seq, t in ((2, 60), (3, 60), (4, 60), (5, 120), (6, 120)):
        scene.publish(seq=seq, t=t)
        scene.run(0.2)
    assert reads.seqs == [2, 3, 4, 5, 6]
    assert stalls.seqs == [2]
    assert len(scene.cohorts) == 2

    stalls.read()
    scene.run(0)
    assert stalls.seqs == [2, 4, 6]
    scene.run(1)
    scene.cohorts.settle()
    assert len(scene.cohorts) == 1
    scene.publish(seq=7)
    assert reads.frames[-1] is stalls.frames[-1]


def test_who_opens_again_before_the_next_frame_has_not_left(scene: Scene) -> None:
    pages = scene.united(EURUSD)
    pages[1].is_stalled = True
    scene.publish(seq=2)
    pages[1].read()
    scene.publish(seq=3)
    scene.run(1)

    assert len(scene.cohorts) == 1
    assert [page.seqs for page in pages] == [[2, 3], [2, 3]]


def test_who_was_shut_by_something_else_than_a_frame_is_not_sent_one(scene: Scene) -> None:
    reads, busy = scene.united(EURUSD)
    busy.is_open = False
    scene.publish(seq=2)
    scene.run(1)
    scene.publish(seq=3)
    busy.read()
    scene.run(1)

    assert reads.seqs == [2, 3]
    assert busy.seqs == [3]


def test_when_all_are_shut_each_gets_later_what_it_missed(scene: Scene) -> None:
    pages = scene.united(EURUSD, pages=3)
    for page in pages:
        page.is_stalled = True
    for seq in (2, 3, 4):
        scene.publish(seq=seq)
        scene.run(0.5)
    for page in pages:
        page.read()
    scene.run(1)

    assert [page.seqs for page in pages] == [[2, 4]] * 3


def test_who_is_shut_costs_no_wake_up(scene: Scene) -> None:
    page = scene.page(EURUSD)
    page.is_stalled = True
    scene.publish(seq=1)
    scene.run(1)
    scene.publish(seq=2)
    scene.publish(seq=3)

    assert scene.cohorts.next_due() == math.inf


def test_who_has_opened_is_sent_nothing_where_nothing_waits(scene: Scene) -> None:
    page = scene.page(EURUSD)
    page.is_stalled = True
    scene.publish(seq=1)
    page.read()
    scene.run(10)

    assert page.seqs == [1]


def test_what_waits_for_a_shut_page_is_bounded(scene: Scene) -> None:
    page = scene.page(EURUSD, USDJPY)
    page.is_stalled = True
    for seq in range(1, 2000):
        for room in (EURUSD, USDJPY):
            scene.publish(room, seq=seq, t=60 * (seq // 7))
        scene.run(0.01)
    [cohort] = scene.cohorts._all

    assert len(page.frames) == 1
    assert len(cohort.mail) == 4


# -- when a frame goes


def test_the_first_price_after_a_quiet_time_goes_at_once(scene: Scene) -> None:
    page = scene.page(EURUSD, rate=2)
    for seq in (1, 2, 3):
        scene.publish(seq=seq)
        assert page.seqs[-1] == seq
        scene.run(0.52)


def test_a_price_before_the_turn_waits_for_it_and_no_longer(scene: Scene) -> None:
    page = scene.page(EURUSD, rate=4)
    scene.publish(seq=1)
    scene.run(0.05)
    scene.publish(seq=2)
    scene.publish(seq=3)
    assert scene.cohorts.next_due() == pytest.approx(100.25)
    scene.run(0.21)

    assert page.seqs == [1, 3]
    assert page.times == [100, pytest.approx(100.25)]


def test_a_new_rate_counts_from_the_frame_before(scene: Scene) -> None:
    page = scene.page(EURUSD, rate=0.1)
    scene.publish(seq=1)
    scene.publish(seq=2)
    scene.now += 0.3
    scene.cohorts.set_rate(page, 2)
    scene.run(0.21)
    assert page.times == [100, pytest.approx(100.5, abs=0.02)]
    scene.publish(seq=3)
    scene.cohorts.set_rate(page, 0.5)
    scene.run(10)

    assert page.times[2] == pytest.approx(102.5, abs=0.02)


def test_what_is_too_long_for_a_frame_goes_with_the_next_ones(scene: Scene) -> None:
    rooms = [Room(f"FX:PAIR{number}", "1D") for number in range(1000)]
    pages = scene.united(*rooms, rate=10)
    for room in rooms:
        scene.cohorts.put(key(room), update(room, seq=2))
    scene.flush()
    scene.run(5)

    assert pages[0].frames == pages[1].frames
    assert len(pages[0].frames) > 2
    assert all(len(frame) < FRAME_BYTES + 5000 for frame in pages[0].frames)
    assert pages[0].seqs == [2] * 1000
    assert_within_rate(pages[0], 10)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.3),
            st.sampled_from(["publish", "publish", "settle", "stall", "read", "rejoin"]),
            st.integers(0, 2),
        ),
        max_size=80,
    ),
    st.sampled_from([0.7, 3, 10, 100, 10_000]),
)
@settings(deadline=None)
def test_no_stretch_of_time_has_more_frames_than_the_rate_allows(
    steps: list[tuple[float, str, int]], rate: float
) -> None:
    scene = Scene()
    pages = [scene.page(EURUSD, rate=rate) for _ in range(3)]
    for seq, (pause, what, number) in enumerate(steps, start=1):
        if what == "publish":
            scene.publish(seq=seq)
        elif what == "settle":
            scene.cohorts.settle()
        elif what == "stall":
            pages[number].is_stalled = True
        elif what == "read":
            pages[number].read()
        else:
            scene.cohorts.leave(pages[number], key(EURUSD))
            scene.cohorts.join(pages[number], key(EURUSD))
        scene.run(pause)

    for page in pages:
        assert_within_rate(page, rate)
