"""What a room may claim after the way to the vendor broke."""

from __future__ import annotations

import pytest

from django_fcs.fanout.path import Path
from django_fcs.fanout.routes import Key
from django_fcs.fanout.watched import LOWER_MAX, Claim, Limits, Watched, WatchedRoom, claim
from django_fcs.layer.events import Beat
from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Outage, State
from django_fcs.prices.updates import TEXTS_PER_EPOCH, Update
from tests.support.hubs import EURUSD, update

LIMITS = Limits(stale_after=1e9, offline_after=10)
NEVER = Outage()


class Room:
    """A room with the text 5, which came at the second 0 of the one clock that there is."""

    def __init__(self) -> None:
        self.watched = WatchedRoom(EURUSD)
        self.path = Path(beat_at=0.0, epoch=7)
        self.hear(5, at=0)

    def hear(self, n: int, *, at: float, epoch: int = 7) -> bool:
        text: Update = update(EURUSD, seq=epoch * 1000 + n, epoch=epoch, at=at)
        is_newer = self.watched.is_newer(text)
        self.watched.update = text if is_newer else self.watched.update
        return is_newer

    def beat(
        self, now: float, *, online: bool = True, outage: Outage = NEVER, silence: float = 0.0
    ) -> None:
        if self.path.is_silent(now, LIMITS.offline_after):
            self.watched.doubt()
        report = PathReport(now, online, "" if online else "why", outage, silence)
        self.path = Path.of(Beat(7, report), now)

    def claim(self, now: float) -> Claim:
        return claim(self.watched, self.path, at=now, now=now, limits=LIMITS)

    def state(self, now: float) -> State:
        return self.claim(now)[0]


def test_a_room_is_not_live_again_before_it_is_heard_again() -> None:
    room = Room()
    room.beat(1, online=False)
    assert room.claim(1) == (State.OFFLINE, "why", None)
    room.beat(9, outage=Outage(1, 9))
    assert room.state(9) is State.LIVE
    room.beat(15, outage=Outage(1, 9))

    assert room.claim(15) == (State.OFFLINE, "no price since the connection was lost", None)
    assert room.hear(6, at=15)
    assert room.state(15) is State.LIVE


@pytest.mark.parametrize("n", [5, 6])
def test_a_price_from_before_a_trouble_is_not_live_until_the_room_is_heard(n: int) -> None:
    room = Room()
    room.watched.note_trouble("too many symbols are watched")
    assert room.claim(1) == (State.OFFLINE, "too many symbols are watched", None)
    room.watched.note_trouble("")
    assert room.claim(2) == (State.STALE, "", None)
    room.hear(n, at=3)
    assert room.state(3) is State.LIVE


def test_what_is_repeated_proves_nothing_after_the_vendor_was_lost() -> None:
    room = Room()
    room.beat(9, outage=Outage(1, 9))
    room.beat(15, outage=Outage(1, 9))

    assert not room.hear(5, at=0)
    assert room.state(15) is State.OFFLINE


def test_who_joins_after_an_outage_is_told_the_same() -> None:
    room = Room()
    kept, room.watched = room.watched.update, WatchedRoom(EURUSD)
    room.beat(9, outage=Outage(1, 9))
    room.beat(15, outage=Outage(1, 9))
    room.watched.update = kept

    assert room.state(15) is State.OFFLINE


@pytest.mark.parametrize(("now", "state"), [(13.9, State.LIVE), (14.1, State.OFFLINE)])
def test_of_a_short_outage_a_page_need_not_know(now: float, state: State) -> None:
    room = Room()
    room.beat(4, outage=Outage(1, 4))
    room.beat(8, outage=Outage(1, 4))

    assert room.state(now) is state
    assert room.hear(6, at=now)
    assert room.state(now) is State.LIVE


def test_what_is_repeated_proves_a_price_after_a_silence_of_the_layer() -> None:
    room = Room()
    room.beat(30)
    assert room.claim(30) == (State.OFFLINE, "no price since the connection was lost", None)

    assert not room.hear(5, at=0)
    assert room.state(30) is State.LIVE


