"""The heat map in a browser: tiles that follow their prices, colours, and other scripts."""

from __future__ import annotations

import time
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from django_fcs import widgets
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from tests.browser.element_page import BTC, EURUSD, Site, site, state
from tests.browser.scripted_server import ScriptedServer, price
from tests.browser.test_look import THEMES
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, a_quote, known

__all__ = ["known", "site"]

LEVELS = {"-3": -2.5, "-2": -1.2, "-1": -0.3, "0": 0.01, "1": 0.3, "2": 1.2, "3": 2.5}
GROUPS = [("Currencies", [EURUSD]), ("Coins", [BTC])]
YEN = "FX:USDJPY"

#: The least contrast of any text of a tile with the ground of the tile.
CONTRAST = """(ground) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (...colours) => {
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  return Math.min(...[...document.querySelectorAll("li [data-field], li [data-part=status]")]
    .filter((node) => node.textContent).map((node) => {
      const tile = getComputedStyle(node.closest("li")).backgroundColor;
      const behind = light(ground, tile);
      const text = light(ground, tile, getComputedStyle(node).color);
      return Math.max(behind, text) / Math.min(behind, text);
    }));
}"""


def moved(symbol: str, percent: float | None, seq: int = 1) -> dict[str, Any]:
    sent = price(symbol, c=1.5, o=1.4, ch=percent, chp=percent, digits=5)
    return {**sent, "seq": seq, "at": time.time()}


def left(site: Site) -> list[str]:
    return [message["symbol"] for message in site.peer.of_type("leave_symbol")]


async def test_tiles_follow_their_prices_and_come_and_go(site: Site, known: Known) -> None:
    known(change_percent=-0.3, change=-0.003)
    await site.open(widgets.heatmap(GROUPS, href="/m/{symbol}/", size="weight"))
    await site.joined(f"{EURUSD}_1D", f"{BTC}_1D")
    euro = site.find(f'[data-symbol="{EURUSD}"]')
    await expect(euro).to_have_attribute("data-level", "-1")

    for seq, (level, percent) in enumerate(LEVELS.items(), 1):
        await site.send(moved(EURUSD, percent, seq), state("live"))
        await expect(euro).to_have_attribute("data-level", level)
    await expect(euro.locator("[data-field=change_percent]")).to_have_text("+2.50\u2009%")
    await expect(euro).to_have_attribute("title", "Euro / US dollar, live")
    await site.send(moved(EURUSD, None, 9), state("stale"))
    await expect(euro).not_to_have_attribute("data-level", "3")
    assert await euro.get_attribute("data-level") is None
    await expect(euro.locator("[data-part=status]")).to_have_text("0 s old")

    # A tile that the page adds fills itself; one that it changes joins its own room.
    await site.run(
        f"""document.querySelector("ul").insertAdjacentHTML("beforeend",
          '<li data-symbol="{YEN}" data-href="/m/{{symbol}}/"></li>')"""
    )
    await eventually(lambda: f"{YEN}_1D" in site.peer.joins)
    yen = site.find(f'[data-symbol="{YEN}"]')
    await expect(yen.locator("a")).to_have_attribute("href", "/m/FX%3AUSDJPY/")
    await expect(yen.locator("[data-field=symbol]")).to_have_text("USD/JPY")
    await site.send(moved(YEN, -0.8))
    await expect(yen).to_have_attribute("data-level", "-2")
    await site.run("document.querySelectorAll('li')[1].dataset.symbol = 'FX:GBPUSD'")
    await eventually(lambda: "FX:GBPUSD_1D" in site.peer.joins)
    await expect(site.find('[data-symbol="FX:GBPUSD"] a')).to_have_attribute(
        "href", "/m/FX%3AGBPUSD/"
    )
    assert await site.find('[data-symbol="FX:GBPUSD"]').get_attribute("data-level") is None

    # A move within the page keeps the rooms, and a map that goes leaves them.
    await site.run("document.body.prepend(document.querySelector('fcs-heatmap'))")
    await site.run("document.querySelector('li:last-child').remove()")
    await eventually(lambda: left(site) == [YEN, "FX:GBPUSD"])
    await site.run("document.querySelector('fcs-heatmap').remove()")
    await eventually(lambda: left(site) == [YEN, "FX:GBPUSD", EURUSD, BTC])


