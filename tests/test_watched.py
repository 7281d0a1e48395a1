"""What a room may claim after the way to the vendor broke."""

from __future__ import annotations

import pytest

from django_fcs.events import Beat
from django_fcs.states import Outage, State
from django_fcs.updates import Update
from django_fcs.watched import Feed, Limits, Path
from tests.hubs import EURUSD, update

LIMITS = Limits(stale_after=1e9, offline_after=10)
NEVER = Outage()


class Room:
    """A room with the text 5, which came at the second 0 of the one clock that there is."""

    def __init__(self) -> None:
        self.feed = Feed(EURUSD)
        self.path = Path(beat_at=0.0, epoch=7)
        self.hear(5, at=0)

    def hear(self, n: int, *, at: float, epoch: int = 7) -> bool:
        text: Update = update(EURUSD, seq=epoch * 1000 + n, epoch=epoch, at=at)
        is_news = self.feed.is_news(text)
        self.feed.update = text if is_news else self.feed.update
        return is_news

    def beat(self, now: float, *, online: bool = True, outage: Outage = NEVER) -> None:
        if self.path.is_silent(now, LIMITS.offline_after):
            self.feed.doubt()
        self.path = Path.of(Beat(7, now, online, "" if online else "why", outage), now)

    def claim(self, now: float) -> tuple[State, str]:
        return self.path.state_of(self.feed, at=now, now=now, limits=LIMITS)[:2]

    def state(self, now: float) -> State:
        return self.claim(now)[0]


def test_a_room_is_not_live_again_before_it_is_heard_again() -> None:
    room = Room()
    room.beat(1, online=False)
    assert room.claim(1) == (State.OFFLINE, "why")
    room.beat(9, outage=Outage(1, 9))
    assert room.state(9) is State.LIVE
    room.beat(12, outage=Outage(1, 9))

    assert room.claim(12) == (State.OFFLINE, "no price since the connection was lost")
    assert room.hear(6, at=12)
    assert room.state(12) is State.LIVE


def test_what_is_repeated_proves_nothing_after_the_vendor_was_lost() -> None:
    room = Room()
    room.beat(9, outage=Outage(1, 9))
    room.beat(12, outage=Outage(1, 9))

    assert not room.hear(5, at=0)
    assert room.state(12) is State.OFFLINE


def test_who_joins_after_an_outage_is_told_the_same() -> None:
    room = Room()
    kept, room.feed = room.feed.update, Feed(EURUSD)
    room.beat(9, outage=Outage(1, 9))
    room.beat(12, outage=Outage(1, 9))
    room.feed.update = kept

    assert room.state(12) is State.OFFLINE


@pytest.mark.parametrize(("now", "state"), [(9, State.LIVE), (12, State.OFFLINE)])
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
    assert room.claim(30) == (State.OFFLINE, "no price since the connection was lost")

    assert not room.hear(5, at=0)
    assert room.state(30) is State.LIVE


def test_a_layer_without_beats_says_so() -> None:
    assert Room().claim(11) == (State.OFFLINE, "no sign of life of the stream")


def test_a_room_that_begins_anew_takes_any_number() -> None:
    room = Room()
    room.beat(20)
    room.feed.forget()
    room.beat(21)

    assert room.state(21) is State.WAITING
    assert room.hear(3, at=21, epoch=6)
    assert room.state(21) is State.LIVE
