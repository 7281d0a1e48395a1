from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from example_project.markets import MARKETS, TIMEFRAMES, Market

__all__ = ["home", "market", "plain"]


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "example_project/home.html")


def market(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a market with template tags and elements."""
    return render(request, "example_project/market.html", _context(slug))


def plain(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a market with only FCSClient and the page's own script."""
    return render(request, "example_project/plain.html", _context(slug))


def _context(slug: str) -> dict[str, object]:
    return {"market": _market_or_404(slug), "timeframes": TIMEFRAMES, "timeframe": "1D"}


def _market_or_404(slug: str) -> Market:
    try:
        return MARKETS[slug]
    except KeyError:
        raise Http404(f"No such market. The markets are: {', '.join(MARKETS)}.") from None
