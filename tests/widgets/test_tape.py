"""The tag ``fcs_tape``: a row of prices."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings

from django_fcs import widgets
from django_fcs.exceptions import BadOption, BadRows, BadSymbol, BadTimeframe, RoomError
from django_fcs.widgets.tags import TAGS
from django_fcs.widgets.tape import TAPE_MAX
from tests.widgets.test_html import Known, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

EUR, YEN = "FX:EURUSD", "FX:USDJPY"


def symbols_of(html: str) -> list[str]:
    return re.findall(r'<li data-part="item"><fcs-\w+ symbol="([^"]+)"', html)


@pytest.mark.parametrize(
    "symbols",
    [f"{EUR}, {YEN}", [EUR, {"symbol": YEN}], [("Majors", [EUR]), SimpleNamespace(symbol=YEN)]],
)
def test_a_tape_is_a_labelled_region_with_a_list_of_tags(known: Known, symbols: object) -> None:
    known()
    html = widgets.tape(symbols, "1h")

    assert html.startswith('<fcs-tape direction="horizontal" item-size="compact">')
    assert 'role="region" aria-label="Prices" tabindex="0"' in html
    assert symbols_of(html) == [EUR, YEN] and html.count("<fcs-tag ") == 2
    assert html.count('timeframe="60"') == 2
    assert "Majors" not in html and "sparkline" not in html


def test_a_regular_tape_has_small_cards(known: Known) -> None:
    known()
    html = widgets.tape(
        EUR, item_size="regular", direction="vertical", sparkline=True, href="/m/{symbol}/"
    )

    assert html.startswith('<fcs-tape direction="vertical" item-size="regular">')
    assert '<fcs-ticker symbol="FX:EURUSD"' in html and ' item-size="compact"' in html
    assert '<svg data-part="sparkline"' in html and 'href="/m/FX%3AEURUSD/"' in html


def test_every_price_of_a_tape_waits_if_none_is_known(known: Known) -> None:
    known(None)

    assert widgets.tape([EUR, YEN]).count('data-state="waiting"') == 2


def test_a_tape_has_a_name_of_its_own(known: Known) -> None:
    known()

    assert 'aria-label="&lt;b&gt;Majors"' in widgets.tape(EUR, label=" <b>Majors ")


@override_settings(FCS_NAMES={EUR: "<b>Euro"})
def test_no_name_becomes_html(known: Known) -> None:
    known()

    assert "<b>" not in widgets.tape(EUR)


def test_the_first_hundred_are_shown_and_the_log_says_so(
    known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    known()
    html = widgets.tape([f"NASDAQ:A{index}" for index in range(5000)])

    assert len(symbols_of(html)) == TAPE_MAX
    assert caplog.text.count(f"most={TAPE_MAX}") == 1


WRONG: list[tuple[type[RoomError], str, dict[str, Any]]] = [
    (BadRows, "NoneType", {"symbols": None}),
    (BadRows, "generator", {"symbols": iter(())}),
    (BadRows, "has no symbol", {"symbols": [object()]}),
    (BadRows, "heading", {"symbols": [("", [EUR])]}),
    (BadRows, "no pair", {"symbols": [(EUR, YEN, EUR)]}),
    (BadSymbol, "eurusd", {"symbols": "eurusd"}),
    (BadTimeframe, "7x", {"timeframe": "7x"}),
    (BadOption, "horizontal vertical", {"direction": "up"}),
    (BadOption, "regular compact", {"item_size": "large"}),
    (BadOption, "javascript", {"href": "javascript:alert(1)"}),
    (BadOption, "100 characters", {"label": "x" * 101}),
    (BadOption, "100 characters", {"label": ["x"]}),
]


@pytest.mark.parametrize(("kind", "named", "wrong"), WRONG)
def test_what_is_wrong_is_named_with_debug_and_stops_nothing_without(
    known: Known, kind: type[RoomError], named: str, wrong: dict[str, Any]
) -> None:
    known()
    given = {"symbols": EUR, **wrong}
    with override_settings(DEBUG=True), pytest.raises(kind, match=named):
        widgets.tape(**given)

    html = TAGS["fcs_tape"].call({}, **given)
    assert html.startswith(("<fcs-tape ", "<span data-fcs-error>"))
    assert ("data-fcs-error" in html) == (kind is not BadOption)


def test_a_wrong_symbol_stops_no_other(known: Known) -> None:
    known()

    assert symbols_of(widgets.tape([EUR, "eurusd", object(), YEN])) == [EUR, YEN]
