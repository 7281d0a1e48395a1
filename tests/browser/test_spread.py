"""The element ``<fcs-spread>``: each price whole for some, and in pieces for others."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from django_fcs import widgets
from tests.browser.element_page import BTC, EURUSD, Site, euro, site, state
from tests.browser.scripted_server import ScriptedServer, price
from tests.browser.test_cards import SHIFT
from tests.browser.test_elements_morph import morph, open_told
from tests.widgets.test_html import Known, known
from tests.widgets.test_spread import DEALT

__all__ = ["known", "site"]

MODULE = "/static/django_fcs/fcs-spread.js"
BARE = f'<fcs-spread symbol="{EURUSD}" href="/m/{{symbol}}/" announce></fcs-spread>'
PIECES = """() => [...document.querySelectorAll("[data-part=dealt]")].map((dealt) =>
  [...dealt.children].map((piece) => piece.textContent).join("|"))"""
BOX = "document.querySelector('fcs-spread').getBoundingClientRect().toJSON()"


async def test_script_and_server_divide_prices_alike(site: Site) -> None:
    await site.open(BARE)
    given = json.dumps([[text, digits, pip] for text, digits, pip, _ in DEALT])
    divided = await site.run(
        f"import('{MODULE}').then(({{ divide }}) => {given}.map(([text, digits, pip]) =>"
        " divide(text, digits, pip ?? undefined).join('|')))"
    )
    assert divided == [expected for *_, expected in DEALT]


async def test_a_board_that_the_page_writes_follows_its_symbol(site: Site) -> None:
    await site.open(BARE)
    await site.joined(f"{EURUSD}_1D")
    board = site.page.get_by_role("group", name="EUR/USD")
    await expect(board).to_have_attribute("data-state", "waiting")
    assert await site.run(PIECES) == ["|–|", "|–|"]
    before = await site.run(BOX)
    await site.send(euro(1), state("live"))
    await expect(site.field("spread")).to_have_text("0.8 pips")
    assert await site.run(PIECES) == ["1.08|40|8", "1.08|41|6"]
    assert await site.run(BOX) == before
    await expect(site.find("[data-part=announcement]")).to_have_text(
        "EUR/USD, Bid 1.08408, Ask 1.08416, live"
    )
    # Screen readers hear one number, which is no other one.
    tree = await site.find("fcs-spread").aria_snapshot()
    assert "1.08408" in tree and "40" not in tree.replace("1.08408", "")
    await site.send(euro(2, b=1.08427, a=None))
    await expect(site.field("bid")).to_have_text("1.08427")
    assert await site.run(PIECES) == ["1.08|42|7", "|–|"]
    await expect(site.find("fcs-spread")).to_have_attribute("data-flash", "up")

    await site.run(f"change(document.querySelector('fcs-spread'), '{BTC}', '1D')")
    await expect(site.find("[data-part=unit]")).to_have_text("USDT")
    assert await site.run(PIECES) == ["|–|", "|–|"]
    prices = {"a": 89962.62, "b": 89962.61, "digits": 2}
    await site.send({**price(BTC, "1D", **prices), "seq": 1, "at": 1.0})
    await expect(site.field("spread")).to_have_text("0.01")
    assert await site.run(PIECES) == ["89,9|62|.61", "89,9|62|.62"]


async def test_nothing_moves_when_boards_converters_and_the_connection_get_their_first_words(
    site: Site, known: Known
) -> None:
    known(None)
    parts = (widgets.status(), widgets.spread(EURUSD), widgets.converter("USD"))
    await site.open(f"<main>{'<hr>'.join(parts)}</main>", style="body { font: 16px sans-serif }")
    await site.joined(f"{EURUSD}_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("spread")).to_have_text("0.8 pips")
    await expect(site.find("[data-code=USD] output")).to_have_text("108.41")
    await expect(site.find("fcs-status")).to_have_text("live")

    assert await site.run(SHIFT) == 0


async def test_the_script_takes_over_what_the_server_printed(site: Site, known: Known) -> None:
    known()
    await site.open(f"<main>{widgets.spread(EURUSD, href='/m/{symbol}/')}</main>")
    await site.joined(f"{EURUSD}_1D")
    await site.run("document.querySelectorAll('fcs-spread *').forEach((one) => one.mine = 1)")
    await site.send(euro(1, b=1.08499), state("live"))
    await expect(site.find("[data-part=pips]").first).to_have_text("49")
    await expect(site.find("[data-part=day] circle")).to_have_attribute("cx", "87.8%")
    assert await site.run(
        "[...document.querySelectorAll('fcs-spread *:not(time)')].every((one) => one.mine)"
    )
    # What a morph takes back is painted over.
    await site.run("document.querySelector('[data-part=pips]').textContent = '00'")
    await expect(site.find("[data-part=pips]").first).to_have_text("49")
    await site.page.keyboard.press("Tab")
    await expect(site.find("[data-part=link]")).to_be_focused()
    results = await Axe().run(site.page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    ignored = {"document-title", "html-has-lang"}
    assert {one["id"] for one in results.response["violations"]} <= ignored


async def test_a_board_outlives_a_morph(site: Site, known: Known) -> None:
    known()
    await open_told(site, widgets.spread(EURUSD), now="offline")
    known(bid=1.01, ask=1.02, spread=0.01)
    await morph(site, widgets.spread(EURUSD))
    await expect(site.find("fcs-spread")).to_have_attribute("data-state", "offline")
    assert await site.run(PIECES) == ["1.08|40|8", "1.08|41|6"]
    await expect(site.field("spread")).to_have_text("0.8 pips")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_without_a_script_a_board_has_room_in_any_page(
    browser: Browser, server: ScriptedServer, known: Known, theme: Literal["light", "dark"]
) -> None:
    tiny: dict[str, Any] = {"bid": 0.00001234, "ask": 0.00001235, "spread": 1e-8, "digits": 8}
    known(**tiny, low=0.0000119, high=0.0000131, close=0.000012)
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 400}, color_scheme=theme
    )
    page = await context.new_page()
    server.pages["/"] = (
        f'<!doctype html><html lang="ar" dir="rtl">{widgets.scripts()}'
        '<link rel="stylesheet" href="/site.css">' + widgets.spread("BINANCE:SHIBUSDT")
    )
    server.pages["/site.css"] = "html { color-scheme: light dark; font: 16px sans-serif }"
    await page.goto(server.url)
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    boxes = [
        await page.locator(selector).bounding_box()
        for selector in (
            "[data-part=ask] [data-part=dealt]",
            "[data-field=spread]",
            "[data-part=bid] [data-part=dealt]",
        )
    ]
    sides = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
    assert len(sides) == 3 and sides[0][1] <= sides[1][0] and sides[1][1] <= sides[2][0]
    await expect(page.locator("time")).to_be_visible()
    colour = await page.locator("[data-part=pips]").first.evaluate(
        "(node) => getComputedStyle(node).color"
    )
    assert colour == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[theme]
    await context.close()
