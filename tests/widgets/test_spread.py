"""The tag ``fcs_spread``: bid and ask as dealers read them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import override_settings
from django.utils import translation

from django_fcs import widgets
from django_fcs.exceptions import BadOption, BadSymbol, BadTimeframe
from django_fcs.prices.states import State
from django_fcs.widgets.spread import dealt
from tests.widgets.test_html import Known, Parts, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

EUR, GOLD = "FX:EURUSD", "FX:XAUUSD"

#: A written price, its decimals, the pip of its symbol, and what dealers see.
DEALT: list[tuple[str, int, float | None, str]] = [
    ("1.08408", 5, 0.0001, "1.08|40|8"),
    ("154.203", 3, 0.01, "154.|20|3"),
    ("1.0840", 4, 0.0001, "1.08|40|"),
    ("1.084", 3, 0.0001, "1.0|84|"),
    ("1", 0, 0.0001, "|1|"),
    ("15", 0, 0.01, "|15|"),
    ("1.5", 1, 0.0001, "|1.5|"),
    ("1,5432", 4, 0.0001, "1,54|32|"),
    ("12 345,678", 3, 0.01, "12 345,|67|8"),
    ("4,071.10", 2, None, "4,0|71|.10"),
    ("89.962,61", 2, None, "89.9|62|,61"),
    ("38,500", 0, None, "38,5|00|"),
    ("271.48", 2, None, "271.|48|"),
    ("0.00001234", 8, None, "0.000012|34|"),
    ("\N{MINUS SIGN}37.63", 2, None, "\N{MINUS SIGN}37.|63|"),
    ("7", 0, None, "|7|"),
    ("–", 5, 0.0001, "|–|"),
    ("–", 0, None, "|–|"),
]


@pytest.mark.parametrize(("text", "digits", "pip", "expected"), DEALT)
def test_a_price_is_divided_where_its_pips_are(
    text: str, digits: int, pip: float | None, expected: str
) -> None:
    assert "|".join(dealt(text, digits, pip)) == expected


def pieces(html: str) -> list[str]:
    """Return what sighted visitors read of bid and ask."""
    found = re.findall(r'data-part="(?:handle|pips|fraction)">([^<]*)<', html)
    return ["|".join(found[:3]), "|".join(found[3:])]


def test_a_board_has_each_number_whole_and_in_pieces(known: Known) -> None:
    known()
    html = widgets.spread(EUR)
    parts = Parts(html)

    assert pieces(html) == ["1.08|40|8", "1.08|41|6"]
    assert (parts.texts["bid"], parts.texts["ask"]) == ("1.08408", "1.08416")
    assert parts.texts["spread"] == "0.8 pips"
    assert html.count('data-part="dealt" aria-hidden="true"') == 2
    assert (parts.host["role"], parts.host["aria-label"]) == ("group", "Euro / US dollar")
    assert '<circle cx="87.8%"' in html and 'data-part="unit"></span>' in html


def test_a_spread_without_pips_is_in_the_currency_of_the_price(known: Known) -> None:
    known(bid=4071.1, ask=4071.6, spread=0.5, digits=2)
    html = widgets.spread(GOLD)

    assert pieces(html) == ["4,0|71|.10", "4,0|71|.60"]
    assert Parts(html).texts["spread"] == "0.50" and 'data-part="unit">USD<' in html


def test_the_pieces_are_written_as_the_language_writes_numbers(known: Known) -> None:
    known(bid=4071.1, ask=4071.6, digits=2)
    with translation.override("de"):
        assert pieces(widgets.spread(GOLD)) == ["4.0|71|,10", "4.0|71|,60"]


@pytest.mark.parametrize("nothing", [None, float("nan"), 1e300])
def test_what_is_not_known_is_a_dash(known: Known, nothing: Any) -> None:
    known(bid=nothing, spread=None)
    html = widgets.spread(EUR)

    assert pieces(html) == ["|–|", "1.08|41|6"] and Parts(html).texts["spread"] == "–"


def test_a_board_without_a_price_waits(known: Known) -> None:
    known(None)
    html = widgets.spread(EUR, "1h")

    assert pieces(html) == ["|–|", "|–|"]
    assert Parts(html).host["data-state"] == "waiting" and "<circle/>" in html
    assert Parts(html).host["timeframe"] == "60"


def test_a_board_of_a_closed_market_says_so(known: Known) -> None:
    known(state=State.CLOSED)

    assert '<span data-part="status">closed</span>' in widgets.spread(EUR)


@override_settings(FCS_NAMES={EUR: "<b>Euro"})
def test_no_name_becomes_html(known: Known) -> None:
    known()
    html = widgets.spread(EUR, href='/m/{symbol}/?a="&b')

    assert "<b>" not in html and "&lt;b&gt;Euro" in html
    assert 'href="/m/FX%3AEURUSD/?a=&quot;&amp;b"' in html


@override_settings(DEBUG=True)
def test_wrong_arguments_are_named(known: Known) -> None:
    known()
    with pytest.raises(BadSymbol, match="eurusd"):
        widgets.spread("eurusd")
    with pytest.raises(BadTimeframe, match="7x"):
        widgets.spread(EUR, "7x")
    with pytest.raises(BadOption, match="javascript"):
        widgets.spread(EUR, href="javascript:alert(1)")
