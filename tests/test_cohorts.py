"""Who shares a frame with whom on the merge protocol, and when it goes."""

from __future__ import annotations

import gc
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_fcs.cohorts import Cohorts, _Cohort
from django_fcs.mail import FRAME_BYTES
from django_fcs.rooms import Room
from django_fcs.routes import Routes
from tests.hubs import EURUSD, USDJPY, update

GBPUSD = Room("FX:GBPUSD", "1D")


class Page:
    """A browser whose socket takes everything, or one frame more and then nothing."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.is_open = True
        self.is_stalled = False
        self.frames: list[str] = []
        self.times: list[float] = []

    def send(self, text: str) -> None:
        assert self.is_open
        self.frames.append(text)
        self.times.append(self._scene.now)
        self.is_open = not self.is_stalled

    def read(self) -> None:
        self.is_stalled, self.is_open = False, True
        self._scene.cohorts.ready(self)

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [message for frame in self.frames for message in json.loads(frame)]

    @property
    def prices(self) -> list[tuple[str, int]]:
        return [(one["prices"]["mode"], one["seq"]) for one in self.heard if "seq" in one]

    @property
    def seqs(self) -> list[int]:
        return [seq for _, seq in self.prices]


class Scene:
    """Cohorts on a clock that the test moves, as a hub uses them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.routes = Routes()
        self.cohorts = Cohorts(self.routes)

    def page(self, *rooms: Room, rate: float = 10) -> Page:
        page = Page(self)
        self.cohorts.enter(page, rate)
        for room in rooms:
            self.cohorts.join(page, room)
        return page

    def publish(self, room: Room = EURUSD, *, seq: int, t: int = 60, mode: str = "candle") -> None:
        for reader in self.routes.of(room):
            reader.put(room, update(room, seq=seq, t=t, mode=mode))
        self.cohorts.flush(self.now)

    def run(self, seconds: float) -> None:
        """Let time pass, as a process that wakes when something is due."""
        until = self.now + seconds
        while (due := self.cohorts.next_due()) <= until:
            self.now = max(self.now, due)
            self.cohorts.flush(self.now)
        self.now = until

    def united(self, *rooms: Room, pages: int = 2, rate: float = 10) -> list[Page]:
        """Pages that have been sent the same and share their frames."""
        all_pages = [self.page(*rooms, rate=rate) for _ in range(pages)]
        for room in rooms:
            self.publish(room, seq=1)
        self.run(20 / rate)
        self.cohorts.settle()
        assert len(self.cohorts) == 1
        for page in all_pages:
            page.frames.clear()
            page.times.clear()
        return all_pages


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
    scene.routes.discard(EURUSD, scene.cohorts._of[quiet])
    scene.publish(seq=2)
    scene.routes.add(EURUSD, scene.cohorts._of[quiet])
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
    scene.cohorts.join(joins, GBPUSD)
    scene.cohorts.leave(leaves, USDJPY)
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
    scene.cohorts.leave(leaves, USDJPY)
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
    reader = scene.cohorts.join(joins, EURUSD)
    reader.put(EURUSD, update(EURUSD, seq=4, t=120))
    scene.run(1)

    assert stays.prices == [("candle", 2), ("candle", 3), ("candle", 4)]
    assert joins.prices == [("candle", 2), ("initial", 4)]


def test_of_a_left_room_nothing_more_is_sent(scene: Scene) -> None:
    page = scene.page(EURUSD, USDJPY)
    scene.publish(seq=1)
    for room in (EURUSD, USDJPY):
        scene.publish(room, seq=2)
    scene.cohorts.leave(page, EURUSD)
    scene.cohorts.leave(page, EURUSD)
    scene.publish(seq=3)
    scene.run(1)

    assert [one["symbol"] for one in page.heard] == ["FX:EURUSD", "FX:USDJPY"]


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
        for reader in scene.routes.of(room):
            reader.put(room, update(room, seq=2))
    scene.cohorts.flush(scene.now)
    scene.run(5)

    assert pages[0].frames == pages[1].frames
    assert len(pages[0].frames) > 2
    assert all(len(frame) < FRAME_BYTES + 5000 for frame in pages[0].frames)
    assert pages[0].seqs == [2] * 1000
    assert_within_rate(pages[0], 10)


def assert_within_rate(page: Page, rate: float) -> None:
    """In any stretch of time there is one frame more than the rate allows, at most."""
    for first, begun in enumerate(page.times):
        for last, ended in enumerate(page.times[first:], start=first):
            assert last - first <= rate * (ended - begun) + 0.1 + 1e-6


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
            scene.cohorts.leave(pages[number], EURUSD)
            scene.cohorts.join(pages[number], EURUSD)
        scene.run(pause)

    for page in pages:
        assert_within_rate(page, rate)


# -- nothing is left behind


def test_with_the_last_page_every_cohort_and_route_is_gone(scene: Scene) -> None:
    pages = scene.united(EURUSD, USDJPY, pages=4)
    pages[0].is_stalled = True
    scene.cohorts.join(pages[1], GBPUSD)
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
    assert not scene.routes._readers
    assert not scene.cohorts._of
    assert scene.cohorts.next_due() == math.inf
    assert not in_memory(scene)


def in_memory(scene: Scene) -> list[_Cohort]:
    """Whatever holds them."""
    gc.collect()
    agenda = scene.cohorts._agenda
    return [it for it in gc.get_objects() if type(it) is _Cohort and it.agenda is agenda]
