"""Updates: encoded once, then only ever changed by a slice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.exceptions import ProtocolError
from django_fcs.layer.events import read_event
from django_fcs.prices.updates import EVENT_TYPE, Update, respell
from django_fcs.protocol import Price, ProfileUpdate, parse, serialise
from django_fcs.rooms import TIMEFRAMES, Room

ROOM = Room("FX:EURUSD", "60")

# What could be mistaken for the fields that are replaced.
symbols = st.sampled_from(
    ['A:"MODE"', 'A:"TIMEFRAME"', "A:\\", 'A:"O"', "A:中", "NSE:M&M", 'A:\\"60\\"', "A:B"]
)
rooms = st.builds(Room, symbols, st.sampled_from(TIMEFRAMES))
modes = st.sampled_from(["initial", "candle", "askbid"])


def price_in(room: Room, mode: str = "candle", **fields: Any) -> Price:
    candle = {"o": 1.1, "h": 1.3, "l": 1.0}
    known = {"t": 1700000000, **candle, "c": 1.2, "seq": 7, "at": 1700000100.25, **fields}
    return Price(symbol=room.symbol, timeframe=room.timeframe, mode=mode, **known)


def update_in(room: Room = ROOM, mode: str = "candle", **fields: Any) -> Update:
    return Update.encode(room, price_in(room, mode, **fields), epoch=5)


def test_an_update_knows_of_its_price_what_conflation_asks() -> None:
    update = update_in(mode="askbid")

    assert parse(update.text) == [price_in(ROOM, "askbid")]
    assert (update.room, update.seq, update.epoch, update.at) == (ROOM, 7, 5, 1700000100.25)
    assert (update.mode, update.t) == ("askbid", 1700000000)


@pytest.mark.parametrize("missing", ["seq", "at"])
def test_a_price_that_cannot_be_put_in_order_is_not_published(missing: str) -> None:
    with pytest.raises(ProtocolError, match="seq or at"):
        update_in(ROOM, "candle", **{missing: None})


def test_the_event_is_what_a_sites_own_consumer_is_promised() -> None:
    update = update_in()

    assert EVENT_TYPE == "fcs.price"
    assert update.event() == {
        **{"type": "fcs.price", "room": "FX:EURUSD_60", "text": update.text},
        **{"seq": 7, "epoch": 5},
    }


@given(rooms, modes)
@settings(deadline=None)
def test_an_event_is_read_back_as_the_update_it_was(room: Room, mode: str) -> None:
    update = update_in(room, mode)

    assert read_event(update.event(), 1_766_361_600.0) == update
    assert Update.from_text(room, update.text, epoch=5) == update


@pytest.mark.parametrize(
    "damage",
    [
        *({"room": None}, {"room": 5}, {"room": []}, {"room": "EURUSD"}, {"room": "FX:EURUSD_1"}),
        *({"text": None}, {"text": 5}, {"text": ""}, {"text": "[]"}, {"text": "{}"}),
        *({"text": '{"type":"ping"}'}, {"text": serialise(price_in(ROOM, seq=None))}),
        *({"text": serialise(price_in(ROOM, at=None))}, {"text": ["x"]}, {"text": b"\xff"}),
        *({"text": serialise(price_in(ROOM, update=32503680000))}, {"epoch": 2**42}),
        *({"epoch": None}, {"epoch": "x"}, {"epoch": float("inf")}, {"epoch": float("nan")}),
    ],
)
def test_a_malformed_event_is_a_protocol_error_and_nothing_else(damage: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        read_event({**update_in().event(), **damage}, 1_766_361_600.0)


@pytest.mark.parametrize("missing", ["room", "text", "epoch"])
def test_an_event_that_lacks_something_is_a_protocol_error(missing: str) -> None:
    event = update_in().event()
    del event[missing]

    with pytest.raises(ProtocolError):
        read_event(event, 1_766_361_600.0)


@given(rooms, modes, modes)
@settings(deadline=None)
def test_another_mode_changes_the_mode_and_nothing_else(room: Room, mode: str, other: str) -> None:
    changed = update_in(room, mode).in_mode(other)

    assert changed == update_in(room, other)


def test_a_text_whose_candle_is_not_known_can_still_become_an_initial() -> None:
    # The stream may call a text candle after a late close of the candle before.
    update = update_in(o=None, h=None, l=None)
    received = read_event(update.event(), 1_766_361_600.0)

    assert received.mode == "askbid"
    assert json.loads(received.in_mode("initial").text)["prices"]["mode"] == "initial"


@given(rooms, modes, st.sampled_from(["1m", "1min", "1h", "D", "W", "M"]))
@settings(deadline=None)
def test_an_alias_changes_the_timeframe_and_nothing_else(room: Room, mode: str, alias: str) -> None:
    update = update_in(room, mode)
    spelled = update.spelled(alias)

    assert json.loads(spelled.text) == {**json.loads(update.text), "timeframe": alias}
    assert (spelled.room, spelled.seq, spelled.mode) == (room, update.seq, mode)
    assert spelled.in_mode("initial") == update.in_mode("initial").spelled(alias)


def test_the_canonical_spelling_needs_no_other_text() -> None:
    update = update_in()

    assert update.spelled("60") is update
    assert update.in_mode("candle") is update
    assert respell(update.text, ROOM, "60") is update.text


def test_a_profile_is_respelled_in_its_head_only() -> None:
    profile = {"x": 'so: "timeframe":"60"', "timeframe": "60"}
    text = serialise(ProfileUpdate(symbol=ROOM.symbol, timeframe="60", profile=profile))

    frame = json.loads(respell(text, ROOM, "1H"))

    assert frame["timeframe"] == "1H"
    assert frame["prices"]["profile"] == profile


@pytest.mark.parametrize("symbol", ["FX:EURUSD", 'A:"O"'])
def test_an_update_tells_whether_it_holds_a_candle(symbol: str) -> None:
    room = Room(symbol, "1")

    assert update_in(room, "askbid").holds_candle
    assert not update_in(room, "askbid", o=None, h=None, l=None).holds_candle
