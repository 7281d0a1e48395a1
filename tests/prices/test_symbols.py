"""What a symbol is: one table for hours, formats, the simulator and the page's script."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

import django_fcs
from django_fcs.prices.sessions import Markets
from django_fcs.prices.symbols import (
    CURRENCIES,
    METALS,
    PIPS,
    is_currency_pair,
    is_metal,
    market_of,
    parts_of,
    pip_of,
)
from django_fcs.simulator.instruments import instrument

SCRIPT = Path(django_fcs.__file__).parent / "static" / "django_fcs" / "fcs-elements.js"

WEDNESDAY, SATURDAY = 1_795_608_000.0, 1_795_867_200.0


@pytest.mark.parametrize("feed", ["FX", "FOREXCOM", "FX_IDC", "OANDA"])
def test_a_pair_is_the_same_on_every_forex_feed(feed: str) -> None:
    symbol = f"{feed}:EURUSD"
    traded, hours = instrument(symbol, Random(1)), Markets().hours(symbol)

    assert (market_of(symbol), traded.market, traded.digits) == ("forex", "forex", 5)
    assert traded.volume == 0
    assert traded.price == pytest.approx(1.0842)
    assert (hours.phase(WEDNESDAY).is_open, hours.phase(SATURDAY).is_open) == (True, False)


@pytest.mark.parametrize("exchange", ["BINANCE", "GEMINI", "BITGET", "GATEIO", "HTX", "MEXC"])
def test_a_coin_is_the_same_on_every_exchange_of_coins(exchange: str) -> None:
    symbol = f"{exchange}:BTCUSD"
    traded, hours = instrument(symbol, Random(1)), Markets().hours(symbol)

    assert (market_of(symbol), traded.market, traded.price) == ("crypto", "crypto", 90150.0)
    assert traded.volume > 0
    assert (hours.phase(WEDNESDAY).is_open, hours.phase(SATURDAY).is_open) == (True, True)


@pytest.mark.parametrize("symbol", ["NASDAQ:AAPL", "LSE:VOD", "MOON:ROCK"])
def test_any_other_exchange_trades_stocks(symbol: str) -> None:
    assert (market_of(symbol), instrument(symbol, Random(1)).market) == ("stock", "stock")


def test_pairs_metals_and_coins_are_told_apart_by_their_ticker() -> None:
    symbols = ["FX:EURUSD", "FX:XAUUSD", "BINANCE:BTCUSDT", "NASDAQ:AAPL"]

    assert [symbol for symbol in symbols if is_currency_pair(symbol)] == ["FX:EURUSD"]
    assert [symbol for symbol in symbols if is_metal(symbol)] == ["FX:XAUUSD"]
    assert [parts_of(symbol) for symbol in symbols] == [
        ("EUR", "USD"),
        ("XAU", "USD"),
        ("BTC", "USDT"),
        ("AAPL",),
    ]


@pytest.mark.parametrize(
    ("symbol", "pip"),
    [
        *(("FX:EURUSD", 0.0001), ("FX:USDCHF", 0.0001), ("ONA:EURCZK", 0.0001)),
        *(("FX:USDJPY", 0.01), ("FX:EURHUF", 0.01), ("FX:USDTHB", 0.01), ("FX:USDINR", 0.01)),
        *(("FX:JPYUSD", 0.0001), ("FX:VNDUSD", 0.0001)),
        *((f"FX:EUR{currency}", None) for currency in ("VND", "IDR", "KRW", "CLP", "COP", "ARS")),
        *(
            ("FX:XAUUSD", None),
            ("BINANCE:BTCUSD", None),
            ("NASDAQ:AAPL", None),
            ("FX:COPPER", None),
        ),
    ],
)
def test_a_pip_belongs_to_the_quote_currency(symbol: str, pip: float | None) -> None:
    assert pip_of(symbol) == pip


def test_every_pip_is_one_of_a_known_currency() -> None:
    assert PIPS.keys() < set(CURRENCIES)


def currencies_of(name: str) -> list[str]:
    """Return a list of the script, which is a text with bars between."""
    [written] = re.findall(rf"const {name} = ([^;]+);", SCRIPT.read_text(encoding="utf-8"))
    return "".join(re.findall(r'"([^"]+)"', written)).split("|")


def test_the_script_knows_the_same_pips() -> None:
    four, two = (
        dict.fromkeys(currencies_of(name), pip) for name, pip in (("FOUR", 0.0001), ("TWO", 0.01))
    )

    assert four | two == PIPS


def test_the_script_knows_the_same_currencies_and_metals() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    [metals] = re.findall(r"METAL = new RegExp\(`\^\(([A-Z|]+)\)", script)

    written = [code for name in ("FOUR", "TWO", "NONE") for code in currencies_of(name)]
    assert sorted(written) == sorted(CURRENCIES)
    assert metals.split("|") == list(METALS)
