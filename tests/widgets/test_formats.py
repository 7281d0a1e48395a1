"""How numbers, names and times read on a page."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from django.test import override_settings
from django.utils import translation

from django_fcs.widgets import formats

pytestmark = pytest.mark.versions

MORNING = datetime(2025, 12, 22, 9, 5, 7, tzinfo=timezone.utc)
EVENING = datetime(2025, 12, 22, 21, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("FX:EURUSD", "EUR/USD"),
        ("ONA:USDJPY", "USD/JPY"),
        ("FX:XAUUSD", "XAU/USD"),
        ("BINANCE:BTCUSDT", "BTC/USDT"),
        ("BINANCE:1000SHIBUSDC", "1000SHIB/USDC"),
        ("CRYPTO:BTCUSD", "BTC/USD"),
        ("ONA:US30USD", "US30/USD"),
        ("NASDAQ:AAPL", "AAPL"),
        ("NYSE:BRK.B", "BRK.B"),
        ("AMEX:USD", "USD"),
        ("NSE:M&M", "M&M"),
        ("FX:COPPER", "COPPER"),
        ("BINANCE:BTCUSDT.P", "BTCUSDT.P"),
    ],
)
def test_pairs_are_split_and_other_instruments_keep_their_ticker(symbol: str, name: str) -> None:
    assert formats.name(symbol) == name


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (1.08412, 5, "1.08412"),
        (154.2, 3, "154.200"),
        (89962.61, 2, "89,962.61"),
        (8.51e-06, 8, "0.00000851"),
        (1.005, 2, "1.01"),
        (-37.63, 2, "−37.63"),
        (-0.001, 2, "0.00"),
        (1234567.0, 0, "1,234,567"),
        (1.234e-10, 13, "0.0000000001234"),
        (0.30000000000000004, 1, "0.3"),
        (1e15, 20, "1,000,000,000,000,000.00000000000000000000"),
        (-1e-15, 20, "−0.00000000000000100000"),
        (1e12, 2, "1,000,000,000,000.00"),
        (None, 2, "–"),
    ],
)
def test_a_number_has_fixed_decimals_grouping_and_a_true_minus(
    value: float | None, digits: int, shown: str
) -> None:
    assert formats.number(value, digits) == shown


@pytest.mark.parametrize(
    ("language", "shown"), [("de", "89.962,61"), ("fr", "89\xa0962,61"), ("en", "89,962.61")]
)
def test_a_number_follows_the_active_language(language: str, shown: str) -> None:
    with translation.override(language):
        assert formats.number(89962.61, 2) == shown


@pytest.mark.parametrize("value", [1e21, -1e300, float("inf"), float("nan")])
def test_what_is_no_price_is_a_dash(value: float) -> None:
    assert formats.number(value, 5) == formats.signed(value, 5) == formats.percent(value) == "–"
    assert formats.compact(value) == formats.spread(value, "FX:EURUSD", 5) == "–"


@pytest.mark.parametrize(("value", "digits"), [(1e20, 10), (1.5, 99), (0.0, 99), (1e18, -1)])
def test_any_number_of_digits_can_be_written(value: float, digits: int) -> None:
    shown = formats.number(value, digits)
    assert float(shown.replace(",", "")) == value
    assert len(shown.partition(".")[2]) == min(max(digits, 0), 20)


def test_a_change_has_a_sign_unless_it_is_zero() -> None:
    assert formats.signed(0.00231, 5) == "+0.00231"
    assert formats.signed(-1120.4, 2) == "−1,120.40"
    assert formats.signed(0.001, 2) == "+0.00"
    assert formats.signed(-0.001, 2) == "−0.00"
    assert formats.signed(-0.0, 2) == formats.signed(0.0, 2) == formats.number(-0.001, 2) == "0.00"
    assert formats.signed(None, 2) == "–"


def test_percent_stands_behind_a_thin_space() -> None:
    assert formats.percent(0.2135) == "+0.21\N{THIN SPACE}%"
    assert formats.percent(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (8192.7, "8.19 K"),
        (59_000_000.0, "59.0 M"),
        (1.5e9, "1.50 B"),
        (2.25e12, "2.25 T"),
        (999_499.0, "999 K"),
        (999_500.0, "1.00 M"),
        (812.0, "812"),
        (0.0, "0"),
        (12.345, "12.3"),
        (0.247, "0.247"),
        (None, "–"),
    ],
)
def test_a_volume_is_written_in_three_figures(value: float | None, shown: str) -> None:
    assert formats.compact(value) == shown.replace(" ", "\N{THIN SPACE}")


@pytest.mark.parametrize(
    ("value", "symbol", "digits", "shown"),
    [
        (1.08416 - 1.08408, "FX:EURUSD", 5, "0.8 pips"),
        (0.008, "FX:USDJPY", 3, "0.8 pips"),
        (0.01, "BINANCE:BTCUSDT", 2, "0.01"),
        (0.35, "FX:XAUUSD", 2, "0.35"),
        (2.0, "FX:EURVND", 0, "2"),
        (0.5, "FX:USDKRW", 1, "0.5"),
        (0.12, "FX:EURHUF", 2, "12.0 pips"),
        (None, "FX:EURUSD", 5, "–"),
        (None, "FX:EURVND", 0, "–"),
    ],
)
def test_a_spread_is_in_pips_where_the_quote_currency_has_them(
    value: float | None, symbol: str, digits: int, shown: str
) -> None:
    assert formats.spread(value, symbol, digits) == shown


def test_a_timeframe_is_short() -> None:
    assert [formats.period(text) for text in ("1", "60", "240", "1D", "1M")] == (
        ["1m", "1h", "4h", "1D", "1M"]
    )


def test_a_moment_for_machines_is_in_utc() -> None:
    assert formats.iso(MORNING) == "2025-12-22T09:05:07Z"


@override_settings(TIME_ZONE="Europe/Berlin")
def test_a_moment_of_today_is_a_time_in_the_current_zone() -> None:
    assert formats.clock(MORNING, now=EVENING) == "10:05:07 CET"


@override_settings(TIME_ZONE="Asia/Tokyo")
def test_a_moment_of_another_day_has_its_date() -> None:
    assert formats.clock(MORNING, now=EVENING) == "12/22/2025 18:05:07 JST"


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        (datetime(2025, 12, 22, 14, 30, tzinfo=timezone.utc), "15:30 CET"),
        (datetime(2025, 12, 22, 23, 30, tzinfo=timezone.utc), "Tue 00:30 CET"),
        (datetime(2025, 12, 28, 22, 0, tzinfo=timezone.utc), "Sun 23:00 CET"),
        (datetime(2025, 12, 29, 8, 0, tzinfo=timezone.utc), "29 Dec 09:00 CET"),
        (datetime(2025, 12, 21, 14, 30, tzinfo=timezone.utc), "21 Dec 15:30 CET"),
    ],
)
@override_settings(TIME_ZONE="Europe/Berlin")
def test_an_opening_is_written_by_its_weekday_while_that_is_plain(
    until: datetime, shown: str
) -> None:
    assert formats.opening(until, now=MORNING) == shown
