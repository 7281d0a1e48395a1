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


def watch(request: HttpRequest, symbol: str, timeframe: str) -> HttpResponse:
    """Any symbol of the address: fit for tests, and never for a site."""
    context = {"symbol": symbol, "timeframe": timeframe}
    return HttpResponse(engines["django"].from_string(_WATCH).render(context, request))


urlpatterns = [
    path("watch/<symbol>/<timeframe>/", watch),
    path("fcs/", include("django_fcs.urls")),
]
