"""Subscriptions: in the end the vendor streams what is wanted, and nothing else."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.protocol import Join, Joined, Leave
from django_fcs.rooms import Room
from django_fcs.upstream.subscriptions import Subscriptions
from tests.upstream.subscriptions import A, B, C, confirmation, join, joined, leave, sent

# -- joins and leaves


def test_every_wanted_room_is_joined_in_the_order_given() -> None:
    subscriptions = Subscriptions()
    subscriptions.want([B, A, B])

    assert sent(subscriptions) == [join(B), join(A)]
    assert subscriptions.wanted == {A, B}
    assert subscriptions.joined == set()


def test_a_room_is_joined_once_the_vendor_confirms_it() -> None:
    subscriptions = Subscriptions()
    subscriptions.want([A, B])
    sent(subscriptions)

    assert subscriptions.confirm(confirmation(A)) == A
    assert subscriptions.joined == {A}
    assert subscriptions.confirm(confirmation(A)) == A


def test_what_is_wanted_no_longer_is_left_before_anything_is_joined() -> None:
    subscriptions = joined(A)
    subscriptions.want([B])

    assert sent(subscriptions) == [leave(A), join(B)]
    assert subscriptions.wanted == {B}
    assert subscriptions.joined == set()


def test_a_room_that_stays_wanted_is_not_asked_for_again() -> None:
    subscriptions = joined(A, B)
    subscriptions.want([B, C, A])

    assert sent(subscriptions) == [join(C)]
    assert subscriptions.joined == {A, B}


def test_a_room_that_was_never_asked_for_needs_no_leave() -> None:
    subscriptions = Subscriptions()
    subscriptions.want([A])
    subscriptions.want([])

    assert sent(subscriptions) == []
    assert subscriptions.next_at() is None


def test_a_room_that_was_asked_for_is_left_though_nobody_confirmed_it() -> None:
    subscriptions = Subscriptions()
    subscriptions.want([A])
    sent(subscriptions)
    subscriptions.want([])

    assert sent(subscriptions) == [leave(A)]


def test_a_room_that_is_wanted_again_before_its_leave_went_out_is_wanted_at_the_end() -> None:
    subscriptions = joined(A)
    subscriptions.want([])
    subscriptions.want([A])

    assert sent(subscriptions)[-1] == join(A)


def test_a_change_of_mind_and_back_still_leaves_the_room() -> None:
    subscriptions = joined(A)
    for rooms in ([], [A], []):
        subscriptions.want(rooms)

    assert sent(subscriptions) == [leave(A)]


def test_on_a_new_connection_all_is_asked_for_again_and_nothing_left() -> None:
    subscriptions = joined(A, B)
    subscriptions.want([B, C])
    subscriptions.reset()

    assert subscriptions.joined == set()
    assert sent(subscriptions) == [join(B), join(C)]


# -- signs of life


def test_a_price_is_as_good_as_a_confirmation() -> None:
    subscriptions = Subscriptions()
    subscriptions.want([A])
    sent(subscriptions)

    assert subscriptions.heard(A)
    assert subscriptions.joined == {A}
    assert subscriptions.next_at() is None


def test_what_is_not_wanted_is_not_heard() -> None:
    subscriptions = joined(A)
    subscriptions.want([])

    assert not subscriptions.heard(A)
    assert subscriptions.confirm(confirmation(A)) is None
    assert subscriptions.joined == set()


def test_late_news_of_a_left_room_does_not_stand_for_its_new_join() -> None:
    subscriptions = joined(A)
    subscriptions.want([])
    assert sent(subscriptions) == [leave(A)]
    subscriptions.want([A])

    assert subscriptions.heard(A)
    assert subscriptions.confirm(confirmation(A)) == A
    assert subscriptions.joined == set()
    assert sent(subscriptions) == [join(A)]


# -- what confirmations may look like


def test_two_exchanges_with_one_ticker_are_told_apart_by_the_room() -> None:
    okx, binance = Room("OKX:LTCUSDT", "1D"), Room("BINANCE:LTCUSDT", "1D")
    subscriptions = Subscriptions()
    subscriptions.want([okx, binance])
    sent(subscriptions)

    assert subscriptions.confirm(confirmation(binance)) == binance
    assert subscriptions.joined == {binance}
    assert subscriptions.wanted == {okx, binance}


@pytest.mark.parametrize(
    "message",
    [
        Joined(room="FX:EURUSD_60_0s", symbol="EURUSD", timeframe="60"),
        Joined(room="FX:EURUSD_1H_1s", symbol="EURUSD", timeframe="1H"),
        Joined(symbol="FX:EURUSD", timeframe="60"),
        Joined(symbol="FX:EURUSD", timeframe="1h"),
        Joined(symbol="EURUSD", timeframe="60"),
        Joined(symbol="EURUSD", timeframe="1H"),
    ],
)
def test_a_confirmation_is_understood_however_much_it_says(message: Joined) -> None:
    room = Room("FX:EURUSD", "60")
    subscriptions = Subscriptions()
    subscriptions.want([room, Room("FX:EURUSD", "1D"), Room("FX:XEURUSD", "60")])
    sent(subscriptions)

    assert subscriptions.confirm(message) == room
    assert subscriptions.joined == {room}


@pytest.mark.parametrize(
    "message",
    [
        Joined(room="nonsense", symbol="EURUSD", timeframe="60"),
        Joined(room="FX:EURUSD_2h_0s", symbol="EURUSD", timeframe="60"),
        Joined(symbol="FX:EURUSD", timeframe="2h"),
        Joined(symbol="fx:eurusd", timeframe="60"),
        Joined(symbol="EURUSD", timeframe=""),
        Joined(symbol="EURUSD", timeframe="1D"),
        Joined(symbol="USDJPY", timeframe="60"),
    ],
)
def test_a_confirmation_that_means_no_asked_room_changes_nothing(message: Joined) -> None:
    subscriptions = Subscriptions()
    subscriptions.want([Room("FX:EURUSD", "60")])
    sent(subscriptions)

    assert subscriptions.confirm(message) is None
    assert subscriptions.joined == set()


def test_a_bare_ticker_that_two_exchanges_have_confirms_neither() -> None:
    subscriptions = Subscriptions()
    subscriptions.want([Room("OKX:LTCUSDT", "1D"), Room("BINANCE:LTCUSDT", "1D")])
    sent(subscriptions)

    assert subscriptions.confirm(Joined(symbol="LTCUSDT", timeframe="1D")) is None


# -- whatever happens


@dataclass
class Vendor:
    """A server at the other end of two slow wires, which keep their order."""

    rooms: set[Room] = field(default_factory=set)
    incoming: deque[Join | Leave] = field(default_factory=deque)
    outgoing: deque[Joined | Room] = field(default_factory=deque)

    def read(self) -> None:
        if not self.incoming:
            return
        message = self.incoming.popleft()
        room = Room.parse(message.symbol, message.timeframe)
        if isinstance(message, Join):
            self.rooms.add(room)
            self.outgoing.append(confirmation(room))
        else:
            self.rooms.discard(room)

    def tick(self) -> None:
        """Send a price of every joined room."""
        self.outgoing.extend(sorted(self.rooms, key=str))


@dataclass
class Connection:
    """A client, a server, the wires and a clock."""

    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    vendor: Vendor = field(default_factory=Vendor)
    now: float = 0.0

    def send(self) -> None:
        self.now = max(self.now, self.subscriptions.next_at() or 0)
        message = self.subscriptions.due(self.now)
        if message is not None:
            self.vendor.incoming.append(message)

    def receive(self) -> None:
        if self.vendor.outgoing:
            message = self.vendor.outgoing.popleft()
            if isinstance(message, Joined):
                self.subscriptions.confirm(message)
            else:
                self.subscriptions.heard(message)

    def reconnect(self) -> None:
        self.vendor = Vendor()
        self.subscriptions.reset()

    def rejoin(self) -> None:
        for room in sorted(self.subscriptions.joined, key=str):
            self.subscriptions.rejoin(room)

    def settle(self) -> None:
        """Let everything that is under way arrive."""
        for _ in range(1000):
            busy = self.vendor.incoming or self.vendor.outgoing
            if not busy and self.subscriptions.next_at() is None:
                return
            self.send()
            self.vendor.read()
            self.receive()
        raise AssertionError("this never comes to rest")


happenings = st.one_of(
    st.frozensets(st.sampled_from([A, B, C])),
    st.sampled_from(["send", "send", "read", "tick", "receive", "receive", "reconnect", "rejoin"]),
)


@given(st.lists(happenings, max_size=40))
@settings(deadline=None, max_examples=150)
def test_in_the_end_exactly_the_wanted_rooms_are_joined(
    happenings: list[frozenset[Room] | str],
) -> None:
    connection = Connection()
    wanted: frozenset[Room] = frozenset()
    for happening in happenings:
        if isinstance(happening, frozenset):
            wanted = happening
            connection.subscriptions.want(sorted(wanted, key=str))
        elif happening in ("read", "tick"):
            getattr(connection.vendor, happening)()
        else:
            getattr(connection, happening)()
        assert connection.subscriptions.wanted == wanted
        assert connection.subscriptions.joined <= wanted
    connection.settle()

    assert connection.vendor.rooms == wanted
    assert connection.subscriptions.joined == wanted