def in_all_states(room: Room) -> Quote:
    """A price whose change is written in its symbol, stale if that begins with an S."""
    name, percent = room.symbol.partition(":")[2].split("_")
    now = State.STALE if name == "S" else State.OFFLINE if name == "O" else State.LIVE
    value = int(percent) / 100
    return a_quote(room.symbol, change=value, change_percent=value, state=now)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_tile_can_be_read_in_every_palette_without_a_script(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, theme: str
) -> None:
    monkeypatch.setattr("django_fcs.quotes.quote_to_show", in_all_states)
    values = [round(100 * percent) for percent in LEVELS.values()]
    rows = [f"X:{name}_{value}" for name in "LSO" for value in values]
    ground, ink = THEMES[theme]
    maps = "".join(
        f'<div data-palette="{palette}">{widgets.heatmap([("All", rows)], href="/")}</div>'
        for palette in ("", "red-up", "colour-blind")
    )
    head = f'<title>Map</title>{widgets.scripts()}<link rel="stylesheet" href="/site.css">'
    server.headers["Content-Security-Policy"] = "default-src 'self'"
    server.pages["/site.css"] = f"body {{ background: {ground}; color: {ink}; margin: 8px }}"
    server.pages["/"] = (
        f'<!doctype html><html lang="en" data-theme="{theme}">{head}'
        f"<body><main><h1>Map</h1>{maps}</main></body></html>"
    )
    window = await browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 700}
    )
    page = await window.new_page()
    await page.goto(server.url)
    assert await page.evaluate(CONTRAST, ground) >= 4.5
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    stale = page.locator("[data-state=stale]").first
    await expect(stale.locator("[data-part=status]")).to_be_visible()
    await expect(stale.locator("[data-part=status]")).to_have_text("stale")
    fallen = page.locator('[data-level="-3"]').first
    risen = page.locator('[data-level="3"]').first
    assert await fallen.evaluate("(it) => getComputedStyle(it).backgroundColor") != (
        await risen.evaluate("(it) => getComputedStyle(it).backgroundColor")
    )
    await window.close()


async def test_a_map_works_by_keyboard_from_right_to_left_and_on_a_narrow_page(
    site: Site, known: Known
) -> None:
    weights = {EURUSD: 0, YEN: 1, "NASDAQ:ABCDEFGHIJKLMNOP": 9, BTC: None}
    rows = [{"symbol": symbol, "weight": weight} for symbol, weight in weights.items()]
    await site.page.set_viewport_size({"width": 320, "height": 700})
    html = widgets.heatmap(rows, size="weight", href="#{symbol}")
    await site.open(
        f"<title>Map</title><main><h1>Map</h1>{html}</main>", html='lang="ar" dir="rtl"'
    )
    await site.joined(*(f"{symbol}_1D" for symbol in weights))
    assert await site.run("document.documentElement.scrollWidth") == 320
    boxes = await site.find("fcs-heatmap li").evaluate_all(
        "(all) => all.map((it) => it.getBoundingClientRect()).map((box) => [box.left, box.right])"
    )
    assert min(left for left, _ in boxes) >= 0 and max(right for _, right in boxes) <= 320
    await site.page.keyboard.press("Tab")
    await expect(site.find("li a").first).to_be_focused()
    await expect(site.find("li").first).to_have_css("outline-style", "solid")
    await site.page.keyboard.press("Enter")
    assert site.page.url.endswith("#FX%3AEURUSD")
    results = await Axe().run(site.page)
    assert results.violations_count == 0, results.generate_report()
