"""Sessions: when markets are open, and what is not known."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.sessions import Markets, Phase, Timetable, vendor_says_open
from tests.support.moments import UNKNOWN, at, span

NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400.0

#: From 1990 to 2100, to the millisecond.
moments = st.integers(631_152_000_000, 4_102_444_800_000).map(lambda ms: ms / 1000)


def phase(symbol: str, now: float) -> Phase:
    return Markets().hours(symbol).phase(now)


# -- the forex week


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # New York is five hours behind in winter, four in summer.
        ("2026-11-18 12:00", "open Sun 15 Nov 22:00 – Fri 20 Nov 22:00"),
        ("2026-11-20 21:59:59.999", "open Sun 15 Nov 22:00 – Fri 20 Nov 22:00"),
        ("2026-11-20 22:00", "closed Fri 20 Nov 22:00 – Sun 22 Nov 22:00"),
        ("2026-11-22 21:59:59.999", "closed Fri 20 Nov 22:00 – Sun 22 Nov 22:00"),
        ("2026-11-22 22:00", "open Sun 22 Nov 22:00 – Fri 27 Nov 22:00"),
        ("2026-07-15 12:00", "open Sun 12 Jul 21:00 – Fri 17 Jul 21:00"),
        # The clocks change early on a Sunday: that weekend is an hour off.
        ("2026-03-07 12:00", "closed Fri 06 Mar 22:00 – Sun 08 Mar 21:00"),
        ("2026-03-08 21:00", "open Sun 08 Mar 21:00 – Fri 13 Mar 21:00"),
        ("2026-10-31 12:00", "closed Fri 30 Oct 21:00 – Sun 01 Nov 22:00"),
        ("2026-11-01 21:30", "closed Fri 30 Oct 21:00 – Sun 01 Nov 22:00"),
        # A holiday within the week is a day without trade, from rollover to rollover.
        ("2025-12-24 21:59", "open Sun 21 Dec 22:00 – Wed 24 Dec 22:00"),
        ("2025-12-25 12:00", "closed Wed 24 Dec 22:00 – Thu 25 Dec 22:00"),
        ("2025-12-25 22:00", "open Thu 25 Dec 22:00 – Fri 26 Dec 22:00"),
        ("2026-01-01 12:00", "closed Wed 31 Dec 22:00 – Thu 01 Jan 22:00"),
        # On a Friday it makes the weekend longer, on a Monday as well.
        ("2026-12-26 12:00", "closed Thu 24 Dec 22:00 – Sun 27 Dec 22:00"),
        ("2023-12-24 23:00", "closed Fri 22 Dec 22:00 – Mon 25 Dec 22:00"),
        # On a weekend nobody notices it.
        ("2027-12-25 12:00", "closed Fri 24 Dec 22:00 – Sun 26 Dec 22:00"),
    ],
)
def test_the_forex_week_keeps_the_time_of_new_york(now: str, expected: str) -> None:
    assert span(phase("FX:EURUSD", at(now))) == expected


@given(now=moments)
def test_a_phase_of_the_forex_week_ends_where_the_next_begins(now: float) -> None:
    hours = Markets().hours("FX:EURUSD")
    current = hours.phase(now)
    assert current.since is not None and current.until is not None
    following = hours.phase(current.until)

    assert current.since <= now < current.until
    assert hours.phase(current.since) == current == hours.phase(current.until - 0.001)
    assert following.since == current.until
    assert following.is_open is not current.is_open
    assert current.until - current.since <= (5 if current.is_open else 4) * DAY + 3600


@given(now=moments)
def test_no_saturday_is_open_and_no_common_working_noon_closed(now: float) -> None:
    local = datetime.fromtimestamp(now, NEW_YORK)
    noon = local.replace(hour=12, minute=0, second=0, microsecond=0).timestamp()
    is_holiday = (local.month, local.day) in ((12, 25), (1, 1))

    assert phase("FX:EURUSD", noon).is_open is (local.weekday() < 5 and not is_holiday)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-18 12:00", "open Tue 17 Nov 23:00 – Wed 18 Nov 22:00"),
        ("2026-11-18 22:30", "closed Wed 18 Nov 22:00 – Wed 18 Nov 23:00"),
        ("2026-11-21 12:00", "closed Fri 20 Nov 22:00 – Sun 22 Nov 23:00"),
    ],
)
def test_metals_pause_for_an_hour_every_day(now: str, expected: str) -> None:
    assert span(phase("ONA:XAUUSD", at(now))) == expected


@pytest.mark.parametrize("symbol", ["ONA:US30USD", "GMC:USOIL", "GMC:DXY"])
def test_what_else_is_on_a_forex_feed_rests_with_it_and_when_else_nobody_knows(symbol: str) -> None:
    weekend, midweek = phase(symbol, at("2026-11-21 12:00")), phase(symbol, at("2026-11-18 12:00"))

    assert weekend == phase("FX:EURUSD", at("2026-11-21 12:00"))
    assert midweek == (None, at("2026-11-15 22:00"), at("2026-11-20 22:00"))


# -- whose market it is


@pytest.mark.parametrize("symbol", ["FX:EURUSD", "ONA:GBPJPY", "FCM:USDCHF", "OANDA:AUDNZD"])
def test_pairs_of_every_forex_feed_keep_the_forex_week(symbol: str) -> None:
    assert phase(symbol, at("2026-11-21 12:00")).is_open is False
    assert phase(symbol, at("2026-11-18 12:00")).is_open is True


@pytest.mark.parametrize("symbol", ["BINANCE:BTCUSDT", "OKX:LTCUSDT", "CRYPTO:BTCUSD"])
@given(now=moments)
def test_coins_never_rest(symbol: str, now: float) -> None:
    assert phase(symbol, now) == (True, None, None)


@pytest.mark.parametrize("symbol", ["NASDAQ:AAPL", "MOON:ROCK", "FXX:EURUSD"])
@given(now=moments)
def test_what_is_not_known_is_not_closed(symbol: str, now: float) -> None:
    assert phase(symbol, now) == UNKNOWN


@pytest.mark.parametrize(
    ("symbols", "calendars"),
    [
        (["NASDAQ:AAPL", "NYSE:IBM", "SP:SPX", "DJ:DJI"], {"XNYS"}),
        (["BSE:TCS", "NSE:TCS"], {"XBOM"}),
        (["LSE:VOD", "TSE:7203", "HKEX:700"], {"XLON", "XTKS", "XHKG"}),
        (["PSX:OGDC", "IDX:BBCA"], {"XKAR", "XIDX"}),
        (["FX:EURUSD", "BINANCE:BTCUSDT", "MOON:ROCK"], set()),
    ],
)
def test_exchanges_are_known_by_the_names_the_vendor_gives_them(
    symbols: list[str], calendars: set[str]
) -> None:
    assert Markets().lacking(symbols, at("2026-11-18 12:00")) == calendars


# -- timetables


def test_intervals_that_touch_are_one() -> None:
    table = Timetable([(0, 10), (10, 20), (30, 40)])

    assert table.phase(10) == (True, 0, 20)
    assert table.phase(20) == (False, 20, 30)


def test_beyond_its_ends_a_timetable_knows_nothing() -> None:
    table = Timetable([(0, 10), (20, 30)])

    assert table.phase(-1) == table.phase(30) == Timetable().phase(5) == UNKNOWN


# -- the vendor's word


@pytest.mark.parametrize(
    ("profile", "is_open"),
    [
        ({"current_session": "market"}, True),
        ({"current_session": "regular"}, True),
        ({"current_session": "pre_market"}, True),
        ({"current_session": "post_market"}, True),
        ({"current_session": "out_of_session"}, False),
        ({"current_session": "holiday"}, False),
        ({"current_session": None}, None),
        ({"current_session": 5}, None),
        ({"timezone": "Etc/UTC"}, None),
    ],
)
def test_the_vendor_names_a_session_or_says_nothing(
    profile: dict[str, Any], is_open: bool | None
) -> None:
    assert vendor_says_open(profile) is is_open
