"""Render the same pages again and again, and save what it took."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from itertools import count, islice, product
from pathlib import Path
from typing import Any, NamedTuple

from django.template import engines
from django.test import override_settings

from django_fcs.prices.minutes import KEPT, Minutes, minute_of
from django_fcs.prices.paths import PathReport
from django_fcs.prices.snapshots import Snapshot
from django_fcs.prices.store import LastValue, MemoryStore, Store
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.site import forget_prices, site_store
from lab.benchmarks.results import keep
from lab.benchmarks.rig import calmest
from lab.benchmarks.summary import figure
from lab.kit.machine import describe
from lab.kit.terminal import say

from .counted import CountedCache

__all__ = ["COLUMNS", "PAGES", "SITES", "measure", "measure_once"]

#: Pages before the first one that counts.
_WARM_UP = 5

#: By the name of a site, the settings in which it differs.
SITES: dict[str, dict[str, Any]] = {
    "memory": {"CHANNEL_LAYERS": {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}},
    "cache": {},
}

#: By the name of a page, its template.
PAGES = {
    "tickers": "{% load fcs %}{% for symbol in symbols %}{% fcs_ticker symbol %}{% endfor %}",
    "table": "{% load fcs %}{% fcs_table symbols columns=columns %}",
}
COLUMNS = "sparkline close change change_percent volume"


class _Page(NamedTuple):
    """What one page took."""

    wall_ms: float
    cpu_ms: float
    reads: int
    size: int


def measure(*, runs: int, pages: int, rooms: int, results: Path) -> None:
    """Measure both pages on both sites some times and save the figures; they take turns."""
    rows: list[dict[str, Any]] = []
    for run in range(runs):
        for name, page in product(SITES, PAGES):
            row = calmest(partial(measure_once, name, page, pages=pages, rooms=rooms))
            rows.append({"peer": name, "page": page, "run": run, **row})
            say(f"rendering run {run + 1} {name} {page}")
            say("   " + "  ".join(f"{key}={value:.4g}" for key, value in row.items()))
    command = " ".join(["python -m lab.benchmarks.rendering", *sys.argv[1:]])
    figures = {"machine": describe(), "command": command, "pages": pages, "rows": rows}
    keep("rendering", figures, results)


def measure_once(name: str, page: str, *, pages: int, rooms: int) -> dict[str, Any]:
    """Return medians over some pages: milliseconds, kilobytes, and the most reads of a page."""
    symbols = [f"BINANCE:C{number:03}USDT" for number in range(rooms)]
    with override_settings(**SITES[name]):
        forget_prices()
        asyncio.run(_fill(site_store(), symbols, time.time()))
        template = engines["django"].from_string(PAGES[page])
        is_shared = not isinstance(site_store(), MemoryStore)
        # Without a pause between them: a process that sleeps is not warm. Most pages then show
        # the copy of an earlier one, and these do not count.
        every = (_render(template, symbols) for _ in count())
        counted = (one for one in every if one.reads or not is_shared)
        rendered = list(islice(counted, _WARM_UP, _WARM_UP + pages))
    rows = [one._asdict() for one in rendered]
    return {
        "wall_ms": figure(rows, "wall_ms"),
        "cpu_ms": figure(rows, "cpu_ms"),
        "least_cpu_ms": min(one.cpu_ms for one in rendered),
        "reads": max(one.reads for one in rendered),
        "kb": rendered[-1].size / 1000,
    }


async def _fill(store: Store, symbols: list[str], now: float) -> None:
    """Save a price and the last hour of each symbol."""
    rooms = [Room.parse(symbol) for symbol in symbols]
    closes = tuple(100 + minute % 7 / 10 for minute in range(KEPT))
    values = {room: LastValue(_text(room, now)) for room in rooms}
    minutes = {room: Minutes(minute_of(now) - 1, closes) for room in rooms}
    await store.asave(values, PathReport(now, online=True, reason=""), None, minutes)


def _text(room: Room, now: float) -> str:
    snapshot = Snapshot(room)
    candle: dict[str, Any] = {
        "t": int(now),
        "o": 99.05,
        "h": 101.25,
        "l": 98.5,
        "c": 100.55,
        "v": 8e4,
    }
    snapshot.merge(Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", **candle))
    return Update.encode(room, snapshot.price("candle", seq=1, at=now), epoch=0).text


def _render(template: Any, symbols: list[str]) -> _Page:
    reads, wall, cpu = CountedCache.reads, time.perf_counter(), time.process_time()
    html = template.render({"symbols": symbols, "columns": COLUMNS})
    wall_ms, cpu_ms = (
        1000 * (time.perf_counter() - wall),
        1000 * (time.process_time() - cpu),
    )
    return _Page(wall_ms, cpu_ms, CountedCache.reads - reads, len(html.encode()))