def test_a_layer_without_beats_says_so() -> None:
    assert Room().claim(11) == (State.OFFLINE, "no heartbeat from the stream", None)


def test_a_room_that_begins_anew_takes_any_number() -> None:
    room = Room()
    room.beat(20)
    room.watched.forget()
    room.beat(21)

    assert room.state(21) is State.WAITING
    assert room.hear(3, at=21, epoch=6)
    assert room.state(21) is State.LIVE


def test_beats_keep_nothing_live_behind_a_line_that_was_cut() -> None:
    room = Room()
    room.beat(9, silence=9)
    assert room.state(13) is State.LIVE
    assert room.claim(13.1) == (State.OFFLINE, "no data from the feed", None)
    assert room.path.is_online(13, 10) and room.path.is_online(13.1, 10) is False
    room.beat(13.2, silence=0)

    assert room.state(13.2) is State.LIVE


def test_who_takes_over_behind_a_line_that_was_cut_knows_of_no_price() -> None:
    room = Room()
    room.beat(9, silence=9)
    room.beat(13.5, outage=Outage(lost_at=0, ended_at=13.5))

    assert room.claim(13.5) == (State.OFFLINE, "no price since the connection was lost", None)
    assert room.hear(6, at=13.5)
    assert room.state(13.5) is State.LIVE


# -- numbers that the stream did not give


def test_a_text_that_arrived_later_refutes_a_number_that_is_too_high() -> None:
    room = Room()
    room.hear(9_000_000_000, at=1)

    assert room.hear(6, at=2)
    assert room.hear(7, at=3)


def test_a_text_that_was_on_its_way_refutes_nothing() -> None:
    room = Room()
    room.hear(8, at=3)

    assert not room.hear(6, at=1)
    assert not room.hear(7, at=2)
    assert room.hear(9, at=4)


def test_many_lower_numbers_refute_a_text_that_claims_to_be_from_the_future() -> None:
    room = Room()
    room.hear(9_000_000_000, at=1e9)

    heard = [room.hear(6 + n, at=n) for n in range(LOWER_MAX + 5)]
    assert heard == [False] * (LOWER_MAX - 1) + [True] * 6


def test_a_former_leader_refutes_no_number() -> None:
    room = Room()
    room.hear(1, at=1, epoch=8)

    assert not any(room.hear(n, at=10 + n) for n in range(2 * LOWER_MAX))


def test_after_a_number_that_was_refuted_a_room_is_live() -> None:
    room = Room()
    room.hear(9_000_000_000, at=1)
    room.watched.doubt()
    room.hear(6, at=2)
    room.beat(3)

    assert room.state(3) is State.LIVE


class TestAHeartbeat:
    """It shows which texts the leader cannot have sent."""

    def hub(self, text: Update) -> Watched:
        watched = Watched(clock=lambda: 2000.0, monotonic=lambda: 0.0)
        room = watched.join(Key(EURUSD, "1D"))
        watched.apply_beat(Beat(7, PathReport(1990.0, online=True, reason="")))
        assert watched.newer(text)
        watched.apply(text, room)
        return watched

    @pytest.mark.parametrize(
        "text",
        [
            update(EURUSD, seq=9_000_000, epoch=9_000, at=1000),
            update(EURUSD, seq=7_000 + TEXTS_PER_EPOCH, epoch=7, at=1000),
            update(EURUSD, seq=7_005, epoch=7, at=1e9),
        ],
    )
    def test_drops_a_text_that_is_ahead_of_it_and_asks_for_all(self, text: Update) -> None:
        watched = self.hub(text)
        heard = watched.apply_beat(Beat(7, PathReport(1993.0, online=True, reason="")))

        assert heard is not None and heard.may_lack and not heard.restarts
        assert watched.newer(update(EURUSD, seq=7_001, epoch=7, at=1000))

    def test_leaves_every_other_text(self) -> None:
        watched = self.hub(update(EURUSD, seq=7_005, epoch=7, at=1992.5))
        heard = watched.apply_beat(Beat(7, PathReport(1993.0, online=True, reason="")))

        assert heard is not None and not heard.may_lack
        assert not watched.newer(update(EURUSD, seq=7_005, epoch=7, at=1992.5))
