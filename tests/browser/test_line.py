"""The element ``<fcs-sparkline>``: a line alone, in words for those who do not see it."""

from __future__ import annotations

import time
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from django_fcs import widgets
from django_fcs.widgets.sparkline import sparkline
from tests.browser.element_page import EURUSD, Site, euro, site, state
from tests.browser.scripted_server import ScriptedServer
from tests.browser.test_elements_morph import morph, open_told
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

BARE = f'<fcs-sparkline symbol="{EURUSD}"></fcs-sparkline>'
COLOUR = "getComputedStyle(document.querySelector('[data-part=line]')).stroke"


async def test_a_line_that_the_page_writes_draws_its_prices_and_says_them(site: Site) -> None:
    await site.open(f"<p>The euro {BARE} rose.</p>")
    await site.joined("FX:EURUSD_1D")
    image = site.page.get_by_role("img", name="EUR/USD")
    await expect(image).to_have_attribute("aria-label", "EUR/USD –, –, waiting")
    await site.send({**euro(1), "at": time.time()}, state("live"))
    await expect(image).to_have_attribute("title", "EUR/USD 1.08412, +0.21\u2009%, live")
    await expect(site.find("[data-part=line]")).to_have_attribute("d", "M68 10h0")
    # The previous close lies below the only price.
    await expect(site.find("[data-part=base]")).to_have_attribute("d", "M2 19H68")
    assert await site.find("fcs-sparkline").inner_text() == ""

    await site.run("change(document.querySelector('fcs-sparkline'), 'FX:USDJPY', '60')")
    await expect(image).to_have_count(0)
    await expect(site.page.get_by_role("img")).to_have_attribute(
        "aria-label", "USD/JPY –, –, waiting"
    )


async def test_the_script_keeps_the_base_where_the_server_drew_it(site: Site, known: Known) -> None:
    recent = (*[None] * 57, 1.08, 1.082, 1.086)
    now = time.time()
    known(recent=recent)
    await site.open(widgets.sparkline(EURUSD))
    await site.joined("FX:EURUSD_1D")
    label = site.find("fcs-sparkline")
    await site.send(state("live"))
    await expect(label).to_have_attribute("data-state", "live")
    assert "1.08412" in str(await label.get_attribute("aria-label"))
    minute = int(await site.find("svg").get_attribute("data-minute") or 0)
    await site.send({**euro(1, c=1.084, ch=0.003), "at": minute * 60 + 1})
    expected = sparkline(recent, 1.084, minute, 1.084 - 0.003)
    await expect(site.find("[data-part=line]")).to_have_attribute("d", expected.line)
    await expect(site.find("[data-part=base]")).to_have_attribute("d", expected.base)
    assert expected.base not in ("M2 1H68", "M2 19H68") and minute * 60 <= now + 60
    up = await site.run(COLOUR)
    await site.send({**euro(2, c=1.084, age=90), "seq": 2}, state("stale"))
    await expect(label).to_have_attribute("aria-label", "EUR/USD 1.08400, +0.21\u2009%, 1 min old")
    assert await site.run(COLOUR) != up


async def test_the_words_of_a_line_outlive_a_morph(site: Site, known: Known) -> None:
    known(recent=(1.08, 1.082))
    await open_told(site, widgets.sparkline(EURUSD), now="offline")
    known(recent=(1.08, 1.082), close=1.01)
    await morph(site, widgets.sparkline(EURUSD))
    await expect(site.page.get_by_role("img")).to_have_attribute(
        "aria-label", "EUR/USD 1.08412, +0.21\u2009%, offline"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_without_a_script_the_line_stands_in_the_sentence_of_any_page(
    browser: Browser, server: ScriptedServer, known: Known, theme: Literal["light", "dark"]
) -> None:
    known(recent=(1.08, 1.082))
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 400}, color_scheme=theme
    )
    page = await context.new_page()
    line = widgets.sparkline(EURUSD)
    style = ".wide { --fcs-sparkline-width: 400px } html { color-scheme: light dark }"
    server.pages["/site.css"] = style
    server.pages["/"] = (
        f'<!doctype html><html lang="ar" dir="rtl">{widgets.scripts()}'
        f'<link rel="stylesheet" href="/site.css"><p>A {line} B</p><p class="wide">{line}</p>'
    )
    await page.goto(server.url)
    images = page.get_by_role("img", name="EUR/USD 1.08412")
    boxes = [await images.nth(index).bounding_box() for index in range(2)]
    assert [box and (box["width"], box["height"]) for box in boxes] == [
        (72, 20),
        (304, pytest.approx(304 / 72 * 20, abs=0.1)),
    ]
    stroke = await page.locator("[data-part=line]").first.evaluate(
        "(path) => getComputedStyle(path).stroke"
    )
    assert stroke == {"light": "rgb(8, 120, 75)", "dark": "rgb(65, 207, 144)"}[theme]
    await context.close()
