"""The tag on the server: how long it takes, and how much it prints."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.test import override_settings

from django_fcs import widgets
from django_fcs.candles.reading import forget_candles
from django_fcs.rooms import Room
from django_fcs.site import forget_prices
from lab.benchmarks.candles.market import MINUTE, bars_until
from lab.benchmarks.candles.reading import SITES, fill
from lab.kit.places import ROOT
from lab.kit.statistics import median

__all__ = ["BARS", "STATIC", "TIMEFRAME", "known", "sizes", "tag"]

BARS = 200
TIMEFRAME = "1"
STATIC = ROOT / "django_fcs/static/django_fcs"

_SYMBOL = "FX:EURUSD"

#: Calls before the first one that counts.
_WARM_UP = 10

#: What a page with a chart loads, by the name of its figure.
_FILES = {
    "script": ("fcs-chart.min.js", "fcs-chart-plot.min.js"),
    "visitor": ("fcs-chart-visitor.min.js",),
    "style": ("fcs-chart.min.css",),
}


@contextmanager
def known(site: str, symbols: Sequence[str], bars: int) -> Iterator[None]:
    """Let a site know the candles of some symbols."""
    with override_settings(**SITES[site], FCS_CANDLES=bars):
        forget_prices()
        forget_candles()
        last = int(time.time()) // MINUTE * MINUTE
        for symbol in symbols:
            room = Room(symbol, TIMEFRAME)
            asyncio.run(fill(room, bars_until(last, bars + 1), time.time()))
        try:
            yield
        finally:
            forget_prices()
            forget_candles()


def tag(site: str, *, calls: int) -> dict[str, float]:
    """Return the median time of the tag in milliseconds: with a copy, and with a read of each.

    No two of the second kind have the same range, so that none shows the copy of another.
    """
    with known(site, [_SYMBOL], 2 * BARS):
        copied = [_call(BARS) for _ in range(_WARM_UP + calls)][_WARM_UP:]
        first = BARS - calls // 2
        read = [_call(number) for number in range(first, first + calls)]
    return {"copied_ms": 1000 * median(copied), "read_ms": 1000 * median(read)}


def _call(number: int) -> float:
    began = time.perf_counter()
    widgets.chart(_SYMBOL, TIMEFRAME, range=number)
    return time.perf_counter() - began


def sizes() -> dict[str, float]:
    """Return kilobytes after gzip: the HTML of a chart, its scripts and its stylesheet."""
    with known("memory", [_SYMBOL], 2 * BARS):
        html = widgets.chart(_SYMBOL, TIMEFRAME, range=BARS).encode()
    found = {"html_kb": _zipped(html)}
    for name, files in _FILES.items():
        found[f"{name}_kb"] = sum(_zipped((STATIC / file).read_bytes()) for file in files)
    return found


def _zipped(body: bytes) -> float:
    return len(gzip.compress(body, 9)) / 1000
