"""A page with the elements, driven from both ends: shared by the tests of elements and look."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page

from django_fcs import widgets
from django_fcs.widgets import formats
from tests.browser.scripted_server import Peer, ScriptedServer, price
from tests.support.waiting import eventually

EURUSD = "FX:EURUSD"
BTC = "BINANCE:BTCUSDT"
EURO = {
    **{"t": 1766361600, "o": 1.08181, "h": 1.08455, "l": 1.08102, "c": 1.08412},
    **{"a": 1.08416, "b": 1.08408, "ch": 0.00231, "chp": 0.2135, "digits": 5},
}
TICKER = f'<fcs-ticker symbol="{EURUSD}"></fcs-ticker>'
MORE_FIELDS = "".join(f'<i data-field="{name}"></i>' for name in ("open", "volume", "spread"))
STATUS = '[data-part="status"]'


def euro(seq: int, *, timeframe: str = "1D", age: float = 0, **changes: Any) -> dict[str, Any]:
    message = price(EURUSD, timeframe, **{**EURO, **changes})
    return {**message, "seq": seq, "at": time.time() - age}


def state(name: str, symbol: str = EURUSD, timeframe: str = "1D", **more: Any) -> dict[str, Any]:
    room = {"symbol": symbol, "timeframe": timeframe}
    return {"type": "state", **room, "state": name, "reason": "", **more}


def with_more_fields(html: str) -> str:
    """Give cards the fields that a site's own template may have, and ours has not."""
    return html.replace("</fcs-ticker>", f"{MORE_FIELDS}</fcs-ticker>")


def a_full_ticker(symbol: str) -> str:
    """A card of a site's own template."""
    names = ("symbol", "close", "high", "low", "change", "change_percent")
    fields = "".join(
        f'<i data-field="{name}">{formats.name(symbol) * (name == "symbol")}</i>' for name in names
    )
    return f'<fcs-ticker symbol="{symbol}">{fields}{MORE_FIELDS}</fcs-ticker>'


class Site:
    """A page with the elements, and the scripted server's end of its one socket."""

    def __init__(self, page: Page, server: ScriptedServer) -> None:
        self.page = page
        self.server = server
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text))

    @property
    def peer(self) -> Peer:
        return self.server.peer

    async def open(
        self, body: str, *, html: str = 'lang="en"', style: str = "", scripts: str = ""
    ) -> None:
        head = f'{scripts or widgets.scripts()}<link rel="stylesheet" href="/site.css">'
        self.server.pages["/"] = f"<!doctype html><html {html}>{head}<body>{body}</body></html>"
        self.server.pages["/site.css"] = style
        await self.page.goto(self.server.url)

    async def joined(self, *rooms: str) -> None:
        """Wait until the page has joined these rooms, each once."""
        await eventually(lambda: self.server.peers and self.peer.joins == list(rooms))

    async def send(self, *messages: dict[str, Any]) -> None:
        await eventually(lambda: self.server.peers)
        await self.peer.send(*messages)

    def find(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def field(self, name: str) -> Locator:
        return self.find(f'[data-field="{name}"]')

    async def run(self, script: str) -> Any:
        """Evaluate a script, which may ``change(element, symbol, timeframe)``."""
        return await self.page.evaluate(script)


@pytest_asyncio.fixture(loop_scope="session")
async def site(page: Page, server: ScriptedServer) -> AsyncIterator[Site]:
    server.headers["Content-Security-Policy"] = "default-src 'self'"
    await page.add_init_script(
        "globalThis.change = (e, symbol, timeframe) => Object.assign(e, { symbol, timeframe })"
    )
    site = Site(page, server)
    yield site
    assert not site.problems, site.problems
