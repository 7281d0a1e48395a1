"""Take the pictures of the widgets for the documents: ``python -m lab.pictures``.

It needs Chromium and Playwright. The prices are invented. No server runs: the browser is given the
page that the tags print, the package's files, and a socket that answers as ours does.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import time
from datetime import datetime, timezone
from typing import Any, NamedTuple
from unittest import mock

import django
from django.utils import translation
from playwright.async_api import Browser, Route, WebSocketRoute, async_playwright

from django_fcs import widgets
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from lab.kit.places import ROOT

FOLDER = ROOT / "docs/images/widgets"
STATIC = ROOT / "django_fcs/static/django_fcs"
ORIGIN = "http://pictures.invalid"

PAGE = """<!doctype html><html lang="{language}" dir="{direction}" data-palette="{palette}">
<meta name="viewport" content="width=device-width"><title>Widgets</title>{scripts}
<style>:root {{ color-scheme: {theme} }}
body {{ margin: 0; padding: 16px; background: light-dark(#fbfbfa, #101216);
  color: light-dark(#16181d, #e8eaee); font: 16px/1.5 system-ui, sans-serif; --fcs-width: none }}
main {{ display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 264px), 1fr)) }}</style>
<main>{cards}</main><p>{sentence}</p></html>"""


class Shown(NamedTuple):
    symbol: str
    close: float
    change: float
    low: float
    high: float
    digits: int
    state: str = "live"


INSTRUMENTS = (
    Shown("FX:EURUSD", 1.08412, 0.00231, 1.08102, 1.08455, 5),
    Shown("BINANCE:BTCUSDT", 89962.61, -1120.4, 87900.0, 91590.23, 2, "stale"),
    Shown("NASDAQ:AAPL", 271.49, 5.24, 265.67, 273.33, 2, "closed"),
    Shown("FX:USDJPY", 154.207, -0.124, 153.981, 154.622, 3, "offline"),
    Shown("FX:XAUUSD", 4071.35, 12.9, 4051.4, 4080.25, 2),
    Shown("BINANCE:ETHUSDT", 2998.1, 11.94, 2941.75, 3022.4, 2),
    Shown("FX:GBPUSD", 1.2668, -0.00739, 1.2661, 1.27433, 5),
    Shown("FX:EURCHF", 0.93127, 0.0, 0.92988, 0.93344, 5, "waiting"),
)


class Picture(NamedTuple):
    name: str
    width: int
    theme: str = "light"
    palette: str = ""
    language: str = "en"


PICTURES = (
    Picture("light", 1280),
    Picture("dark", 1280, "dark"),
    Picture("red-up", 390, palette="red-up"),
    Picture("arabic", 320, "dark", language="ar"),
)


def minutes(shown: Shown) -> tuple[float | None, ...]:
    """Return an hour that ends near the price, with a hole where the feed was silent."""
    size = (shown.high - shown.low) / 3
    waves = (math.sin(n / 7) + math.sin(n / 2.3) / 3 + n / 40 for n in range(60))
    prices = [shown.close + size * (wave - 1.4) for wave in waves]
    return tuple(
        None if shown.state == "stale" and 40 <= n < 48 else price for n, price in enumerate(prices)
    )


def quote_of(shown: Shown) -> Quote:
    values: dict[str, Any] = {
        **{"open": shown.close, "high": shown.high, "low": shown.low, "close": shown.close},
        **dict.fromkeys(("volume", "ask", "bid", "previous_close", "spread", "delay", "t")),
        **{"change": shown.change, "change_percent": percent(shown), "digits": shown.digits},
        **{"updated": datetime.now(timezone.utc), "at": time.time(), "age": 0.0},
        **{"state": State(shown.state), "recent": minutes(shown)},
    }
    return Quote(room=Room.parse(shown.symbol, None), **values)


def percent(shown: Shown) -> float:
    return 100 * shown.change / (shown.close - shown.change)


def html(picture: Picture) -> str:
    """Return the page as the server prints it, before any price is told."""
    known = {shown.symbol: quote_of(shown) for shown in INSTRUMENTS if shown.state != "waiting"}
    tag, price = widgets.tag, widgets.price
    with (
        mock.patch("django_fcs.quotes.quote_to_show", lambda room: known.get(room.symbol)),
        translation.override(picture.language),
    ):
        cards = [
            widgets.ticker(shown.symbol, unit="USD" if shown.symbol == "NASDAQ:AAPL" else None)
            for shown in INSTRUMENTS
        ]
        small = [widgets.ticker(shown.symbol, item_size="compact") for shown in INSTRUMENTS[:4]]
        return PAGE.format(
            **picture._asdict(),
            direction="rtl" if picture.language == "ar" else "ltr",
            scripts=widgets.scripts(),
            cards="".join([*cards, *small]),
            sentence=f"{tag('FX:GBPUSD')}, {tag('NASDAQ:AAPL', sparkline=True)}, "
            f"{tag('BINANCE:BTCUSDT')}: {price('FX:XAUUSD')}, {price('FX:USDJPY')}.",
        )


def messages(symbol: str) -> list[dict[str, Any]]:
    """Return what the socket sends for a room."""
    shown = next(one for one in INSTRUMENTS if one.symbol == symbol)
    room = {"symbol": symbol, "timeframe": "1D"}
    at = time.time() - (185 if shown.state == "stale" else 0)
    state: dict[str, Any] = {"type": "state", **room, "state": shown.state, "reason": ""}
    if shown.state == "closed":
        state["until"] = int(at) + 3600 * 14
    prices: dict[str, Any] = {"c": shown.close, "h": shown.high, "l": shown.low, "ch": shown.change}
    prices |= {"chp": percent(shown), "digits": shown.digits, "mode": "candle"}
    price = {"type": "price", **room, "prices": prices, "seq": 1, "at": at}
    return [state] if shown.state == "waiting" else [price, state]


def answer(socket: WebSocketRoute) -> None:
    """Be the server of a page."""

    def hear(text: str | bytes) -> None:
        message = json.loads(text)
        if message["type"] == "join_symbol":
            socket.send(json.dumps(messages(message["symbol"])))

    socket.on_message(hear)
    socket.send(json.dumps([{"type": "welcome", "timestamp": int(time.time() * 1000)}]))


async def take(browser: Browser, picture: Picture) -> None:
    page = await browser.new_page(viewport={"width": picture.width, "height": 400})

    async def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name:
            await route.fulfill(path=STATIC / name)
        else:
            await route.fulfill(body=html(picture), content_type="text/html; charset=utf-8")

    await page.route("**/*", serve)
    await page.route_web_socket("**/*", answer)
    await page.goto(f"{ORIGIN}/")
    await page.locator('fcs-ticker[data-state="stale"]:defined').first.wait_for()
    await page.wait_for_timeout(1500)  # every price is painted, and no flash is left
    await page.screenshot(path=FOLDER / f"{picture.name}-{picture.width}.png", full_page=True)
    await page.close()


async def main() -> None:
    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("FCS_CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox"],
        )
        for picture in PICTURES:
            await take(browser, picture)
        await browser.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.kit.settings")
    asyncio.run(main())
