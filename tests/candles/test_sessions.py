"""When a bar ends: with its session, as far as the hours of its market are known."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from django_fcs.candles.sessions import bar_end
from django_fcs.prices.sessions import Hours, Markets, Timetable

HOUR = 3600


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def tokyo() -> Hours:
    """Two days of an exchange with a break at noon."""
    days = [at("2025-12-18 00:00"), at("2025-12-19 00:00")]
    return Timetable(
        (day + start * HOUR // 2, day + stop * HOUR // 2)
        for day in days
        for start, stop in ((0, 5), (7, 13))
    )


@pytest.mark.parametrize(
    ("symbol", "timeframe", "t", "end"),
    [
        ("FX:EURUSD", "1D", "2025-12-18 22:00", "2025-12-19 22:00"),  # a Friday
        ("FX:EURUSD", "1D", "2025-12-16 22:00", "2025-12-17 22:00"),
        ("FX:EURUSD", "1D", "2025-12-23 22:00", "2025-12-24 22:00"),  # before Christmas
        ("FX:EURUSD", "240", "2025-12-19 20:00", "2025-12-19 22:00"),
        ("FX:EURUSD", "60", "2025-12-19 21:00", "2025-12-19 22:00"),
        ("FX:EURUSD", "1W", "2025-12-14 22:00", "2025-12-21 23:00"),
        ("FX:XAUUSD", "1D", "2025-12-16 23:00", "2025-12-17 22:00"),
        ("BINANCE:BTCUSDT", "1D", "2025-12-17 00:00", "2025-12-18 00:00"),
    ],
)
def test_a_bar_ends_with_its_session_or_when_its_time_is_over(
    symbol: str, timeframe: str, t: str, end: str
) -> None:
    assert bar_end(Markets().hours(symbol), timeframe, at(t)) == at(end)


@pytest.mark.parametrize(
    ("timeframe", "t", "end"),
    [
        ("1D", "2025-12-18 00:00", "2025-12-18 06:30"),
        ("60", "2025-12-18 02:00", "2025-12-18 02:30"),
        ("60", "2025-12-18 03:00", "2025-12-18 04:00"),
        ("60", "2025-12-18 06:00", "2025-12-18 06:30"),
    ],
)
def test_a_day_goes_on_after_a_break_and_an_hour_does_not(timeframe: str, t: str, end: str) -> None:
    assert bar_end(tokyo(), timeframe, at(t)) == at(end)


@pytest.mark.parametrize("timeframe", ["1", "60", "1D"])
def test_without_hours_nobody_knows_when_a_bar_ends(timeframe: str) -> None:
    assert bar_end(Timetable(), timeframe, at("2025-12-18 00:00")) is None
    assert bar_end(Timetable(), "1M", 0) == 31 * 24 * HOUR + HOUR
