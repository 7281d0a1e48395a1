"""``{% load fcs %}`` in Django templates."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any

import django
import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory, override_settings
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from django_fcs import widgets
from django_fcs.tools.complaints import KINDS_MAX
from tests.widgets.test_html import Known, known

pytestmark = pytest.mark.versions

__all__ = ["known"]


def render(source: str, **context: Any) -> str:
    return Template("{% load fcs %}" + source).render(Context(context))


def test_the_tags_print_the_widgets(known: Known) -> None:
    assert render('{% fcs_ticker "FX:EURUSD" %}') == widgets.ticker("FX:EURUSD")
    assert render('{% fcs_ticker symbol timeframe="60" %}', symbol="FX:EURUSD") == (
        widgets.ticker("FX:EURUSD", "60")
    )
    assert render('{% fcs_price "FX:EURUSD" field="bid" %}') == (
        widgets.price("FX:EURUSD", field="bid")
    )
    assert render('{% fcs_token "FX:EURUSD" %}') == widgets.token("FX:EURUSD")
    assert render("{% fcs_scripts %}") == widgets.scripts()


def test_a_timeframe_may_be_a_number(known: Known) -> None:
    assert render('{% fcs_ticker "FX:EURUSD" 60 %}') == widgets.ticker("FX:EURUSD", "60")


def test_a_tag_can_be_kept_in_a_variable(known: Known) -> None:
    source = '{% fcs_price "FX:EURUSD" as price %}[{{ price }}]'
    assert render(source) == f"[{widgets.price('FX:EURUSD')}]"


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ('fcs_ticker "EURUSD"', "symbol 'EURUSD' is not EXCHANGE:TICKER"),
        ('fcs_ticker "fx:eurusd"', "write 'FX:EURUSD'"),
        ('fcs_ticker symbol timeframe="2h"', "timeframe '2h' is not one of 1 5 15"),
        ("fcs_ticker symbol 7", "timeframe '7' is not one of"),
        ('fcs_price symbol field="last"', "field 'last' is not one of symbol name"),
        ("fcs_price symbol field=None", "field None is not one of symbol name"),
        ("fcs_price symbol field=True", "field 'True' is not one of symbol name"),
        ("fcs_price symbol timeframe=False", "timeframe 'False' is not one of"),
        ("fcs_ticker None", "symbol None is not"),
        ('fcs_token "EURUSD"', "symbol 'EURUSD'"),
        ("fcs_ticker", "did not receive value"),
        ('fcs_ticker symbol colour="red"', "unexpected keyword argument 'colour'"),
    ],
)
def test_a_wrong_literal_fails_when_the_template_is_compiled(tag: str, message: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=message):
        Template("{% load fcs %}{% " + tag + " %}")


@pytest.mark.parametrize(
    ("tag", "context", "message"),
    [
        ("fcs_ticker missing", {}, "symbol '' is not"),
        ("fcs_ticker symbol", {"symbol": None}, "symbol None is not"),
        ('fcs_price "FX:EURUSD" field=f', {"f": None}, "field None is not"),
        ("fcs_ticker symbol", {"symbol": "EURUSD"}, "symbol 'EURUSD' is not"),
        ('fcs_ticker "FX:EURUSD" period', {"period": "2h"}, "timeframe '2h' is not"),
        ('fcs_price "FX:EURUSD" field=f', {"f": "last"}, "field 'last' is not"),
        ("fcs_token symbol", {"symbol": 7}, "symbol '7' is not"),
        ('fcs_ticker "FX:eurusd"|lower', {}, "write 'FX:EURUSD'"),
    ],
)
def test_with_debug_a_wrong_value_fails_the_same_when_it_is_rendered(
    known: Known, tag: str, context: dict[str, Any], message: str
) -> None:
    with override_settings(DEBUG=True), pytest.raises(TemplateSyntaxError, match=message):
        render("{% " + tag + " %}", **context)


def test_the_scripts_take_the_nonce_of_djangos_context() -> None:
    assert render("{% fcs_scripts %}", csp_nonce="abc").count(' nonce="abc"') == 3


def test_the_scripts_take_the_nonce_of_django_csp() -> None:
    request: HttpRequest = RequestFactory().get("/")
    request.csp_nonce = "abc"  # type: ignore[attr-defined]
    html = Template("{% load fcs %}{% fcs_scripts %}").render(RequestContext(request))
    assert html.count(' nonce="abc"') == 3


#: The nonce of the middleware of Django 6, and of django-csp.
NONCES = pytest.mark.parametrize("attribute", ["_csp_nonce", "csp_nonce"])

CHILD = '{% extends "base.html" %}{% block body %}{% include "page.html" only %}{% endblock %}'
INCLUDES = {
    "scripts.html": "{% load fcs %}{% fcs_scripts %}",
    "page.html": '{% include "scripts.html" only %}',
    "deep.html": '{% include "page.html" with page=1 only %}',
    "child.html": CHILD,
    "base.html": "{% block body %}{% endblock %}",
}


@NONCES
@pytest.mark.parametrize("name", ["scripts.html", "page.html", "deep.html", "child.html"])
def test_the_nonce_needs_no_context_processor_and_no_variable(attribute: str, name: str) -> None:
    request = RequestFactory().get("/")
    setattr(request, attribute, SimpleLazyObject(lambda: "abc"))
    engine = Engine(
        loaders=[("django.template.loaders.locmem.Loader", INCLUDES)],
        libraries={"fcs": "django_fcs.templatetags.fcs"},
    )

    html = engine.get_template(name).render(RequestContext(request))

    assert html.count(' nonce="abc"') == 3


def a_page(request: HttpRequest) -> HttpResponse:
    template = Template('{% load fcs %}{% fcs_scripts %}{% fcs_ticker "FX:EURUSD" %}')
    return HttpResponse(template.render(RequestContext(request)))


@pytest.mark.skipif(django.VERSION < (6, 0), reason="the middleware came with Django 6")
def test_the_nonce_is_that_of_the_header_of_django() -> None:
    csp = import_module("django.middleware.csp")
    request = RequestFactory().get("/")
    with override_settings(SECURE_CSP={"script-src": ["<CSP_NONCE_SENTINEL>"]}):
        response = csp.ContentSecurityPolicyMiddleware(a_page)(request)

    nonces = set(re.findall(r' nonce="([^"]+)"', response.content.decode()))
    assert response.headers["Content-Security-Policy"] == f"script-src 'nonce-{nonces.pop()}'"
    assert not nonces


NO_SYMBOL = "<span data-fcs-error>no such symbol</span>"
NO_FIELD = "<span data-fcs-error>no such field</span>"
BAD_SYMBOLS: list[Any] = [
    *(None, "", " ", "EURUSD", "fx:eurusd", "FX:EURUSD ", "FX:" + "X" * 41, "X" * 10**6, "A:B:C"),
    *(123, -1, 1.5, True, 10**5000, float("nan"), Decimal("1.1"), b"FX:EURUSD", ["FX:EURUSD"], {}),
    *("FX:\ud800", "FX:\x00", "FX:straße", mark_safe("FX:eurusd"), gettext_lazy("fx"), object()),
]


class Pair(str, Enum):
    EURO = "FX:EURUSD"


class Odd:
    """What may stand in a context, and cannot even be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no database")

    __str__ = __repr__


