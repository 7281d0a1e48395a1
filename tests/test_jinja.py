"""The same tags in Jinja2."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
from django.test import RequestFactory, override_settings
from django.utils.functional import SimpleLazyObject
from markupsafe import Markup

from django_fcs import widgets
from django_fcs.exceptions import BadSymbol
from tests.test_templatetags import BAD_SYMBOLS, NO_FIELD, NO_SYMBOL, Odd, kind
from tests.widgets.test_html import Known, known

pytestmark = pytest.mark.versions

__all__ = ["known"]

EXTENSION = "django_fcs.jinja.FCSExtension"


def environment(**options: Any) -> jinja2.Environment:
    return jinja2.Environment(extensions=[EXTENSION], autoescape=True, **options)


def render(source: str, **context: Any) -> str:
    return environment().from_string(source).render(context)


def test_the_functions_print_the_widgets(known: Known) -> None:
    assert render('{{ fcs_ticker("FX:EURUSD") }}') == widgets.ticker("FX:EURUSD")
    assert render('{{ fcs_price("FX:EURUSD", "60", field="bid") }}') == (
        widgets.price("FX:EURUSD", "60", field="bid")
    )
    assert render('{{ fcs_token("FX:EURUSD") }}') == widgets.token("FX:EURUSD")
    assert render("{{ fcs_scripts() }}") == widgets.scripts()


@pytest.mark.parametrize(
    "tag",
    [
        'fcs_price "FX:EURUSD" timeframe="60" field="bid"',
        'fcs_price "FX:EURUSD", timeframe="60", field="bid"',
        'fcs_price "FX:EURUSD" "60" field="bid"',
        'fcs_price symbol, "60", "bid"',
        'fcs_price timeframe=60 field="bid" symbol=symbol',
        'fcs_price exchange ~ ":EURUSD" 60 "bid"',
    ],
)
def test_a_tag_takes_arguments_in_place_or_by_name(known: Known, tag: str) -> None:
    html = render("{% " + tag + " %}", symbol="FX:EURUSD", exchange="FX")
    assert html == widgets.price("FX:EURUSD", "60", field="bid")


def test_every_function_is_a_tag_too(known: Known) -> None:
    source = '{% fcs_scripts %}|{% fcs_ticker "FX:EURUSD" %}|{% fcs_token "FX:EURUSD" %}'
    parts = (widgets.scripts(), widgets.ticker("FX:EURUSD"), widgets.token("FX:EURUSD"))
    assert render(source) == "|".join(parts)


def test_the_tags_follow_the_delimiters_of_the_environment(known: Known) -> None:
    env = environment(block_start_string="<%", block_end_string="%>")
    html = env.from_string('<% fcs_ticker "FX:EURUSD" timeframe="60" %>').render()
    assert html == widgets.ticker("FX:EURUSD", "60")


def test_tags_and_functions_take_the_nonce_of_the_page() -> None:
    for source in ("{% fcs_scripts %}", "{{ fcs_scripts() }}"):
        assert render(source, csp_nonce="abc").count(' nonce="abc"') == 3


@pytest.mark.parametrize("attribute", ["_csp_nonce", "csp_nonce"])
@pytest.mark.parametrize(
    "source", ["{% fcs_scripts %}", "{{ fcs_scripts() }}", '{% include "scripts" %}']
)
def test_the_nonce_of_the_request_is_taken(attribute: str, source: str) -> None:
    request = RequestFactory().get("/")
    setattr(request, attribute, SimpleLazyObject(lambda: "abc"))
    env = environment(loader=jinja2.DictLoader({"scripts": "{{ fcs_scripts() }}"}))

    assert env.from_string(source).render(request=request).count(' nonce="abc"') == 3


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ('fcs_ticker "EURUSD"', "symbol 'EURUSD' is not EXCHANGE:TICKER"),
        ('fcs_ticker symbol timeframe="2h"', "timeframe '2h' is not one of"),
        ('fcs_price symbol field="last"', "field 'last' is not one of"),
        ("fcs_price symbol field=none", "field None is not one of"),
        ("fcs_ticker none", "symbol None is not"),
        ("fcs_ticker", 'fcs_ticker needs a value for symbol, as in fcs_ticker "FX:EURUSD"'),
        ('fcs_token symbol timeframe="60"', "fcs_token takes symbol, each once"),
        ('fcs_ticker symbol symbol="FX:EURUSD"', "each once"),
        ("fcs_scripts 1", "fcs_scripts takes nothing"),
    ],
)
def test_a_wrong_literal_fails_when_the_template_is_compiled(tag: str, message: str) -> None:
    with pytest.raises(jinja2.TemplateSyntaxError, match=message) as caught:
        environment().from_string("\n{% " + tag + " %}")
    assert caught.value.lineno == 2


@override_settings(DEBUG=True)
def test_with_debug_a_wrong_value_fails_the_same_when_it_is_rendered(known: Known) -> None:
    template = environment().from_string("\n{% fcs_ticker symbol %}")
    with pytest.raises(jinja2.TemplateSyntaxError, match="symbol 'EURUSD'") as caught:
        template.render(symbol="EURUSD")
    assert caught.value.lineno == 2


@override_settings(DEBUG=True)
def test_with_debug_a_function_says_what_is_wrong_with_a_value(known: Known) -> None:
    with pytest.raises(BadSymbol, match="symbol 'EURUSD'"):
        render('{{ fcs_ticker("EURUSD") }}')


@pytest.mark.parametrize(
    "value", [*BAD_SYMBOLS, Odd(), Markup("EURUSD"), jinja2.Undefined()], ids=kind
)
def test_a_variable_that_is_no_symbol_costs_visitors_one_widget_and_not_the_page(
    known: Known, value: Any
) -> None:
    source = (
        '{% fcs_ticker "FX:EURUSD" %}|{% fcs_ticker value %}|{% fcs_price value %}|'
        "{{ fcs_ticker(value) }}|{{ fcs_price(value) }}|"
        "[{% fcs_token value %}{{ fcs_token(value) }}]"
    )
    nothing = "|".join([NO_SYMBOL] * 4)

    assert render(source, value=value) == f"{widgets.ticker('FX:EURUSD')}|{nothing}|[]"


def test_the_same_goes_for_timeframes_and_fields(known: Known) -> None:
    source = '{% fcs_ticker "FX:EURUSD" "2"~"h" %}{{ fcs_price("FX:EURUSD", field="last") }}'

    assert render(source) == (
        "<span data-fcs-error>no such timeframe</span><span data-fcs-error>no such field</span>"
    )


@pytest.mark.parametrize(
    "source",
    ['{% fcs_price "FX:EURUSD" field=value %}', '{{ fcs_price("FX:EURUSD", field=value) }}'],
)
@pytest.mark.parametrize("value", [None, jinja2.Undefined()], ids=kind)
def test_a_field_that_is_nothing_costs_visitors_one_widget_and_not_the_page(
    known: Known, source: str, value: Any
) -> None:
    assert render(source, value=value) == NO_FIELD


def test_no_timeframe_is_that_of_the_site(known: Known) -> None:
    source = '{% fcs_ticker "FX:EURUSD" none %}{{ fcs_ticker("FX:EURUSD", none) }}'

    assert render(source) == widgets.ticker("FX:EURUSD") * 2


def test_what_jinja_marked_as_safe_is_escaped_all_the_same(known: Known) -> None:
    html = render("{{ fcs_ticker(symbol) }}", symbol=Markup('X:A"><B'))

    assert 'A"><B' not in html
    assert "A&quot;&gt;&lt;B" in html


def test_a_function_of_the_site_is_not_overwritten() -> None:
    class Site(jinja2.Environment):
        def __init__(self) -> None:
            super().__init__()
            self.globals["fcs_token"] = "the site's"
            self.add_extension(EXTENSION)

    assert Site().from_string("{{ fcs_token }}").render() == "the site's"
