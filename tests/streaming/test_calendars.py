"""The calendars of stock exchanges: what is read of them, when, and in which thread."""

from __future__ import annotations

import logging
import sys
import threading
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from django_fcs.prices.sessions import Markets
from django_fcs.prices.store import MemoryStore
from django_fcs.rooms import Room
from django_fcs.streaming.calendars import read_calendar, read_calendars
from django_fcs.streaming.stream import Stream
from django_fcs.tools.tasks import running
from django_fcs.upstream import UpstreamClient
from tests.streaming.streams import QUICK, Clock
from tests.support.moments import UNKNOWN, at, span
from tests.support.waiting import eventually

DAY = 86_400.0


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


def read(markets: Markets, symbols: list[str], now: float) -> None:
    for name in sorted(markets.lacking(symbols, now)):
        markets.learn(name, read_calendar(name, now), now)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "exchange_calendars", library)
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
    read(markets, ["HKEX:700"], NOW)
    found = hours.phase(at(now))

    assert (None if found == UNKNOWN else span(found)) == expected


def test_a_calendar_is_read_once_a_week_and_for_all_exchanges_that_keep_it(
    library: Library,
) -> None:
    markets = Markets()
    symbols = ["NYSE:IBM", "NASDAQ:AAPL", "FX:EURUSD"]
    for days in range(9):
        read(markets, symbols, NOW + days * DAY)

    assert library.asked == [("XNYS", "2026-10-28"), ("XNYS", "2026-11-05")]
    assert markets.hours("NYSE:IBM") is markets.hours("NASDAQ:AAPL")
    assert markets.lacking(symbols, NOW - 30 * DAY), "the clock was wrong"


def test_a_calendar_that_cannot_be_read_leaves_the_hours_unknown(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    markets = Markets()
    read(markets, ["PSX:OGDC", "HKEX:700"], NOW)

    assert markets.hours("PSX:OGDC").phase(NOW) == UNKNOWN
    assert markets.hours("HKEX:700").phase(NOW).is_open
    assert not markets.lacking(["PSX:OGDC"], NOW)
    assert "cannot read calendar calendar=XKAR reason=ValueError" in caplog.text


def test_without_the_library_the_hours_of_exchanges_are_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    markets = Markets()
    read(markets, ["NYSE:IBM"], NOW)

    assert markets.hours("NYSE:IBM").phase(NOW) == UNKNOWN
    assert "hours are unknown without exchange_calendars" in caplog.text


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
    read(markets, [symbol], at(now))

    assert span(markets.hours(symbol).phase(at(now))) == expected


class SlowLibrary:
    """Stands in for ``exchange_calendars``; each answer takes as long as the test says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.threads: set[threading.Thread] = set()
        self.may_go_on = threading.Event()

    def get_calendar(self, name: str, start: str) -> Any:
        self.asked.append(name)
        self.threads.add(threading.current_thread())
        self.may_go_on.wait(60)
        return SimpleNamespace(schedule=SimpleNamespace(itertuples=list))


@pytest.fixture
def slow_library(monkeypatch: pytest.MonkeyPatch) -> SlowLibrary:
    library = SlowLibrary()
    monkeypatch.setitem(sys.modules, "exchange_calendars", library)
    return library


@pytest.mark.usefixtures("clean_loop")
async def test_calendars_are_read_beside_the_loop_one_by_one_and_once(
    slow_library: SlowLibrary,
) -> None:
    clock = Clock()
    rooms = [Room(symbol, "1D") for symbol in ("NASDAQ:AAPL", "NYSE:IBM", "LSE:BP", "FX:EURUSD")]
    client = UpstreamClient("test", url="ws://127.0.0.1:9", rooms=rooms)
    stream = Stream(
        client, MemoryStore(), rooms=rooms, markets=Markets(), clock=clock, intervals=QUICK
    )
    async with client, running(stream.run()):
        await eventually(lambda: slow_library.asked)
        assert slow_library.asked == ["XLON"]
        slow_library.may_go_on.set()
        await eventually(lambda: len(slow_library.asked) == 2)
        clock.now += 8 * DAY
        await eventually(lambda: len(slow_library.asked) == 4)

    assert slow_library.asked == ["XLON", "XNYS"] * 2
    assert threading.main_thread() not in slow_library.threads


@pytest.mark.usefixtures("clean_loop")
async def test_a_calendar_that_is_being_read_does_not_keep_a_process_from_its_end(
    slow_library: SlowLibrary,
) -> None:
    async with running(read_calendars(Markets(), lambda: [Room("NASDAQ:AAPL", "1D")], Clock())):
        await eventually(lambda: slow_library.threads)
    # An interpreter waits for all threads but those.
    assert all(thread.daemon for thread in slow_library.threads)
    slow_library.may_go_on.set()
