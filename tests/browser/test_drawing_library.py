"""The example of docs/charts.md that feeds another library, with the package from npm."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import expect

from tests.browser.element_page import EURUSD, Site, site
from tests.browser.scripted_server import price
from tests.browser.test_frameworks import built
from tests.support.waiting import eventually
from tests.test_docs_examples import block

__all__ = ["site"]

LIBRARY = "lightweight-charts.standalone.production.mjs"
HOUR = 3600
T = 1_766_361_600
#: The test sees what the chart shows, and does not wait for seconds.
SEEN = """
client.reconnectDelay = 1;
globalThis.shown = () => series.data().map((bar) => [bar.time, bar.close]);
"""


def candles(*closes: float) -> dict[str, Any]:
    rows = [[T + n * HOUR, 1.0, 2.0, 0.5, close, None] for n, close in enumerate(closes)]
    room = {"symbol": EURUSD, "timeframe": "60"}
    return {"type": "candles", **room, "candles": rows, "more": False, "missing": [], "note": ""}


def live(hours: int, close: float) -> dict[str, Any]:
    return price(EURUSD, "60", t=T + hours * HOUR, o=1.0, h=2.0, l=0.5, c=close)


async def test_the_example_shows_history_live_prices_and_what_is_repaired(site: Site) -> None:
    site.server.pages["/lightweight.js"] = built(f"node_modules/lightweight-charts/dist/{LIBRARY}")
    script = block("charts.md", "createChart", "js") + SEEN
    site.server.pages["/page.js"] = script.replace(LIBRARY, "lightweight.js")
    html = block("charts.md", 'id="chart"', "html").replace('{% static "page.js" %}', "/page.js")
    await site.open(re.sub(r"{%.*?%}", "", html))

    async def shows(*closes: float) -> None:
        expected = [[T + n * HOUR, close] for n, close in enumerate(closes)]
        await site.page.wait_for_function(
            "(expected) => JSON.stringify(shown()) === JSON.stringify(expected)", arg=expected
        )

    await eventually(lambda: site.server.peers and site.peer.of_type("candles"))
    assert site.peer.of_type("candles") == [
        {"type": "candles", "symbol": EURUSD, "timeframe": "60", "before": None, "limit": 300}
    ]
    await site.send(candles(1.1, 1.2, 1.3))
    await shows(1.1, 1.2, 1.3)
    await site.send(live(2, 1.35))
    await shows(1.1, 1.2, 1.35)
    await site.send(live(3, 1.4), live(1, 9.9))
    await shows(1.1, 1.2, 1.35, 1.4)
    await site.send(candles(1.1, 1.25))
    await shows(1.1, 1.25, 1.35, 1.4)

    await expect(site.find("a[href='https://www.tradingview.com/']")).to_be_visible()
    await expect(site.find("canvas").first).to_be_visible()
    site.peer.abort()
    await eventually(lambda: len(site.server.peers) == 2 and site.peer.of_type("candles"))
