"""A page with a chart, and the server's end of its socket: shared by the tests of the chart."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any

from tests.browser.element_page import Site, state
from tests.browser.scripted_server import price
from tests.support.waiting import eventually

EURUSD = "FX:EURUSD"
ROOM = f"{EURUSD}_5"
PERIOD = 300
Bar = list[Any]

#: What the stylesheet of the chart gives to its parts.
STYLE = """
body { margin: 0; font: 13px/20px sans-serif }
fcs-chart { display: block }
fcs-chart [data-part=head] { display: flex; justify-content: space-between; height: 84px }
fcs-chart [data-part=tools] { height: 36px }
fcs-chart [data-part=readout] { height: 24px; display: flex; gap: 8px; overflow: hidden }
fcs-chart [data-part=readout] :is(dl, div) { display: flex; margin: 0; gap: 4px }
fcs-chart [data-part=plot] { position: relative; overflow: hidden; height: 232px; touch-action: pan-y }
fcs-chart [data-part=plot] > svg { position: absolute; inset-block: 0; right: 0; overflow: visible }
fcs-chart [data-part=foot] { display: grid; grid-template-columns: 1fr auto auto; height: 36px }
fcs-chart [data-part=side] { inline-size: 12rem; text-align: end }
fcs-chart :is([data-part=over], [data-part=keys]) { position: absolute; top: 40px; left: 16px; margin: 0 }
fcs-chart [data-part=spoken] {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
"""


def begin_now() -> int:
    """Return when the bar of five minutes that is forming has opened."""
    return int(time.time()) // PERIOD * PERIOD


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


def chart(**attributes: Any) -> str:
    """Return the HTML of a chart as the server prints it."""
    given = {"symbol": EURUSD, "timeframe": "5", "timeframes": "1 5 60 1D", "type": "candles"}
    options = {**given, "volume": "", "range": "200", "zone": "UTC", "data-digits": "5"}
    options |= {"data-from": "server", "data-state": "live", "data-direction": "up"}
    options |= {name.replace("_", "-"): value for name, value in attributes.items()}
    written = " ".join(f"{name}='{value}'" for name, value in options.items())
    return f"<fcs-chart {written}>{_PARTS}</fcs-chart>"


_FIGURE = '<span translate="no" data-field="{}">{}</span>'
_PARTS = f"""
<div data-part="head"><div><div data-part="name">{_FIGURE.format("symbol", "EUR/USD")}
  {_FIGURE.format("name", "Euro")}</div>
  <div data-part="quote"><span data-part="price">{_FIGURE.format("close", "1.08412")}</span>
  <span data-part="change">{_FIGURE.format("change", "+0.00231")}
  {_FIGURE.format("change_percent", "+0.21 %")}</span></div></div>
  <div data-part="side"><span data-part="status">as of 20:42:07</span></div></div>
<div data-part="tools"></div>
<div data-part="readout"><time>20:40</time></div>
<div data-part="plot"><svg width="432" height="232" role="img" aria-label="EUR/USD">
  <path class="body up" d="M300 100h5v9h-5z"/></svg></div>
<div data-part="foot"><span data-part="note">Last price 20:42:07</span></div>"""


async def start(
    site: Site, bars: list[Bar] | None = None, *, html: str = "", **page: Any
) -> list[Bar]:
    """Open a page with a chart, answer its request with bars, and wait until they are drawn."""
    bars = bars_until(begin_now()) if bars is None else bars
    await site.open(
        f"<title>Chart</title><main><h1>Chart</h1>{html or chart()}</main>", style=STYLE
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


def as_json(value: object) -> str:
    return json.dumps(value)