def kind(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("value", [*BAD_SYMBOLS, Odd()], ids=kind)
def test_a_variable_that_is_no_symbol_costs_visitors_one_widget_and_not_the_page(
    known: Known, value: Any
) -> None:
    source = (
        '{% fcs_ticker "FX:EURUSD" %}|{% fcs_ticker value %}|{% fcs_price value %}|'
        "[{% fcs_token value %}]"
    )
    expected = f"{widgets.ticker('FX:EURUSD')}|{NO_SYMBOL}|{NO_SYMBOL}|[]"

    assert render(source, value=value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "2h", 61, 10**5000, Odd(), [], mark_safe("1d<"), "X" * 10**6],
    ids=kind,
)
def test_the_same_goes_for_timeframes_and_fields(known: Known, value: Any) -> None:
    assert render('{% fcs_ticker "FX:EURUSD" value %}', value=value) == (
        "<span data-fcs-error>no such timeframe</span>"
    )
    assert render('{% fcs_price "FX:EURUSD" field=value %}', value=value) == NO_FIELD


class Many:
    """Like the arrays of numpy: compared with anything, it gives many answers."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth value is ambiguous")


@pytest.mark.parametrize("value", [None, True, Many()], ids=kind)
def test_a_field_that_is_no_text_costs_visitors_one_widget_and_is_logged_once(
    known: Known, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = '{% fcs_price "FX:EURUSD" field=value %}' * 2

    assert render(source, value=value) == NO_FIELD * 2
    assert len(caplog.records) == 1


def test_no_timeframe_is_that_of_the_site(known: Known) -> None:
    expected = widgets.ticker("FX:EURUSD")

    assert render('{% fcs_ticker "FX:EURUSD" None %}') == expected
    assert render('{% fcs_ticker "FX:EURUSD" timeframe=value %}', value=None) == expected


@pytest.mark.parametrize("lazy", [gettext_lazy("FX:EURUSD"), mark_safe("FX:EURUSD"), Pair.EURO])
def test_a_symbol_may_be_any_kind_of_text(known: Known, lazy: Any) -> None:
    source = "{% fcs_ticker value timeframe %}{% fcs_price value field=field %}"
    html = render(source, value=lazy, timeframe=gettext_lazy("1h"), field=mark_safe("bid"))

    assert html == widgets.ticker("FX:EURUSD", "60") + widgets.price("FX:EURUSD", field="bid")


def test_a_wrong_value_is_logged_once(known: Known, caplog: pytest.LogCaptureFixture) -> None:
    for symbol in ("EURUSD", "EURUSD", "GBPUSD\n2026 CRITICAL root"):
        render("{% fcs_ticker symbol %}{% fcs_price symbol %}", symbol=symbol)

    assert [record.getMessage() for record in caplog.records] == [
        "a tag of a page has a wrong value reason=symbol 'EURUSD' is not EXCHANGE:TICKER, "
        "as in FX:EURUSD",
        r"a tag of a page has a wrong value reason=symbol 'GBPUSD\n2026 CRITICAL root' is not "
        "EXCHANGE:TICKER, as in FX:EURUSD",
    ]


def test_a_table_of_wrong_values_does_not_fill_the_log(
    known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        render("{% fcs_ticker symbol %}", symbol=f"eur{number}")

    assert len(caplog.records) == KINDS_MAX
