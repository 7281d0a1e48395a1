"""The heat map as the server prints it: levels, sizes, groups, states, and wrong values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import override_settings

from django_fcs import widgets
from django_fcs.exceptions import BadOption, BadRows, BadTimeframe
from django_fcs.prices.states import State
from django_fcs.widgets.tiles import level_of, sizes_of
from tests.widgets.test_html import Known, Parts, known

__all__ = ["known"]

SYMBOLS = ["FX:EURUSD", "FX:GBPUSD", "FX:USDJPY", "BINANCE:BTCUSDT"]
HOSTILE = '<img src=x onerror="alert(1)">'


def tiles(html: str) -> list[dict[str, str | None]]:
    """Return the attributes of each tile."""
    return [attributes for tag, attributes in Parts(html).elements if tag == "li"]


def sizes(rows: object, size: Any = "weight") -> list[str | None]:
    return [tile.get("data-size") for tile in tiles(widgets.heatmap(rows, size=size))]


def weighing(*values: object) -> list[SimpleNamespace]:
    return [SimpleNamespace(symbol="FX:EURUSD", weight=value) for value in values]


@pytest.mark.parametrize(
    ("percent", "level"),
    [(0.0, 0), (0.0499, 0), (-0.0499, 0), (0.05, 1), (-0.05, -1), (0.749, 1), (0.75, 2)]
    + [(-1.749, -2), (1.75, 3), (-1.75, -3), (1e300, 3), (-1e300, -3)],
)
def test_a_change_has_one_of_seven_levels(percent: float, level: int) -> None:
    assert level_of(percent) == level


def test_a_tile_has_symbol_name_change_level_and_a_link(known: Known) -> None:
    known(change_percent=-1.2, change=-0.012)
    html = widgets.heatmap("FX:EURUSD", "1h", href="/m/{symbol}/")

    [tile] = tiles(html)
    assert (tile["data-symbol"], tile["data-timeframe"]) == ("FX:EURUSD", "60")
    assert (tile["data-level"], tile["data-direction"]) == ("-2", "down")
    assert tile["data-token"] and "data-size" not in tile
    parts = Parts(html)
    assert parts.texts["symbol"] == "EUR/USD"
    assert parts.texts["name"] == "Euro / US dollar"
    assert parts.texts["change_percent"] == "−1.20\N{THIN SPACE}%"
    assert 'href="/m/FX%3AEURUSD/"' in html
    assert "style=" not in html


def test_rows_stand_below_the_headings_of_their_groups(known: Known) -> None:
    html = widgets.heatmap([("Forex", SYMBOLS[:3]), SYMBOLS[3]])

    lists = [attributes for tag, attributes in Parts(html).elements if tag == "ul"]
    assert [one.get("aria-label") for one in lists] == ["Forex", None]
    assert html.count('<p data-part="heading">') == 1
    assert [tile["data-symbol"] for tile in tiles(html)] == SYMBOLS


def test_a_tile_without_a_price_is_flat_with_a_dash(known: Known) -> None:
    known(None)
    html = widgets.heatmap("FX:EURUSD")

    [tile] = tiles(html)
    assert tile["data-state"] == "waiting"
    assert "data-level" not in tile and "data-direction" not in tile
    assert Parts(html).texts["change_percent"] == "–"


@pytest.mark.parametrize("change", [None, math.nan, math.inf])
def test_a_tile_without_a_change_has_no_level(known: Known, change: float | None) -> None:
    known(change_percent=change)

    assert "data-level" not in tiles(widgets.heatmap("FX:EURUSD"))[0]


def test_a_stale_tile_says_so_without_a_script(known: Known) -> None:
    known(state=State.STALE, updated=datetime(2025, 12, 22, 13, 50, tzinfo=timezone.utc))
    html = widgets.heatmap("FX:EURUSD")

    assert '<span data-part="status">stale</span>' in html
    assert tiles(html)[0]["title"] == "Euro / US dollar, stale, 12/22/2025 07:50:00 CST"


# Sizes


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ([8, 1, 7, 2, 6, 3, 5, 4], [4, 1, 4, 1, 3, 2, 3, 2]),
        ([5, 5, 5], [1, 1, 1]),
        ([5], [1]),
        ([0, 0, 0, 9], [1, 1, 1, 4]),
        ([], []),
    ],
)
def test_the_quartiles_decide_between_four_sizes(values: list[float], expected: list[int]) -> None:
    assert sizes_of(values) == expected


def test_a_size_is_an_attribute_of_objects_or_a_key_of_mappings(known: Known) -> None:
    rows = [*weighing(Decimal("3.5"), 4), {"symbol": "FX:EURUSD", "weight": 1.5}]

    assert sizes(rows) == ["2", "3", "1"]


class Broken:
    symbol = "FX:EURUSD"

    @property
    def weight(self) -> float:
        raise RuntimeError("the site's own fault")


@pytest.mark.parametrize(
    "value",
    [-1, -math.inf, math.inf, math.nan, Decimal("sNaN"), 10**400, None, "12", True, [], len],
)
def test_a_value_that_is_no_size_counts_as_the_smallest_and_is_logged_once(
    known: Known, caplog: pytest.LogCaptureFixture, value: object
) -> None:
    rows = weighing(2, value, 1, 3)

    assert sizes(rows) == ["3", "1", "2", "4"]
    assert sizes([*rows, Broken(), "FX:EURUSD"]) == ["3", "1", "3", "4", "1", "1"]
    assert caplog.messages == [
        "tiles without a usable size are the smallest ones size=weight tiles=1 of=4"
    ]


def test_an_attribute_that_no_row_has_leaves_all_tiles_small(known: Known) -> None:
    assert sizes(SYMBOLS) == ["1"] * 4


@pytest.mark.parametrize("name", ["a b", "_x", "__class__", "x" * 101, 5.5, "1", [], "a.b"])
def test_a_size_is_the_name_of_an_attribute(known: Known, name: Any) -> None:
    assert sizes("FX:EURUSD", name) == [None]
    with override_settings(DEBUG=True), pytest.raises(BadOption, match="size"):
        widgets.heatmap("FX:EURUSD", size=name)


# Wrong values


def test_names_with_html_are_text(known: Known) -> None:
    with override_settings(FCS_NAMES={"FX:EURUSD": HOSTILE}):
        html = widgets.heatmap([(HOSTILE, ["FX:EURUSD"])], href='/"><b>{symbol}')

    assert "<img" not in html and "<b>" not in html
    assert html.count("&lt;img") == 4


def test_rows_that_cannot_be_shown_are_refused(known: Known) -> None:
    for rows in (iter(()), [SimpleNamespace(name="x")], [("", SYMBOLS)], 5, None):
        with pytest.raises(BadRows):
            widgets.heatmap(rows)
    with pytest.raises(BadTimeframe):
        widgets.heatmap(SYMBOLS, "2h")


def test_a_list_that_is_too_long_is_cut(known: Known, caplog: pytest.LogCaptureFixture) -> None:
    def many() -> Iterator[str]:
        for _ in range(5000):
            yield "FX:EURUSD"

    assert len(tiles(widgets.heatmap(many(), size="weight"))) == 500
    assert len(caplog.messages) == 2


def test_a_wrong_variable_takes_nothing_else_of_the_page(known: Known) -> None:
    source = "{% load fcs %}{% fcs_heatmap rows size=size href=href %} the rest"
    page = Template(source)

    html = page.render(Context({"rows": ["x"], "size": "", "href": ""}))
    assert html == "<span data-fcs-error>cannot be shown</span> the rest"
    html = page.render(Context({"rows": SYMBOLS, "size": "a b", "href": "javascript:alert(1)"}))
    assert len(tiles(html)) == 4 and "javascript" not in html and "data-size" not in html
    with pytest.raises(TemplateSyntaxError, match="size"):
        Template('{% load fcs %}{% fcs_heatmap "FX:EURUSD" size="a b" %}')


def test_an_empty_list_is_an_empty_map(known: Known) -> None:
    assert tiles(widgets.heatmap([])) == []
