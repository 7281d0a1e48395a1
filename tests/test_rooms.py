"""Rooms: what users may write, what the vendor writes, and the group's name."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import assume, example, given, settings, strategies as st

from django_fcs.exceptions import BadSymbol, BadTimeframe, FCSError, RoomError
from django_fcs.rooms import TIMEFRAMES, Room, canonical_timeframe, check_symbol

LEGAL_GROUP = re.compile(r"[A-Za-z0-9_.-]{1,99}")

ALIASES = {
    **{"1": "1", "1m": "1", "1min": "1", "5": "5", "5m": "5", "15": "15", "15m": "15"},
    **{"30": "30", "30m": "30", "60": "60", "60m": "60", "1h": "60", "1H": "60"},
    **{"240": "240", "4h": "240", "4H": "240", "1D": "1D", "1d": "1D", "D": "1D"},
    **{"1W": "1W", "1w": "1W", "W": "1W", "1M": "1M", "M": "1M"},
}


# Letters without case, digits, marks, signs: all that is printable and has no lower case.
characters = st.characters(
    exclude_characters=" :", exclude_categories=["C", "Z", "Ll", "Lt", "Lm", "No", "So", "Mn"]
).filter(lambda character: character == character.upper())
exchanges = st.from_regex(r"[A-Z0-9_]{1,20}", fullmatch=True)
# Mostly what could be mistaken for an escape, a separator or a suffix.
tickers = st.one_of(
    st.text(st.sampled_from("-._2D15WAÉ'中"), min_size=1, max_size=40),
    st.text(characters, min_size=1, max_size=40),
)
symbols = st.builds("{}:{}".format, exchanges, tickers)
rooms = st.builds(Room, symbols, st.sampled_from(TIMEFRAMES))


@pytest.mark.parametrize(("alias", "canonical"), ALIASES.items())
def test_every_alias_of_a_timeframe_means_one_canonical_spelling(
    alias: str, canonical: str
) -> None:
    assert canonical_timeframe(alias) == canonical
    assert Room.parse("FX:EURUSD", alias) == Room("FX:EURUSD", canonical)


def test_a_minute_is_never_taken_for_a_month() -> None:
    assert canonical_timeframe("1m") == "1"
    assert canonical_timeframe("1M") == "1M"


@pytest.mark.parametrize("text", ["", "2h", "120", "m", "1MIN", "0", " 1D", "1D ", 60, None, []])
def test_a_timeframe_outside_the_list_is_named_in_the_refusal(text: Any) -> None:
    with pytest.raises(BadTimeframe, match=re.escape(ascii(text))) as caught:
        canonical_timeframe(text)

    assert str(caught.value).endswith("is not one of 1 5 15 30 60 240 1D 1W 1M")


@pytest.mark.parametrize(
    "symbol",
    [
        "FX:EURUSD",
        "NYSE:BRK.B",
        "NSE:M&M",
        "CME_MINI:ES1!",
        "BINANCE:币安人生USDT",
        "A:" + "B" * 40,
    ],
)
def test_symbols_that_exist_are_taken_as_they_are(symbol: str) -> None:
    assert check_symbol(symbol) == symbol


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("EURUSD", "is not EXCHANGE:TICKER"),
        ("A:B:C", "is not EXCHANGE:TICKER"),
        ("", "is not EXCHANGE:TICKER"),
        (None, "is not EXCHANGE:TICKER"),
        (5, "is not EXCHANGE:TICKER"),
        (":EURUSD", "no valid exchange"),
        ("F X:EURUSD", "no valid exchange"),
        ("É:EURUSD", "no valid exchange"),
        ("A" * 21 + ":EURUSD", "no valid exchange"),
        ("FX:", "1 to 40 characters"),
        ("FX:" + "A" * 41, "1 to 40 characters"),
        ("FX:EUR USD", "a space or a control character"),
        ("FX:EURUSD\n", "a space or a control character"),
        ("FX:EUR\u3000USD", "a space or a control character"),
        ("FX:EUR\x00USD", "a space or a control character"),
        ("FX:\ud800", "a space or a control character"),
    ],
)
def test_what_is_no_symbol_is_refused_with_the_reason(text: object, reason: str) -> None:
    with pytest.raises(BadSymbol, match=reason):
        check_symbol(text)


def test_a_symbol_in_lower_case_is_refused_with_the_right_spelling() -> None:
    with pytest.raises(BadSymbol, match="write 'FX:EURUSD'"):
        check_symbol("fx:eurusd")


@given(st.text())
@settings(deadline=None)
def test_a_refusal_is_one_printable_line_whatever_was_sent(text: str) -> None:
    for read in (check_symbol, canonical_timeframe, Room.from_text, Room.from_upstream):
        try:
            read(text)
        except RoomError as error:
            assert str(error).isprintable()
            assert len(str(error)) < 250


def test_a_refusal_can_be_caught_as_what_python_calls_it_and_as_ours() -> None:
    assert issubclass(BadSymbol, ValueError) and issubclass(BadSymbol, FCSError)
    assert issubclass(BadTimeframe, ValueError) and issubclass(BadTimeframe, FCSError)


def test_a_room_without_a_timeframe_has_the_one_of_the_site() -> None:
    assert Room.parse("FX:EURUSD") == Room("FX:EURUSD", "1D")
    with override_settings(FCS_TIMEFRAME="1h"):
        assert Room.parse("FX:EURUSD") == Room("FX:EURUSD", "60")
        assert Room.from_text("FX:EURUSD") == Room("FX:EURUSD", "60")


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("FX:EURUSD_1D", Room("FX:EURUSD", "1D")),
        ("FX:EURUSD_240", Room("FX:EURUSD", "240")),
        ("FX:EURUSD", Room("FX:EURUSD", "1D")),
        ("NSE:M_M", Room("NSE:M_M", "1D")),
        ("NSE:M_M_1W", Room("NSE:M_M", "1W")),
        ("A_1:B", Room("A_1:B", "1D")),
        ("FX:X_1D_1D", Room("FX:X_1D", "1D")),
    ],
)
def test_the_text_of_a_room_is_a_symbol_and_a_canonical_suffix_if_any(
    text: str, room: Room
) -> None:
    assert Room.from_text(text) == room


@pytest.mark.parametrize("text", ["EURUSD_1D", "_1D", "FX:eurusd_1D", None, 5, ["FX:EURUSD"]])
def test_a_text_without_a_symbol_is_no_room(text: Any) -> None:
    with pytest.raises(BadSymbol):
        Room.from_text(text)


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("BINANCE:BTCUSDT_1D_0s", Room("BINANCE:BTCUSDT", "1D")),
        ("BINANCE:BTCUSDT_1D_15s", Room("BINANCE:BTCUSDT", "1D")),
        ("BINANCE:BTCUSDT_1H_0s", Room("BINANCE:BTCUSDT", "60")),
        ("BINANCE:BTCUSDT_5", Room("BINANCE:BTCUSDT", "5")),
        ("NSE:M_M_1M_0s", Room("NSE:M_M", "1M")),
    ],
)
def test_the_vendors_room_is_read_from_the_right(text: str, room: Room) -> None:
    assert Room.from_upstream(text) == room


@pytest.mark.parametrize("text", ["BINANCE:BTCUSDT_0s", "BTCUSDT_1D_0s", "", "A:B_2h_0s"])
def test_a_vendors_room_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RoomError):
        Room.from_upstream(text)


@given(rooms)
@example(Room("FX:X_1D", "1"))
@settings(deadline=None)
def test_a_room_is_read_back_from_every_text_of_it(room: Room) -> None:
    assert Room.parse(room.symbol, room.timeframe) == room
    assert Room.from_text(str(room)) == room
    assert Room.from_upstream(f"{room}_0s") == room


@pytest.mark.parametrize(
    ("room", "group"),
    [
        (Room("FX:EURUSD", "1D"), "fcs.FX.EURUSD.1D"),
        (Room("NYSE:BRK.B", "60"), "fcs.NYSE.BRK.B.60"),
        (Room("NSE:M&M", "1M"), "fcs.NSE.M-26M.1M"),
        (Room("A:B-C", "1"), "fcs.A.B-2dC.1"),
    ],
)
def test_a_group_can_be_read_by_people(room: Room, group: str) -> None:
    assert room.group == group


@given(rooms)
@example(Room(f"{'X' * 20}:{'中' * 40}", "240"))
@settings(deadline=None)
def test_a_group_is_legal_in_every_channel_layer(room: Room) -> None:
    assert LEGAL_GROUP.fullmatch(room.group)
    assert room.group.startswith("fcs.") and room.group.count(".") >= 3


@given(rooms, rooms)
@example(Room("A:" + "中" * 39 + "A", "1D"), Room("A:" + "中" * 39 + "B", "1D"))
@example(Room("A:" + "-" * 40, "1D"), Room("A:" + "-" * 39, "1D"))
@example(Room("A:-", "1D"), Room("A:-2D", "1D"))
@example(Room("A:B.5", "1D"), Room("A:B", "5"))
@settings(deadline=None)
def test_no_two_rooms_share_a_group(room: Room, other: Room) -> None:
    assume(room != other)

    assert room.group != other.group
