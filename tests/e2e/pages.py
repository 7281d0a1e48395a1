from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

_WATCH = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Watch</title>
{% load fcs %}{% fcs_scripts %}
{% fcs_ticker symbol timeframe=timeframe %}
<p>{% fcs_price symbol timeframe=timeframe field="ask" %}
   {% fcs_price symbol timeframe=timeframe field="bid" %}
   {% fcs_price symbol timeframe=timeframe field="volume" %}</p></html>"""

_CHART = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Chart</title>
{% load fcs %}{% fcs_scripts %}{% fcs_chart symbol timeframe=timeframe zone="UTC" %}</html>"""


def watch(request: HttpRequest, symbol: str, timeframe: str) -> HttpResponse:
    """Any symbol of the address: fit for tests, and never for a site."""
    return _page(_WATCH, request, symbol, timeframe)


def chart(request: HttpRequest, symbol: str, timeframe: str) -> HttpResponse:
    """The candles of any symbol."""
    return _page(_CHART, request, symbol, timeframe)


def _page(source: str, request: HttpRequest, symbol: str, timeframe: str) -> HttpResponse:
    context = {"symbol": symbol, "timeframe": timeframe}
    return HttpResponse(engines["django"].from_string(source).render(context, request))


urlpatterns = [
    path("watch/<symbol>/<timeframe>/", watch),
    path("chart/<symbol>/<timeframe>/", chart),
    path("fcs/", include("django_fcs.urls")),
]
