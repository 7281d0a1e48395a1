"""Rooms that are streamed no longer: what is kept of them says so."""

from __future__ import annotations

import json

from django.test import override_settings

from django_fcs.prices.sessions import Markets
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.streaming.streamed import LEFT_MAX, Streamed

EURUSD = Room("FX:EURUSD", "1")


def tick(c: float = 1.5, *, room: Room = EURUSD) -> Price:
    return Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", t=60, c=c)


def streamed_of(*ticks: Price) -> Streamed:
    streamed = Streamed(epoch=7, markets=Markets())
    for price in ticks:
        streamed.merge(Room(price.symbol, price.timeframe), price, 100.0)
    return streamed


def test_of_a_room_that_is_forgotten_its_last_price_is_kept_and_that_no_other_can_come() -> None:
    streamed = streamed_of(tick(1.1))
    list(streamed.take_updates())
    streamed.merge(EURUSD, tick(1.2), 1.0)
    streamed.forget([EURUSD])

    [(room, text, expected)] = streamed.take_values()
    assert (room, json.loads(text)["prices"]["c"], expected.overdue) == (EURUSD, 1.2, True)
    assert list(streamed.take_values()) == [(room, text, expected)]
    streamed.were_kept([(room, text, expected)])
    assert list(streamed.take_values()) == []


def test_a_room_that_comes_back_is_kept_as_one_that_is_streamed() -> None:
    streamed = streamed_of(tick(1.1))
    streamed.forget([EURUSD])
    streamed.merge(EURUSD, tick(1.2), 1.0)

    [(_, text, expected)] = streamed.take_values()
    assert (json.loads(text)["prices"]["c"], expected.overdue) == (1.2, False)
    assert list(streamed.take_values()) == []


def test_a_room_that_was_left_again_meanwhile_is_kept_again() -> None:
    streamed = streamed_of(tick(1.1))
    streamed.forget([EURUSD])
    first = list(streamed.take_values())
    streamed.merge(EURUSD, tick(1.2), 1.0)
    streamed.forget([EURUSD])
    streamed.were_kept(first)

    [(_, text, expected)] = streamed.take_values()
    assert (json.loads(text)["prices"]["c"], expected.overdue) == (1.2, True)


def test_of_rooms_that_were_left_and_cannot_be_kept_the_oldest_are_forgotten() -> None:
    streamed = streamed_of()
    rooms = [Room(f"FX:P{number}", "1") for number in range(LEFT_MAX + 2)]
    for room in rooms:
        streamed.merge(room, tick(room=room), 1.0)
        streamed.forget([room])

    assert [room for room, *_ in streamed.take_values()] == rooms[2:]


@override_settings(FCS_MAX_ROOMS=LEFT_MAX + 2)
def test_of_as_many_rooms_as_there_may_be_none_is_forgotten() -> None:
    streamed = streamed_of()
    rooms = [Room(f"FX:P{number}", "1") for number in range(LEFT_MAX + 2)]
    for room in rooms:
        streamed.merge(room, tick(room=room), 1.0)
    streamed.forget(rooms)

    assert [room for room, *_ in streamed.take_values()] == rooms
