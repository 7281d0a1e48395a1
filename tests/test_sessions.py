"""Sessions: when markets are open, and what is not known."""

from __future__ import annotations

import importlib
import logging
import sys
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_fcs.sessions import Markets, Phase, Timetable, vendor_says_open

NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400.0

UNKNOWN = Phase(None)

#: From 1990 to 2100, to the millisecond.
moments = st.integers(631_152_000_000, 4_102_444_800_000).map(lambda ms: ms / 1000)


def at(text: str) -> float:
    """Read a moment that is written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def span(phase: Phase) -> str:
    """Write a phase: whether it is open, and from when to when in UTC."""
    assert phase.since is not None and phase.until is not None
    ends = [
        datetime.fromtimestamp(end, timezone.utc).strftime("%a %d %b %H:%M")
        for end in (phase.since, phase.until)
    ]
    return " – ".join([f"{'open' if phase.is_open else 'closed'} {ends[0]}", ends[1]])


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


# -- calendars


class Library:
    """Stands in for ``exchange_calendars``: Hong Kong, with its rest at noon."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def get_calendar(self, name: str, start: str) -> Any:
        self.asked.append((name, start))
        if name == "XKAR":
            raise ValueError("holidays are recorded to last year")
        return SimpleNamespace(schedule=Schedule())


class Schedule:
    """Rows as pandas gives them; NaT, which stands for no break, equals nothing."""

    def itertuples(self) -> list[Any]:
        nat = float("nan")
        days = [("2026-11-18", True), ("2026-11-19", False), ("2027-11-19", True)]
        return [
            SimpleNamespace(
                open=moment(f"{day} 01:30"),
                break_start=moment(f"{day} 04:00") if rests else nat,
                break_end=moment(f"{day} 05:00") if rests else nat,
                close=moment(f"{day} 08:00"),
            )
            for day, rests in days
        ]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "exchange_calendars", library)  # type: ignore[arg-type]
    return library


NOW = at("2026-11-18 02:00")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-18 01:29:59", None),
        ("2026-11-18 03:59:59", "open Wed 18 Nov 01:30 – Wed 18 Nov 04:00"),
        ("2026-11-18 04:00", "closed Wed 18 Nov 04:00 – Wed 18 Nov 05:00"),
        ("2026-11-18 05:00", "open Wed 18 Nov 05:00 – Wed 18 Nov 08:00"),
        ("2026-11-18 08:00", "closed Wed 18 Nov 08:00 – Thu 19 Nov 01:30"),
        ("2026-11-19 04:30", "open Thu 19 Nov 01:30 – Thu 19 Nov 08:00"),
        ("2026-11-19 08:00", None),
    ],
)
def test_an_exchange_keeps_its_calendar_and_rests_at_noon(
    library: Library, now: str, expected: str | None
) -> None:
    markets = Markets()
    hours = markets.hours("HKEX:700")
    assert hours.phase(at(now)) == UNKNOWN
    markets.load(["XHKG"], NOW)
    found = hours.phase(at(now))

    assert (None if found == UNKNOWN else span(found)) == expected


def test_a_calendar_is_read_once_a_week_and_for_all_exchanges_that_keep_it(
    library: Library,
) -> None:
    markets = Markets()
    symbols = ["NYSE:IBM", "NASDAQ:AAPL", "FX:EURUSD"]
    for days in range(9):
        markets.load(markets.lacking(symbols, NOW + days * DAY), NOW + days * DAY)

    assert library.asked == [("XNYS", "2026-10-28"), ("XNYS", "2026-11-05")]
    assert markets.hours("NYSE:IBM") is markets.hours("NASDAQ:AAPL")
    assert markets.lacking(symbols, NOW - 30 * DAY), "the clock was wrong"


def test_a_calendar_that_cannot_be_read_leaves_the_hours_unknown(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    markets = Markets()
    markets.load(["XKAR", "XHKG"], NOW)

    assert markets.hours("PSX:OGDC").phase(NOW) == UNKNOWN
    assert markets.hours("HKEX:700").phase(NOW).is_open
    assert not markets.lacking(["PSX:OGDC"], NOW)
    assert "calendar not read calendar=XKAR reason=ValueError" in caplog.text


def test_without_the_library_the_hours_of_exchanges_are_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)  # type: ignore[arg-type]
    markets = Markets()
    markets.load(["XNYS"], NOW)

    assert markets.hours("NYSE:IBM").phase(NOW) == UNKNOWN
    assert "hours are unknown without exchange_calendars" in caplog.text


def test_nothing_heavy_is_imported_before_a_calendar_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(importlib, "import_module", asked.append)
    markets = Markets()
    markets.hours("NYSE:IBM").phase(NOW)
    markets.lacking(["NYSE:IBM"], NOW)

    assert not asked


# It calls what pandas has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("symbol", "now", "expected"),
    [
        ("NASDAQ:AAPL", "2026-11-20 15:00", "open Fri 20 Nov 14:30 – Fri 20 Nov 21:00"),
        ("NYSE:IBM", "2026-11-21 15:00", "closed Fri 20 Nov 21:00 – Mon 23 Nov 14:30"),
        # Thanksgiving, and the short day after it.
        ("SP:SPX", "2026-11-26 15:00", "closed Wed 25 Nov 21:00 – Fri 27 Nov 14:30"),
        ("SP:SPX", "2026-11-27 15:00", "open Fri 27 Nov 14:30 – Fri 27 Nov 18:00"),
        ("TSE:7203", "2026-11-20 03:00", "closed Fri 20 Nov 02:30 – Fri 20 Nov 03:30"),
        ("LSE:VOD", "2026-12-24 13:00", "closed Thu 24 Dec 12:30 – Tue 29 Dec 08:00"),
    ],
)
def test_the_real_calendars_know_holidays_short_days_and_breaks(
    symbol: str, now: str, expected: str
) -> None:
    pytest.importorskip("exchange_calendars")
    markets = Markets()
    markets.load(markets.lacking([symbol], at(now)), at(now))

    assert span(markets.hours(symbol).phase(at(now))) == expected


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
