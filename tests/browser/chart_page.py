"""A page with a chart, and the server's end of its socket: shared by the tests of the chart."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from django_fcs import widgets
from django_fcs.candles import Candle, Candles
from django_fcs.rooms import Room
from tests.browser.element_page import Site, state
from tests.browser.scripted_server import price
from tests.support.waiting import eventually
from tests.widgets.test_html import a_quote

EURUSD = "FX:EURUSD"
ROOM = f"{EURUSD}_5"
PERIOD = 300
Bar = list[Any]

STYLE = "body { margin: 0; font: 13px/20px sans-serif }"


def begin_now() -> int:
    """Return when the bar of five minutes that is forming has opened."""
    return int(time.time()) // PERIOD * PERIOD


#: What moved since the page began to load, as browsers tell it, each with where it was and is.
MOVED = """() => new Promise((resolve) => {
  const moved = [];
  const told = ({ node, previousRect: was, currentRect: is }) =>
    `${node?.outerHTML?.slice(0, 80) ?? node?.nodeValue}: ${JSON.stringify([was, is])}`;
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) moved.push([value, sources.map(told)]);
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(moved), 50)));
})"""


def bars_until(t: int, count: int = 200, period: int = PERIOD) -> list[Bar]:
    """Return bars that swing around 1.084; the last one opens at ``t``."""
    return list(_bars(t, count, period))


def _bars(t: int, count: int, period: int) -> Iterator[Bar]:
    close = 1.0840
    for index in range(count):
        opened, close = close, round(1.0840 + math.sin(index / 9) / 500 + (index % 7) / 9000, 5)
        high, low = max(opened, close) + 0.0002, min(opened, close) - 0.00015
        values = [round(value, 5) for value in (opened, high, low, close)]
        yield [t - (count - 1 - index) * period, *values, 1000 + index * 13 % 700]


def page_of(bars: list[Bar], timeframe: str = "5", **more: Any) -> dict[str, Any]:
    """Return a message with candles."""
    room = {"type": "candles", "symbol": EURUSD, "timeframe": timeframe}
    rest = {"more": False, "missing": [], "repaired": [], "note": ""}
    return {**room, "candles": bars, **rest, **more}


def tick(seq: int, bar: Bar, timeframe: str = "5", **changes: Any) -> dict[str, Any]:
    """Return a price that continues a bar."""
    names = ("t", "o", "h", "l", "c", "v")
    values = {**dict(zip(names, bar, strict=True)), "digits": 5, "pc": 1.0818, "ch": 0.00231}
    message = price(EURUSD, timeframe, **{**values, "chp": 0.21, **changes})
    return {**message, "seq": seq, "at": time.time()}


def chart(bars: list[Bar] | None = None, **options: Any) -> str:
    """Return the HTML of a chart, as the server prints it with these bars."""
    bars = bars_until(begin_now()) if bars is None else bars
    given = {"timeframes": "1 5 60 1D", "zone": "UTC", "height": 256, **options}
    candles = tuple(Candle._make([*bar, bar is not bars[-1]]) for bar in bars)
    found = Candles(Room(EURUSD, "5"), candles)
    with (
        patch("django_fcs.widgets.chart.candles_to_show", lambda *_: found),
        patch("django_fcs.quotes.quote_to_show", lambda room: a_quote(room.symbol, room.timeframe)),
    ):
        return widgets.chart(EURUSD, "5", **given)


async def start(
    site: Site, bars: list[Bar] | None = None, *, html: str = "", **page: Any
) -> list[Bar]:
    """Open a page with a chart, answer its request with bars, and wait until they are drawn."""
    bars = bars_until(begin_now()) if bars is None else bars
    await site.open(
        f"<title>Chart</title><main><h1>Chart</h1>{html or chart(bars)}</main>", style=STYLE
    )
    await asked(site)
    await site.send(page_of(bars, **page), tick(1, bars[-1]), state("live", timeframe="5"))
    await site.page.wait_for_selector("fcs-chart [data-part=tools] button")
    await settled(site)
    return bars


async def asked(site: Site, times: int = 1, **wish: Any) -> dict[str, Any]:
    """Wait until the page has asked for candles so often; return the last request."""

    def wishes() -> list[dict[str, Any]]:
        found = site.peer.of_type("candles") if site.server.peers else []
        return [one for one in found if all(one.get(name) == wish[name] for name in wish)]

    await eventually(lambda: len(wishes()) >= times)
    return wishes()[-1]


async def settled(site: Site) -> None:
    """Wait until all that has come is drawn."""
    await site.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


async def drawn(site: Site, kind: str) -> str:
    """Return the path of a kind, such as ``body up``."""
    found = await site.page.evaluate(
        "(kind) => document.querySelector(`fcs-chart path[class='${kind}']`)?.getAttribute('d')",
        kind,
    )
    return str(found)


async def spoken(site: Site) -> str:
    return await site.find("[data-part=spoken]").inner_text()
