"""The simulator's switches, as texts and in what the server says."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from django_fcs.exceptions import ConfigurationError
from django_fcs.rooms import Room
from django_fcs.simulator import Faults
from django_fcs.simulator.market import Prices

PAGE = Path(__file__).parents[2] / "docs/simulator.md"
EURUSD = Room("FX:EURUSD", "60")
CANDLE: Prices = {
    **{"mode": "candle", "t": 60, "o": 1.0, "h": 1.5, "l": 1e-05},
    **{"c": 1.2, "v": 0, "a": 1.3, "b": 1.2},
}


def said(faults: Faults, room: Room = EURUSD, **prices: Any) -> Any:
    return json.loads(faults.price(room, "1h", {**CANDLE, **prices}))


def test_without_faults_the_vendors_samples_are_what_comes() -> None:
    confirmation = Faults().confirmation(Room("BINANCE:BTCUSDT", "1D"), "1D")

    assert (confirmation.room, confirmation.symbol) == ("BINANCE:BTCUSDT_1D_0s", "BTCUSDT")
    assert confirmation.message == "Successfully joined room: BINANCE:BTCUSDT_1D_0s"
    assert said(Faults()) == {
        **{"type": "price", "symbol": "FX:EURUSD", "timeframe": "1h", "prices": CANDLE}
    }


def test_confirmations_can_be_full_and_throttled() -> None:
    confirmation = Faults(confirm="full", suffix="_1s").confirmation(EURUSD, "1h")

    assert (confirmation.room, confirmation.symbol) == ("FX:EURUSD_1h_1s", "FX:EURUSD")


def test_numbers_can_be_strings_without_exponents() -> None:
    history = [{"t": 1, "c": 8.65e-06}]
    prices = said(Faults(strings=True), history=history)["prices"]

    assert prices["l"] == "0.00001"
    assert (prices["t"], prices["c"], prices["v"]) == ("60", "1.2", "0")
    assert prices["history"] == [{"t": "1", "c": "0.00000865"}]
    assert prices["mode"] == "candle"


def test_candles_can_lack_ask_and_bid_and_quotes_never_do() -> None:
    faults = Faults(candle_sides=False)

    assert not {"a", "b"} & said(faults)["prices"].keys()
    assert {"a", "b"} < said(faults, mode="askbid")["prices"].keys()


def test_forex_can_lack_its_volume_and_stocks_never_do() -> None:
    faults = Faults(forex_volume=False)

    assert "v" not in said(faults)["prices"]
    assert "v" in said(faults, Room("NASDAQ:AAPL", "60"))["prices"]


def test_patterns_name_symbols_or_rooms() -> None:
    faults = Faults(unknown=("FX:NO*",), silent=("FX:EURUSD_60",))

    assert not faults.knows(Room("FX:NOPE", "1D"))
    assert faults.knows(EURUSD)
    assert faults.silences(EURUSD)
    assert not faults.silences(Room("FX:EURUSD", "1D"))


def test_faults_are_read_from_texts() -> None:
    texts = [
        *("strings", "pong=off", "ping-seconds=0.5", "drop_after=7"),
        *("unknown=FX:NO*, NYSE:*", "confirm=full"),
    ]

    assert Faults.parse(texts) == Faults(
        strings=True,
        pong=False,
        ping_seconds=0.5,
        drop_after=7,
        unknown=("FX:NO*", "NYSE:*"),
        confirm="full",
    )
    assert Faults.parse([]) == Faults()


def test_the_page_on_the_simulator_lists_all_faults_with_their_defaults() -> None:
    rows = re.findall(r"^\| (`.+?`) \|(.*?)\|", PAGE.read_text(), re.M)
    listed = {
        name: default
        for names, defaults in rows
        for name, default in zip_longest(names.split(", "), defaults.split(","), fillvalue="")
    }

    for field in fields(Faults):
        assert listed[f"`{field.name}`"].strip() == as_written(field.default)


def as_written(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    text = f"{default:g}" if isinstance(default, float) else str(default or "0")
    return "" if default in ("", ()) else f"`{text}`"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("speed=9", "no fault 'speed': choose from arrays, "),
        ("parse", "no fault 'parse'"),
        ("pong=maybe", "pong takes on or off, not 'maybe'"),
        ("drop_after=soon", "drop_after takes a number, not 'soon'"),
        ("drop_after", "drop_after takes a number, not 'on'"),
        ("confirm=half", "confirm must be one of bare, full"),
        ("refusal", "refusal must be one of message, close, http"),
        ("rest_cut=half", "rest_cut must be one of none, json, body, connection"),
        ("rest_status=9", "rest_status must be from 200 to 599"),
        ("rest_seconds=inf", "rest_seconds must be from 0 to 600"),
        ("rest_seconds=nan", "rest_seconds must be from 0 to 600"),
        ("rest_overlap=-1", "rest_overlap must be from 0 to 10000"),
    ],
)
def test_what_is_wrong_with_a_text_is_told(text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        Faults.parse([text])
