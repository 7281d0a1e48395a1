"""The watchdog: what is done about prices that are due and do not come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_fcs.rooms import Room
from django_fcs.streaming import watchdog
from django_fcs.streaming.watchdog import GRACE_SECONDS, PAUSE_MAX_SECONDS, Remedy, Watchdog

EURUSD, BTCUSDT = Room("FX:EURUSD", "1D"), Room("BINANCE:BTCUSDT", "1D")
FLOOR = 60.0
CALM = int(watchdog.CALM * FLOOR)
NOTHING = Remedy()
AGAIN = Remedy(rejoin=(EURUSD,))
RECONNECT = Remedy(reconnect=True)

Mute = set[Room]


class WatchedConnection:
    """A connection that is looked at every second, and what was done about it when."""

    def __init__(self) -> None:
        self.dog = Watchdog()
        self.now = 0.0
        self.ticks = 0
        self.wanted = {EURUSD, BTCUSDT}
        self.done: list[tuple[float, Remedy]] = []
        self.dog.begin(0.0)

    def run(
        self, seconds: int, mute: Callable[[float], Mute] | Mute, *, ticks: bool = False
    ) -> list[tuple[float, Remedy]]:
        """Return what was done in this time."""
        before = len(self.done)
        for _ in range(seconds):
            self.now += 1
            self.ticks += ticks
            remedy = self.dog.look(
                mute(self.now) if callable(mute) else mute,
                wanted=self.wanted,
                ticks=self.ticks,
                floor=FLOOR,
                now=self.now,
            )
            if remedy != NOTHING:
                self.done.append((self.now, remedy))
                if remedy.reconnect:
                    self.dog.begin(self.now)
        return self.done[before:]

    def times(self) -> list[float]:
        return [at for at, _ in self.done]


def pauses(times: list[float]) -> list[float]:
    return [later - at for at, later in zip(times, times[1:], strict=False)]


# -- one room


def test_a_mute_room_is_joined_again_while_others_flow_ever_more_rarely() -> None:
    connection = WatchedConnection()
    done = connection.run(4 * 3600, {EURUSD}, ticks=True)

    assert done[0] == (1 + GRACE_SECONDS, AGAIN)
    assert {remedy for _, remedy in done} == {AGAIN}
    assert pauses(connection.times()) == [120, 240, 480, 960, 1920, *[PAUSE_MAX_SECONDS] * 2]


def test_a_room_that_ticks_before_long_is_left_alone() -> None:
    """As all rooms seem mute after the clock was put forward, until each has ticked."""
    connection = WatchedConnection()

    assert connection.run(GRACE_SECONDS, {EURUSD}, ticks=True) == []
    assert connection.run(3600, set(), ticks=True) == []


def test_a_room_that_ticked_for_a_while_is_another_case() -> None:
    connection = WatchedConnection()
    connection.run(1000, {EURUSD}, ticks=True)
    connection.run(CALM, set(), ticks=True)
    [(at, remedy), *_] = connection.run(100, {EURUSD}, ticks=True)

    assert (at, remedy) == (1000 + CALM + 1 + GRACE_SECONDS, AGAIN)


def test_one_tick_behind_each_join_does_not_make_it_another_case() -> None:
    """Each time it is mute for a while longer, and no more."""
    connection = WatchedConnection()
    connection.run(11, {EURUSD}, ticks=True)
    for _ in range(20):
        connection.run(61, set(), ticks=True)
        connection.run(61, {EURUSD}, ticks=True)

    assert len(connection.times()) == 5
    assert all(pause >= 120 * 2**n for n, pause in enumerate(pauses(connection.times())))


def test_a_room_that_was_unwanted_meanwhile_is_another_case() -> None:
    connection = WatchedConnection()
    connection.run(100, {EURUSD}, ticks=True)
    connection.wanted = {BTCUSDT}
    connection.run(1, set(), ticks=True)
    connection.wanted = {EURUSD, BTCUSDT}

    assert connection.run(20, {EURUSD}, ticks=True) == [(101 + 1 + GRACE_SECONDS, AGAIN)]


# -- the whole feed


def test_a_mute_feed_is_connected_anew_after_twice_the_floor_ever_more_rarely() -> None:
    connection = WatchedConnection()
    connection.run(10, set(), ticks=True)
    done = connection.run(6 * 3600, lambda now: {EURUSD} if now > 70 else set())

    assert done[0] == (10 + 2 * FLOOR + 1, RECONNECT)
    assert {remedy for _, remedy in done} == {RECONNECT}
    assert pauses(connection.times())[:6] == [121, 240, 480, 960, 1920, PAUSE_MAX_SECONDS]
    assert max(pauses(connection.times())) == PAUSE_MAX_SECONDS


def test_a_feed_that_ticked_for_a_while_is_another_case() -> None:
    connection = WatchedConnection()
    connection.run(1000, {EURUSD})
    connection.run(CALM, set(), ticks=True)

    assert connection.run(130, lambda now: {EURUSD} if now > CALM + 1060 else set()) == [
        (1000 + CALM + 2 * FLOOR + 1, RECONNECT)
    ]


def test_one_tick_behind_each_connect_does_not_make_it_another_case() -> None:
    """As of a market that is closed by hours that nobody knows."""
    connection = WatchedConnection()
    for _ in range(100):
        connection.run(1, set(), ticks=True)
        connection.run(int(FLOOR), set())
        connection.run(int(FLOOR) + 1, {EURUSD})

    assert {remedy for _, remedy in connection.done} == {RECONNECT}
    assert len(connection.times()) < 10
    assert all(pause >= 120 * 2**n for n, pause in enumerate(pauses(connection.times())[:4]))


def test_rooms_that_seem_mute_again_and_again_for_a_moment_are_left_alone() -> None:
    """A clock that is set to and fro; what happened to them before does not count."""
    connection = WatchedConnection()
    connection.run(1000, {EURUSD}, ticks=True)
    before = len(connection.done)
    for _ in range(20):
        connection.run(50, set(), ticks=True)
        connection.run(GRACE_SECONDS, {EURUSD}, ticks=True)

    assert len(connection.done) == before


def test_a_new_connection_is_given_its_time() -> None:
    connection = WatchedConnection()
    connection.run(100, {EURUSD})
    connection.dog.begin(100.0)

    assert connection.run(120, {EURUSD}) == []
    assert connection.run(1, {EURUSD}) == [(221, RECONNECT)]


@pytest.mark.parametrize("ticks", [True, False])
def test_nothing_is_done_while_no_tick_is_due(ticks: bool) -> None:
    """A closed market is never mute, and neither is a feed of closed markets."""
    connection = WatchedConnection()
    connection.run(1, set(), ticks=True)

    assert connection.run(3 * 86400, set(), ticks=ticks) == []


def test_a_room_is_not_joined_again_where_nothing_flows() -> None:
    connection = WatchedConnection()
    connection.run(1, set(), ticks=True)

    assert connection.run(int(2 * FLOOR), lambda now: {EURUSD} if now > 61 else set()) == []
