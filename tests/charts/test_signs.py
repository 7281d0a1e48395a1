"""The short texts of a plot: the high and the low of the day, hours, and what has room."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from django_fcs.candles import Candle, Candles
from django_fcs.charts.drawing import plot
from django_fcs.charts.ink import Styled
from django_fcs.charts.signs import Sign, kept_of
from django_fcs.prices.zones import regular_hours, zone_of
from django_fcs.rooms import Room
from django_fcs.widgets.plots import Look, sheet_of
from tests.widgets.test_html import a_quote

APPLE = Room("NASDAQ:AAPL", "5")
#: 13:00 in New York, half past nine being the open: 42 bars of five minutes before.
T = 1_764_007_200

signs = st.builds(
    Sign,
    st.integers(-50, 650),
    st.integers(0, 250),
    st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=2).map(tuple),
    st.just("halo"),
    st.sampled_from(["middle", "end"]),
)


def found(count: int = 90, peak: int = 20, **more: Any) -> Candles:
    """Return bars until one in the afternoon, of which one is the highest."""
    bars = []
    for back in reversed(range(count)):
        high = 272.5 if back == peak else 271.0
        at = T - back * 300
        bars.append(Candle(at, 270.0, high, 269.0 - (back == 40), 270.5, 100.0, back > 0))
    return Candles(APPLE, tuple(bars), **more)


def signs_of(candles: Candles, height: int = 320, **day: Any) -> str:
    """Return the texts of a plot and where they are."""
    quote = a_quote(APPLE.symbol, "1D", **{"high": 272.5, "low": 268.0, "digits": 2, **day})
    look = Look("candles", height, ZoneInfo("UTC"))
    svg = plot(sheet_of(candles, look, 2, 270.5, quote), Styled())
    return " ".join(re.findall(r'class="small[^>]*>[^<]*', svg))


@given(st.lists(signs, max_size=12), st.integers(200, 600))
def test_texts_never_lie_on_each_other_and_the_first_one_stays(
    given_signs: list[Sign], right: int
) -> None:
    kept = kept_of(given_signs, right)

    assert bool(kept) == bool(given_signs)
    assert not any(one.meets(other) for one in kept for other in kept if one is not other)
    for one in kept:
        if one.anchor == "middle" and one.width < right - 4:
            assert one.left >= 0 and one.left + one.width <= right


def test_the_high_and_the_low_of_the_day_stand_at_their_bars() -> None:
    words = signs_of(found())
    assert re.search(r'text-anchor="middle">272\.50', words)
    assert re.search(r'text-anchor="middle">268\.00', words)


@pytest.mark.parametrize("day", [{"high": 273.0}, {"high": None}, {"high": 270.9999}])
def test_a_high_that_no_bar_reached_has_no_mark(day: dict[str, Any]) -> None:
    words = signs_of(found(), **day)
    assert "272.50" not in words and "273.00" not in words and "268.00" in words


def test_a_mark_that_has_no_room_above_it_is_left_out() -> None:
    assert "272.50" not in signs_of(found(), height=232)


def test_bars_before_the_hours_are_named_if_there_is_room() -> None:
    assert "Before hours" in signs_of(found())
    assert "Before hours" not in signs_of(found(count=46))


@pytest.mark.parametrize("symbol", ["NASDAQ:AAPL", "NYSE:IBM", "AMEX:SPY"])
def test_hours_are_those_of_the_clock_of_the_exchange(symbol: str) -> None:
    assert regular_hours(symbol) == (570, 960)
    opened = datetime(2025, 11, 24, 14, 30, tzinfo=timezone.utc).astimezone(
        ZoneInfo(zone_of(symbol))
    )
    assert opened.hour * 60 + opened.minute == 570
    assert regular_hours("FX:EURUSD") is regular_hours("LSE:VOD") is None
