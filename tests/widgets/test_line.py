"""The tag ``fcs_sparkline``: the last hour alone, with the previous close."""

from __future__ import annotations

import re
from typing import Any

import pytest

from django_fcs import widgets
from django_fcs.exceptions import BadSymbol, BadTimeframe
from django_fcs.prices.states import State
from django_fcs.widgets.sparkline import sparkline as lines
from tests.widgets.test_html import Known, Parts, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

EUR = "FX:EURUSD"


def test_the_line_is_an_image_that_says_name_price_and_change(known: Known) -> None:
    known()
    parts = Parts(widgets.sparkline(EUR))
    words = "EUR/USD 1.08412, +0.21\N{THIN SPACE}%, 12/22/2025 07:50:26 CST"

    assert parts.host["role"] == "img"
    assert parts.host["aria-label"] == parts.host["title"] == words
    assert (parts.host["data-state"], parts.host["data-direction"]) == ("live", "up")
    assert [tag for tag, _ in parts.elements][:2] == ["fcs-sparkline", "svg"]


def test_a_line_without_a_price_says_so(known: Known) -> None:
    known(None)
    host = Parts(widgets.sparkline(EUR, 60)).host

    assert (host["aria-label"], host["timeframe"]) == ("EUR/USD –, –, waiting", "60")
    assert "data-direction" not in host


def test_a_line_of_a_closed_market_says_so(known: Known) -> None:
    known(state=State.CLOSED)

    assert ", closed, " in str(Parts(widgets.sparkline(EUR)).host["aria-label"])


def base_of(html: str) -> str:
    found = re.search(r'data-base="previous-close"><path data-part="base" d="([^"]*)"', html)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("close", "change", "y"),
    [(2.0, 1.0, "17"), (2.0, 0.5, "10"), (2.0, 1.5, "19"), (2.0, -1.0, "1"), (2.0, None, "17")],
)
def test_the_base_is_the_previous_close_and_does_not_flatten_the_line(
    known: Known, close: float, change: float | None, y: str
) -> None:
    known(close=close, change=change, recent=(1.0, 2.0))
    html = widgets.sparkline(EUR)

    assert base_of(html) == f"M2 {y}H68"
    assert 'd="M65.8 17L66.9 3L68 3"' in html


@pytest.mark.parametrize("level", [None, float("nan"), 1e300])
def test_a_level_that_is_no_price_is_none(level: Any) -> None:
    assert lines([1.0, 2.0], 3.0, 7, level) == lines([1.0, 2.0], 3.0, 7)


def test_a_card_keeps_the_base_at_which_its_line_begins(known: Known) -> None:
    known(close=2.0, change=0.5, recent=(1.0, 2.0))

    assert "data-base" not in widgets.ticker(EUR)


def test_wrong_arguments_are_named(known: Known) -> None:
    with pytest.raises(BadSymbol, match="eurusd"):
        widgets.sparkline("eurusd")
    with pytest.raises(BadTimeframe, match="7x"):
        widgets.sparkline(EUR, "7x")
