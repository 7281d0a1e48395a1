"""Bars as paths: the cases that Python and JavaScript share, and what holds for any bars."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.candles import Candle, Candles
from django_fcs.charts.addresses import TYPES, Picture
from django_fcs.charts.geometry import Frame, Row, plan_of
from django_fcs.charts.scales import TICK_GAP, step_of
from django_fcs.rooms import Room
from django_fcs.widgets.still import svg_of
from tests.charts.cases import CASES, drawn

ROOM = Room("FX:EURUSD", "5")
T, PERIOD = 1_764_000_000, 300

prices = st.floats(1e-8, 1e12).map(lambda price: float(f"{price:.9g}"))


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    values = draw(st.lists(st.lists(prices, min_size=4, max_size=4), min_size=1, max_size=12))
    made = []
    for number, four in enumerate(values):
        low, one, other, high = sorted(four)
        volume = draw(st.none() | st.floats(0, 1e12))
        is_final = number < len(values) - 1
        made.append(Row(T + number * PERIOD, one, high, low, other, volume, is_final))
    return made


def picture(**options: Any) -> Picture:
    return Picture(ROOM, "candles", 200, "light", 600, "UTC", "en")._replace(**options)


def candles(count: int, **more: Any) -> Candles:
    made = []
    for number in range(count):
        open, close = 1.08 + number % 17 * 1e-4, 1.08 + number * 7 % 19 * 1e-4
        high, low = max(open, close) + 1e-4, min(open, close) - 1e-4
        open, high, low, close = (round(one, 5) for one in (open, high, low, close))
        volume = 100.0 + number * 37 % 101
        at, final = T + number * PERIOD, number < count - 1
        made.append(Candle(at, open, high, low, close, volume, final))
    return Candles(ROOM, tuple(made), **more)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_paths_are_those_of_the_shared_cases(case: dict[str, Any]) -> None:
    assert {name: case[name] for name in drawn(case)} == drawn(case)


@given(rows(), st.sampled_from(TYPES), st.integers(160, 1200))
def test_nothing_leaves_its_box_and_all_of_it_is_on_whole_or_half_pixels(
    bars: list[Row], type: str, width: int
) -> None:
    hole = (T + PERIOD, T + 2 * PERIOD)
    frame = Frame(width, 256, type, PERIOD)
    plan = plan_of(bars, frame, [hole] if len(bars) > 2 else [])

    assert plan == plan_of(bars, frame, [hole] if len(bars) > 2 else [])
    for path in plan.paths.values():
        assert re.fullmatch(r"[MLHVhvz0-9 .-]+", path)
        assert not re.search(r"\.(?!5)|\.5\d", path)
        for x, y in re.findall(r"[ML](\S+) ([\d.-]+)", path):
            assert 0 <= float(x) <= plan.right and 0 <= float(y) <= plan.bottom


@given(rows(), st.integers(0, 8))
def test_labels_of_the_axis_are_apart_and_within_the_plot(bars: list[Row], digits: int) -> None:
    scale = plan_of(bars, Frame(600, 256, "bars", PERIOD)).scale
    assert scale is not None
    places = [scale.y(price) for price in step_of(scale, digits).prices(scale)]

    assert all(low - high >= TICK_GAP - 1 for low, high in zip(places, places[1:], strict=False))
    assert all(scale.top <= y <= scale.bottom for y in places)


def test_two_hundred_bars_with_volume_are_at_most_5_kb_gzipped() -> None:
    svg = svg_of(candles(200), picture(width=1500))

    assert svg.count("h4v") > 150
    assert len(gzip.compress(svg.encode())) <= 5000


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_image_is_the_same_each_time_and_needs_no_style(type: str, theme: str) -> None:
    hole = ((T + 2 * PERIOD, T + 3 * PERIOD),)
    wanted = picture(type=type, theme=theme, width=320, language="de")
    svg = svg_of(candles(60, missing=hole, repaired=hole), wanted)

    assert svg == svg_of(candles(60, missing=hole, repaired=hole), wanted)
    assert "style=" not in svg and "class=" not in svg
    assert 'aria-label="EUR/USD · 5m, 1,08' in svg and ", Stand 24" in svg


@pytest.mark.parametrize("count", [0, 1])
def test_no_bars_and_one_bar_are_charts_too(count: int) -> None:
    svg = svg_of(candles(count), picture())

    assert ("No data for EUR/USD" in svg) == (count == 0)
    assert ('stroke="#08784b"' in svg or 'stroke="#c22f46"' in svg) == (count == 1)
