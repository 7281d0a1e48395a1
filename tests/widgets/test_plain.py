"""Plain values: a quote in a variable, and its numbers as the page writes them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import jinja2
import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import override_settings
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from django_fcs import widgets
from django_fcs.exceptions import BadSymbol, BadTimeframe
from tests.test_templatetags import BAD_SYMBOLS, Odd, kind
from tests.widgets.test_html import EN_DASH, Known, Odd as OddNumber, a_quote, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

TITLE = "{{ q.name }}: {{ q.close|fcs_number:q }}"


def render(source: str, **context: Any) -> str:
    return Template("{% load fcs %}" + source).render(Context(context))


def jinja(source: str, **context: Any) -> str:
    environment = jinja2.Environment(extensions=["django_fcs.jinja.FCSExtension"], autoescape=True)
    return environment.from_string(source).render(context)


def test_a_title_has_name_and_price(known: Known) -> None:
    expected = "Euro / US dollar: 1.08412"

    assert render('{% fcs_quote "FX:EURUSD" as q %}' + TITLE) == expected
    for set_q in ('{% set q = fcs_quote("FX:EURUSD") %}', '{% fcs_quote "FX:EURUSD" as q %}'):
        assert jinja(set_q + "{{ q.name }}: {{ q.close|fcs_number(q) }}") == expected


def test_a_quote_in_a_template_is_that_of_python(known: Known) -> None:
    source = "{% fcs_quote symbol timeframe='1h' as q %}{{ q.room }} {{ q.state.value }}"

    assert render(source, symbol="BINANCE:BTCUSDT") == "BINANCE:BTCUSDT_60 live"
    assert widgets.quote("FX:EURUSD", 60) == a_quote("FX:EURUSD", "60")


def test_numbers_are_written_as_in_the_language_of_the_page(known: Known) -> None:
    with translation.override("de"):
        assert render('{% fcs_quote "FX:EURUSD" as q %}{{ 1234.5|fcs_number:q }}') == (
            "1.234,50000"
        )
        assert jinja('{{ 1234.5|fcs_number(fcs_quote("FX:EURUSD")) }}') == "1.234,50000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((1.5, "1.50000"), (0, "0.00000"), (-2, "\N{MINUS SIGN}2.00000")),
        *((Decimal("1.25"), "1.25000"), (Fraction(1, 4), "0.25000")),
        (10**15 + 1, "1,000,000,000,000,001.00000"),
        *((value, EN_DASH) for value in (None, "", "1.5", b"1", True, [], object(), 1j)),
        *((float(value), EN_DASH) for value in ("nan", "inf", "-inf", "1e21")),
        *((Decimal(value), EN_DASH) for value in ("NaN", "sNaN", "Infinity", "1e400")),
        *((10**5000, EN_DASH), (Fraction(10**400), EN_DASH)),
        (SimpleLazyObject(lambda: 1.5), EN_DASH),
        (OddNumber(1.5), "1.50000"),
        (jinja2.Undefined(), EN_DASH),
    ],
    ids=kind,
)
def test_a_number_has_the_decimals_of_the_quote_and_nothing_is_a_dash(
    value: object, text: str
) -> None:
    assert widgets.number(value, a_quote()) == text


@pytest.mark.parametrize("nothing", [None, "", 5, jinja2.Undefined(), object(), a_quote], ids=kind)
def test_without_a_quote_every_number_is_a_dash(nothing: object) -> None:
    assert widgets.number(1.5, nothing) == EN_DASH


def test_a_price_that_is_not_known_is_none_and_written_as_a_dash(known: Known) -> None:
    known(None)

    assert render('{% fcs_quote "FX:EURUSD" as q %}[{{ q }}] {{ q.close|fcs_number:q }}') == (
        f"[None] {EN_DASH}"
    )
    assert jinja('{% set q = fcs_quote("FX:EURUSD") %}{{ q.close|fcs_number(q) }}') == EN_DASH
    known(bid=None)
    assert render('{% fcs_quote "FX:EURUSD" as q %}{{ q.bid|fcs_number:q }}') == EN_DASH


@pytest.mark.parametrize("value", [*BAD_SYMBOLS, Odd()], ids=kind)
def test_a_variable_that_is_no_symbol_gives_no_quote_and_one_log_line(
    known: Known, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = "{% fcs_quote value as q %}[{{ q.close|fcs_number:q }}]"

    assert render(source * 2, value=value) == f"[{EN_DASH}]" * 2
    assert jinja("{% set q = fcs_quote(value) %}{{ q is none }}", value=value) == "True"
    assert jinja("{% fcs_quote value as q %}{{ q is none }}", value=value) == "True"
    assert len(caplog.records) == 1


@override_settings(DEBUG=True)
def test_with_debug_a_wrong_value_is_an_error(known: Known) -> None:
    with pytest.raises(TemplateSyntaxError, match="symbol 'EURUSD'"):
        render("{% fcs_quote symbol as q %}", symbol="EURUSD")
    with pytest.raises(jinja2.TemplateSyntaxError, match="symbol 'EURUSD'"):
        jinja("{% fcs_quote symbol as q %}", symbol="EURUSD")
    with pytest.raises(BadSymbol, match="symbol 'EURUSD'"):
        jinja("{% set q = fcs_quote(symbol) %}", symbol="EURUSD")
    with pytest.raises(BadTimeframe, match="'2h'"):
        widgets.quote("FX:EURUSD", "2h")


def test_a_quote_without_a_variable_is_told_how_to_write_it() -> None:
    right = 'fcs_quote prints nothing: write fcs_quote "FX:EURUSD" as q'

    with pytest.raises(TemplateSyntaxError, match=right):
        render('{% fcs_quote "FX:EURUSD" %}')
    with pytest.raises(jinja2.TemplateSyntaxError, match=right) as caught:
        jinja('\n{% fcs_quote "FX:EURUSD" %}')
    assert caught.value.lineno == 2


@pytest.mark.parametrize("end", ["as", "as 7", "as q.close", "as q r", "as q, r", "as 'q'"])
def test_what_stands_behind_as_is_one_name(end: str) -> None:
    with pytest.raises(jinja2.TemplateSyntaxError):
        jinja('{% fcs_quote "FX:EURUSD" ' + end + " %}")


def test_a_widget_in_a_variable_of_jinja_is_not_escaped_again(known: Known) -> None:
    source = '{% fcs_price "FX:EURUSD", field="bid" as price %}[{{ price }}]'

    assert jinja(source) == f"[{widgets.price('FX:EURUSD', field='bid')}]"
