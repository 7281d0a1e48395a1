"""The movers as the server prints them: the ranking, what is left out, and wrong values."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import override_settings

from django_fcs import widgets
from django_fcs.exceptions import BadOption, BadRows, BadTimeframe
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from tests.widgets.test_html import Known, Parts, a_quote, known

__all__ = ["known"]

HOSTILE = '<img src=x onerror="alert(1)">'
Changes = dict[str, "float | None | tuple[float, State]"]


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give symbols a change in percent, and maybe a state; one without is not known."""

    def change(changes: Changes) -> list[str]:
        def quote_to_show(room: Room) -> Quote | None:
            given = changes[room.symbol]
            if given is None:
                return None
            percent, state = given if isinstance(given, tuple) else (given, State.LIVE)
            return a_quote(room.symbol, change=percent, change_percent=percent, state=state)

        monkeypatch.setattr("django_fcs.quotes.quote_to_show", quote_to_show)
        return list(changes)

    return change


def board(html: str) -> dict[str, list[str]]:
    """Return the tickers of each list, with ``-`` for a place that is kept free."""
    lists: dict[str, list[str]] = {}
    names = iter(("up", "down", "rest"))
    for tag, attributes in Parts(html).elements:
        if tag == "ol":
            rows = lists.setdefault(next(names), [])
        elif tag == "li":
            symbol = attributes.get("data-symbol")
            rows.append(symbol.partition(":")[2] if symbol else "-")
    return lists


def bars(html: str) -> list[str | None]:
    return [attributes["width"] for tag, attributes in Parts(html).elements if tag == "rect"]


def test_gains_and_losses_are_apart_the_largest_first_on_one_scale(changed: Any) -> None:
    symbols = changed({"X:A": 0.5, "X:B": -2.0, "X:C": 1.5, "X:D": 0.0, "X:E": -0.25, "X:F": 0.1})
    html = widgets.movers(symbols, count=2)

    assert board(html) == {"up": ["C", "A"], "down": ["B", "E"], "rest": ["D", "F"]}
    assert bars(html) == ["75.0%", "25.0%", "100.0%", "12.5%", "0", "0"]
    assert '<p data-part="note">of 6</p>' in html
    assert "style=" not in html


def test_stale_and_unknown_rows_are_left_out_and_the_board_says_so(changed: Any) -> None:
    stale, closed = (9.0, State.STALE), (1.0, State.CLOSED)
    offline = (0.5, State.OFFLINE)
    symbols = changed(
        {"X:A": stale, "X:B": None, "X:C": closed, "X:D": math.nan, "X:E": offline, "X:F": -1.0}
    )
    html = widgets.movers(symbols, count=3)

    assert board(html) == {"up": ["C", "E", "-"], "down": ["F", "-", "-"], "rest": ["A", "B", "D"]}
    assert "of 6 · 3 left out: price old or unknown</p>" in html


def test_without_any_price_the_places_are_kept_free(changed: Any) -> None:
    html = widgets.movers(changed({"X:A": None, "X:B": None}))

    assert board(html) == {"up": ["-", "-"], "down": ["-", "-"], "rest": ["A", "B"]}
    assert "of 2 · 2 left out" in html


def test_a_change_that_is_written_as_zero_is_no_gain_and_no_loss(changed: Any) -> None:
    symbols = changed({"X:A": 0.0049, "X:B": -0.0049, "X:C": 0.005})

    assert board(widgets.movers(symbols))["rest"] == ["A", "B"]


def test_equal_changes_are_in_the_order_of_their_symbols(changed: Any) -> None:
    symbols = changed({"X:C": 1.0, "X:A": 1.0, "X:B": -1.0})

    assert board(widgets.movers(symbols, count=20))["up"][:2] == ["A", "C"]


def test_a_symbol_that_is_given_twice_is_one_row(changed: Any) -> None:
    [symbol] = changed({"X:A": 1.0})
    html = widgets.movers([("One", [symbol]), ("Two", [symbol])])

    assert board(html) == {"up": ["A"], "down": ["-"], "rest": []}
    assert ">of 1<" in html


def test_a_row_has_all_that_the_script_needs(known: Known) -> None:
    known(change_percent=0.2135)
    html = widgets.movers("FX:EURUSD", "1h", href="/m/{symbol}/")

    row = next(attributes for tag, attributes in Parts(html).elements if tag == "li")
    assert (row["data-symbol"], row["data-timeframe"]) == ("FX:EURUSD", "60")
    assert (row["data-change"], row["data-state"]) == ("0.2135", "live")
    assert row["data-token"]
    assert 'href="/m/FX%3AEURUSD/"' in html
    assert Parts(html).texts["close"] == "1.08412"


# Wrong values


@pytest.mark.parametrize("count", [0, 21, -1, "", "x", "007", 2.5, True, None, math.nan, 10**400])
def test_a_count_is_a_number_of_1_to_20(changed: Any, count: Any) -> None:
    symbols = changed({f"X:A{n}": n + 1.0 for n in range(6)})

    assert len(board(widgets.movers(symbols, count=count))["up"]) == 4
    with override_settings(DEBUG=True), pytest.raises(BadOption, match="count .* 1 to 20"):
        widgets.movers(symbols, count=count)


@pytest.mark.parametrize("count", [1, "20", "05"])
def test_a_count_may_be_text(changed: Any, count: Any) -> None:
    symbols = changed({f"X:A{n}": n + 1.0 for n in range(20)})

    assert len(board(widgets.movers(symbols, count=count))["up"]) == int(count)


def test_names_with_html_are_text(known: Known) -> None:
    with override_settings(FCS_NAMES={"FX:EURUSD": HOSTILE}):
        html = widgets.movers([(HOSTILE, ["FX:EURUSD"])], href='/"><b>{symbol}')

    assert "<img" not in html and "<b>" not in html and "&lt;img" in html


def test_rows_that_cannot_be_ranked_are_refused(known: Known) -> None:
    for rows in (iter(()), [SimpleNamespace(name="x")], [("", ["FX:EURUSD"])], 5, None):
        with pytest.raises(BadRows):
            widgets.movers(rows)
    with pytest.raises(BadTimeframe):
        widgets.movers("FX:EURUSD", "2h")


def test_at_most_200_rows_are_ranked(changed: Any, caplog: pytest.LogCaptureFixture) -> None:
    symbols = changed({f"X:A{n}": 1.0 for n in range(5000)})

    assert ">of 200<" in widgets.movers(iter(symbols))
    assert len(caplog.messages) == 1


def test_a_wrong_variable_takes_nothing_else_of_the_page(changed: Any) -> None:
    symbols = changed({"X:A": 1.0})
    page = Template("{% load fcs %}{% fcs_movers rows count=count %} the rest")

    html = page.render(Context({"rows": ["x"], "count": 4}))
    assert html == "<span data-fcs-error>cannot be shown</span> the rest"
    html = page.render(Context({"rows": symbols, "count": "many"}))
    assert board(html)["up"] == ["A"] and html.endswith(" the rest")
    with pytest.raises(TemplateSyntaxError, match="1 to 20"):
        Template('{% load fcs %}{% fcs_movers "FX:EURUSD" count=21 %}')
