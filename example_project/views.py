from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from example_project.gallery import hero, shown
from example_project.markets import (
    BOARDS,
    CHART,
    CHART_TIMEFRAMES,
    GLANCE,
    MAP,
    MARKETS,
    TAPE,
    TIMEFRAMES,
    WATCH_LIST,
    Market,
)
from example_project.states import STATES

__all__ = ["article", "dashboard", "home", "market", "plain"]


def home(request: HttpRequest) -> HttpResponse:
    """Show every widget beside the lines that make it."""
    exhibits = shown(request, {**_lists(), "watch_list": _short()})
    context = {"hero": hero(request), "exhibits": exhibits, "states": STATES}
    return render(request, "example_project/home.html", context)


def dashboard(request: HttpRequest) -> HttpResponse:
    """Show everything that a trader watches; the address says what the chart shows."""
    symbols = [row.symbol for _, rows in WATCH_LIST for row in rows]
    context = {
        **_lists(),
        "symbol": _one_of((CHART, *symbols), request.GET.get("symbol")),
        "timeframe": _one_of(CHART_TIMEFRAMES, request.GET.get("timeframe")),
    }
    return render(request, "example_project/dashboard.html", context)


def article(request: HttpRequest) -> HttpResponse:
    return render(request, "example_project/article.html", _lists())


def market(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a market with template tags and elements."""
    return render(request, "example_project/market.html", _context(slug))


def plain(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a market with only FCSClient and the page's own script."""
    return render(request, "example_project/plain.html", _context(slug))


def _one_of(choices: Sequence[str], asked: str | None) -> str:
    """Return what was asked for if it is a choice, else the first choice."""
    return asked if asked is not None and asked in choices else choices[0]


def _lists() -> dict[str, object]:
    return {"boards": BOARDS, "glance": GLANCE, "map": MAP, "tape": TAPE, "watch_list": WATCH_LIST}


def _short() -> list[tuple[str, object]]:
    """Return the first four of each group."""
    return [(heading, rows[:4]) for heading, rows in WATCH_LIST]


def _context(slug: str) -> dict[str, object]:
    return {"market": _market_or_404(slug), "timeframes": TIMEFRAMES, "timeframe": "1D"}


def _market_or_404(slug: str) -> Market:
    try:
        return MARKETS[slug]
    except KeyError:
        raise Http404(f"No such market. The markets are: {', '.join(MARKETS)}.") from None
