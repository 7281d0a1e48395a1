"""What instruments are called."""

from __future__ import annotations

from itertools import product

import pytest
from django.utils import translation
from django.utils.translation import get_language

from django_fcs.prices.names import INDICES, UNITS, name_of, usual_digits
from django_fcs.prices.symbols import CURRENCIES, METALS, parts_of, pip_of
from django_fcs.rooms import check_symbol


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("FX:EURUSD", "Euro / US dollar"),
        ("ONA:USDCNH", "US dollar / Offshore yuan"),
        ("MOON:GBPJPY", "British pound / Japanese yen"),
        ("FX:XAUUSD", "Gold / US dollar"),
        ("ONA:XAUXAG", "Gold / Silver"),
        ("ONA:BTCUSD", "Bitcoin / US dollar"),
        ("BINANCE:BTCUSDT", "Bitcoin / Tether"),
        ("BINANCE:ETHBTC", "Ethereum / Bitcoin"),
        ("KRAKEN:BTCEUR", "Bitcoin / Euro"),
        ("BINANCE:SHIBUSDC", "Shiba Inu / USDC"),
        ("SP:SPX", "S&P 500"),
        ("DJ:DJI", "Dow Jones Industrial Average"),
        ("XETR:DAX", "DAX"),
        ("SSE:000001", "SSE Composite"),
    ],
)
def test_pairs_and_indices_have_names(symbol: str, name: str) -> None:
    assert name_of(symbol) == name


@pytest.mark.parametrize(
    "symbol",
    [
        *("NASDAQ:AAPL", "NYSE:BRK.B", "NSE:M&M", "CME:ES1!", "GMC:USOIL", "ONA:US30USD"),
        # A fund and shares that have the letters of something else.
        *("NASDAQ:DAX", "NYSE:AAVECAD", "NSE:SUITRY", "AMEX:BTCUSD", "SZSE:000001"),
        # Not the coin itself: a thousand of it, a future on it.
        *("BINANCE:1000SHIBUSDT", "BINANCE:BTCUSDT.P", "BINANCE:BTCUSDTPERP"),
        *("BINANCE:NEWUSDT", "FX:XXXUSD", "FX:EURXXX", "FX:EUR", "FX:USD", "BINANCE:USDT"),
        *("CRYPTO:BTC", "FX:" + "EUR" * 13, "X:\U0001f600", "FX:EURUSDUSD"),
    ],
)
def test_no_name_is_invented(symbol: str) -> None:
    assert name_of(symbol) == symbol.partition(":")[2]
    assert usual_digits(symbol) is None


def test_the_table_has_what_the_feed_has() -> None:
    kinds = [unit.kind for unit in UNITS.values()]

    assert [code for code, unit in UNITS.items() if unit.kind == "currency"] == list(CURRENCIES)
    assert [code for code, unit in UNITS.items() if unit.kind == "metal"] == list(METALS)
    assert kinds.count("coin") == 30
    assert len({index.name for index in INDICES.values()}) == 20
    assert len({str(unit.name) for unit in UNITS.values()}) == len(UNITS)
    assert [check_symbol(symbol) for symbol in INDICES] == list(INDICES)


def test_every_pair_has_one_reading() -> None:
    """No ticker is two codes in two ways, and it has the parts that the card shows."""
    tickers = ["".join(pair) for pair in product(UNITS, UNITS)]

    assert len(set(tickers)) == len(tickers)
    for base, quote in product(UNITS, ("USD", "USDT", "USDC")):
        if base not in ("USD", "USDT", "USDC"):
            assert parts_of(f"BINANCE:{base}{quote}") in ((base, quote), (f"{base}{quote}",))


@pytest.mark.parametrize(
    ("symbol", "digits"),
    [
        *(("FX:EURUSD", 5), ("FX:USDJPY", 3), ("FX:EURVND", None), ("FX:XAUUSD", 2)),
        *(("FX:XAGUSD", 3), ("FX:XAUEUR", None), ("BINANCE:BTCUSDT", 2), ("CRYPTO:BTCUSD", 2)),
        *(("BINANCE:SHIBUSDT", 8), ("BINANCE:ETHBTC", None), ("BINANCE:EURUSDT", None)),
        *(("BINANCE:DOTUSDT", None), ("SP:SPX", 2), ("NASDAQ:AAPL", None)),
    ],
)
def test_decimals_are_those_that_most_feeds_have(symbol: str, digits: int | None) -> None:
    assert usual_digits(symbol) == digits


def test_a_pair_has_a_decimal_more_than_its_pip() -> None:
    for base, quote in product(CURRENCIES, CURRENCIES):
        pip, digits = pip_of(f"FX:{base}{quote}"), usual_digits(f"FX:{base}{quote}")
        assert pip == (None if digits is None else pytest.approx(10 ** (1 - digits)))


def test_names_of_currencies_follow_the_active_language(monkeypatch: pytest.MonkeyPatch) -> None:
    german = {"US dollar": "US-Dollar", "Gold": "Feingold"}

    def pgettext(context: str, text: str) -> str:
        return german[text] if context == "instrument" and get_language() == "de" else text

    monkeypatch.setattr("django.utils.translation._trans.pgettext", pgettext, raising=False)

    assert name_of("FX:XAUUSD") == "Gold / US dollar"
    with translation.override("de"):
        assert name_of("FX:XAUUSD") == "Feingold / US-Dollar"
