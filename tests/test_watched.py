"""What a room may claim after the way to the vendor broke."""

from __future__ import annotations

import pytest

from django_fcs.events import Beat
from django_fcs.states import State
from django_fcs.updates import Update
from django_fcs.watched import Feed, Limits, Path
from tests.hubs import EURUSD, update

LIMITS = Limits(stale_after=1e9, offline_after=10)
AT = 1000.0


class Room:
    """A room with the text 5, which has been heard until now: the second 0 of a clock."""

    def __init__(self) -> None:
        self.feed = Feed(EURUSD)
        self.path = Path(beat_at=0.0, epoch=7)
        self.hear(5)

    def hear(self, n: int, *, epoch: int = 7) -> bool:
        text: Update = update(EURUSD, seq=epoch * 1000 + n, epoch=epoch)
        is_news = self.feed.is_news(text)
        self.feed.update = text if is_news else self.feed.update
        return is_news

    def beat(self, now: float, *, online: bool = True, epoch: int = 7) -> None:
        beat = Beat(epoch, AT, online, "" if online else "why")
        self.path.doubt([self.feed], beat, now, LIMITS.offline_after)
        self.path = Path.of(beat, now)

    def state(self, now: float) -> State:
        return self.path.state_of(self.feed, at=AT, now=now, limits=LIMITS)[0]


def test_a_room_is_not_live_again_before_it_is_heard_again() -> None:
    room = Room()
    room.beat(1, online=False)
    assert room.state(1) is State.OFFLINE
    room.beat(20)

    assert room.state(20) is State.OFFLINE
    assert room.path.state_of(room.feed, at=AT, now=20, limits=LIMITS)[1].startswith("no price")
    assert room.hear(6)
    assert room.state(20) is State.LIVE


def test_what_is_repeated_proves_nothing_after_the_vendor_was_lost() -> None:
    room = Room()
    room.beat(1, online=False)
    room.beat(20)

    assert not room.hear(5)
    assert room.state(20) is State.OFFLINE


def test_what_is_repeated_proves_a_price_after_a_silence_of_the_layer() -> None:
    room = Room()
    room.beat(30)
    assert room.state(30) is State.OFFLINE

    assert not room.hear(5)
    assert room.state(30) is State.LIVE


@pytest.mark.parametrize(("now", "state"), [(9, State.LIVE), (11, State.OFFLINE)])
def test_of_a_short_break_a_page_need_not_know(now: float, state: State) -> None:
    room = Room()
    room.beat(4, epoch=8)
    room.beat(8, epoch=8)

    assert room.state(now) is state
    assert room.hear(0, epoch=8)
    assert room.state(now) is State.LIVE


def test_a_break_that_follows_a_break_is_no_excuse_for_a_price_of_before() -> None:
    room = Room()
    room.beat(1, online=False)
    room.beat(20)
    room.beat(21, online=False)
    room.beat(22)

    assert room.state(22) is State.OFFLINE


def test_a_room_that_was_joined_while_nothing_came_is_not_live_by_what_the_store_had() -> None:
    room = Room()
    kept, room.feed = room.feed.update, Feed(EURUSD)
    room.beat(100, online=False)
    room.feed.update = kept
    room.beat(103, online=False)
    room.beat(104)

    assert room.state(104) is State.OFFLINE


def test_a_room_that_begins_anew_takes_any_number() -> None:
    room = Room()
    room.beat(20, online=False)
    room.feed.forget()
    room.beat(21)

    assert room.state(21) is State.WAITING
    assert room.hear(3, epoch=6)
    assert room.state(21) is State.LIVE
