"""``{% load fcs %}`` in Django templates."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import django
import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory, override_settings
from django.utils.functional import SimpleLazyObject

from django_fcs import widgets
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
        ('fcs_price symbol field="last"', "field 'last' is not one of symbol close"),
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
        ("fcs_ticker symbol", {"symbol": "EURUSD"}, "symbol 'EURUSD' is not"),
        ('fcs_ticker "FX:EURUSD" period', {"period": "2h"}, "timeframe '2h' is not"),
        ('fcs_price "FX:EURUSD" field=f', {"f": "last"}, "field 'last' is not"),
        ("fcs_token symbol", {"symbol": 7}, "symbol '7' is not"),
        ('fcs_ticker "FX:eurusd"|lower', {}, "write 'FX:EURUSD'"),
    ],
)
def test_a_wrong_value_fails_the_same_when_it_is_rendered(
    known: Known, tag: str, context: dict[str, Any], message: str
) -> None:
    with pytest.raises(TemplateSyntaxError, match=message):
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

INCLUDES = {
    "scripts.html": "{% load fcs %}{% fcs_scripts %}",
    "page.html": '{% include "scripts.html" only %}',
    "deep.html": '{% include "page.html" with page=1 only %}',
    "block.html": '{% extends "base.html" %}{% block a %}{% include "page.html" only %}{% endblock %}',
    "base.html": "{% block a %}{% endblock %}",
}


@NONCES
@pytest.mark.parametrize("name", ["scripts.html", "page.html", "deep.html", "block.html"])
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
