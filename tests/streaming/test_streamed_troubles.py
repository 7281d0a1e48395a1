"""Rooms of which no price can come: who watches them is told why."""

from __future__ import annotations

from django_fcs.prices.sessions import Markets
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.streaming.streamed import TELL_SECONDS, TROUBLES_MAX, Streamed

EURUSD = Room("FX:EURUSD", "1D")


def streamed_of() -> Streamed:
    return Streamed(epoch=7, markets=Markets())


def troubles(streamed: Streamed, now: float) -> dict[Room, str]:
    """What is told of them after a look."""
    streamed.look((), now)
    return {notice.room: notice.trouble for notice in streamed.take_notices()}


def test_why_no_price_can_come_is_told_and_that_one_can_again() -> None:
    streamed = streamed_of()
    streamed.lack({EURUSD: "unconfirmed"}, [])
    assert troubles(streamed, 100) == {EURUSD: "unconfirmed"}
    assert troubles(streamed, 101) == {}
    streamed.repeat([EURUSD])
    assert troubles(streamed, 102) == {EURUSD: "unconfirmed"}
    streamed.lack({}, [EURUSD])
    assert troubles(streamed, 103) == {EURUSD: ""}


def test_a_price_ends_it_at_once() -> None:
    """News that were told behind the price would else bring it back."""
    streamed = streamed_of()
    streamed.lack({EURUSD: "unconfirmed"}, [EURUSD])
    assert troubles(streamed, 100) == {EURUSD: "unconfirmed"}
    streamed.merge(EURUSD, Price(symbol="FX:EURUSD", timeframe="1D", mode="candle", c=1.5), 100)
    assert [notice.trouble for notice in streamed.take_notices()] == [""]
    streamed.lack({}, [EURUSD])
    assert troubles(streamed, 101) == {EURUSD: ""}
    assert troubles(streamed, 102) == {}


def test_it_is_told_also_where_the_room_has_to_go_for_it() -> None:
    streamed = streamed_of()
    streamed.merge(EURUSD, Price(symbol="FX:EURUSD", timeframe="1D", mode="candle", c=1.5), 100)
    troubles(streamed, 100)
    streamed.lack({EURUSD: "crowded"}, [])
    streamed.forget([EURUSD])

    assert troubles(streamed, 101) == {EURUSD: "crowded"}


def test_any_number_is_told_by_and_by_and_again_now_and_then() -> None:
    streamed = streamed_of()
    crowded = {Room(f"FX:A{number}", "1D"): "crowded" for number in range(TROUBLES_MAX + 1)}
    streamed.lack(crowded, [])
    assert [len(troubles(streamed, now)) for now in (100, 101, 102)] == [TROUBLES_MAX, 1, 0]

    later = 101 + TELL_SECONDS
    again = [troubles(streamed, later + number) for number in range(3)]
    assert [len(one) for one in again] == [TROUBLES_MAX, 1, 0]
    assert {**again[0], **again[1]} == crowded


def test_of_a_room_that_nobody_asks_for_any_more_nothing_waits_to_be_told() -> None:
    streamed = streamed_of()
    for number in range(100):
        streamed.lack({Room(f"FX:A{number}", "1D"): "crowded"}, [])

    assert len(streamed._unsent) == 1


def test_of_a_room_that_it_does_not_follow_it_expects_nothing() -> None:
    streamed = streamed_of()
    streamed.lack({EURUSD: "crowded"}, [])
    streamed.look((), 100)

    assert [notice.expected for notice in streamed.take_notices()] == [None]
