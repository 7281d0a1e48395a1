"""What a watch list does in a browser: live rows, order, filter, steps, rows of scripts."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from django_fcs import widgets
from django_fcs.prices.states import State
from tests.browser.element_page import Site, site, state
from tests.browser.scripted_server import ScriptedServer, price
from tests.browser.test_cards import SHIFT
from tests.support.waiting import eventually
from tests.widgets.test_html import Known, known

__all__ = ["known", "site"]

EUR, GBP, YEN = "FX:EURUSD", "FX:GBPUSD", "FX:USDJPY"
BTC, APPLE = "BINANCE:BTCUSDT", "NASDAQ:AAPL"
GROUPS = [("Forex", [EUR, GBP, YEN]), ("Nasdaq", [APPLE])]
ROOMS = [f"{symbol}_1D" for symbol in (EUR, GBP, YEN, APPLE)]
CLOSES = {EUR: 1.08412, GBP: 1.2669, YEN: 154.207, APPLE: 1271.49, BTC: 89962.61}
CHANGES = {EUR: 0.21, GBP: -0.58, YEN: -0.08, APPLE: 1.97, BTC: -1.23}
ROW = "fcs-table tr[data-symbol]"


def told(symbol: str, seq: int = 1, now: str = "live", **changes: Any) -> list[dict[str, Any]]:
    age = 180 if now == "stale" else 0
    digits = {YEN: 3, APPLE: 2, BTC: 2}.get(symbol, 5)
    values = {"c": CLOSES[symbol], "ch": CHANGES[symbol] / 100, "chp": CHANGES[symbol]}
    message = price(symbol, "1D", **{**values, "digits": digits, **changes})
    return [{**message, "seq": seq, "at": time.time() - age}, state(now, symbol)]


async def shown(site: Site) -> list[str]:
    """The symbols of the rows that a visitor sees, in order."""
    script = f"""[...document.querySelectorAll("{ROW}")].filter((row) => row.checkVisibility())
      .map((row) => row.dataset.symbol)"""
    symbols: list[str] = await site.run(script)
    return symbols


async def start(site: Site, *, html: str = 'lang="en"', style: str = "", **options: Any) -> None:
    await site.open(
        f"<title>Prices</title><main><h1>Prices</h1>{widgets.table(GROUPS, **options)}</main>",
        html=html,
        style=f"body {{ margin: 0; font: 15px sans-serif }} {style}",
    )
    await site.joined(*ROOMS)
    for symbol in (EUR, GBP, YEN, APPLE):
        await site.send(*told(symbol))
    await expect(site.find(f"{ROW}[data-state=live]")).to_have_count(4)
    await expect(site.find(f'[data-symbol="{YEN}"] [data-field=close]')).to_have_text("154.207")
    await site.run("new Promise(requestAnimationFrame)")


async def test_rows_are_live_and_nothing_moves(site: Site, known: Known) -> None:
    known(None)
    await start(site, filter=True)

    assert await site.run(SHIFT) == 0
    row = site.find(f'[data-symbol="{GBP}"]')
    await expect(row).to_have_attribute("data-direction", "down")
    await expect(row.locator("[data-field=change_percent]")).to_have_text("−0.58\u2009%")
    await expect(site.find("[data-part=market]").first).to_have_text("open")
    await site.send(*told(GBP, 2, "stale"))
    await expect(row.locator("[data-part=status]")).to_have_text("3 min old")
    await site.send(*told(APPLE, 2, "closed"))
    await expect(site.find("[data-part=market]").last).to_have_text("closed")
    await expect(site.find("tbody").last).to_have_attribute("data-state", "closed")
    await expect(site.find(f'[data-symbol="{APPLE}"] [data-part=status]')).to_be_hidden()


async def test_thumbs_find_the_heads(site: Site, known: Known) -> None:
    touch = await site.page.context.new_cdp_session(site.page)
    await touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    await start(site)

    sizes = await site.run("""[...document.querySelectorAll("thead button")].map((button) => {
      const { width, height } = button.getBoundingClientRect();
      return Math.min(width, height);
    })""")
    assert len(sizes) == 4 and min(sizes) >= 44


async def test_a_click_sorts_and_new_prices_do_not(site: Site, known: Known) -> None:
    await start(site, sort="symbol")
    percent = site.find("th[data-column=change_percent]")

    assert await shown(site) == [EUR, GBP, YEN, APPLE]
    await percent.get_by_role("button").click()
    await expect(percent).to_have_attribute("aria-sort", "descending")
    assert await site.find("th[aria-sort]").count() == 1
    assert await shown(site) == [EUR, YEN, GBP, APPLE]
    await site.send(*told(GBP, 2, chp=5.0))
    await expect(site.find(f'[data-symbol="{GBP}"] [data-field=change_percent]')).to_have_text(
        "+5.00\u2009%"
    )
    assert await shown(site) == [EUR, YEN, GBP, APPLE]
    await percent.get_by_role("button").click()
    assert await shown(site) == [YEN, EUR, GBP, APPLE]
    await site.find("th[data-column=symbol] button").click()
    assert await shown(site) == [EUR, GBP, YEN, APPLE]
    assert site.peer.joins == ROOMS  # a row that moves keeps its room


async def test_typing_filters_and_a_morph_takes_nothing_away(site: Site, known: Known) -> None:
    await start(site, filter=True)
    field = site.find("input[type=search]")

    await field.fill("british")
    assert await shown(site) == [GBP]
    await expect(site.find("tbody").last).to_be_hidden()
    await field.fill("<b>x")
    await expect(site.find("[data-part=nothing]")).to_have_text("Nothing called <b>x here")
    await field.fill("usd")
    await site.find("th[data-column=close] button").click()
    assert await shown(site) == [YEN, GBP, EUR]

    await site.page.evaluate(
        "(html) => { document.querySelector('main').innerHTML = html }",
        str(widgets.table([("Forex", [EUR, YEN])], filter=True)),
    )
    await expect(site.find(ROW)).to_have_count(2)
    await site.find("th[data-column=close] button").click()
    await site.run("""document.querySelectorAll("thead th").forEach((head) => {
      head.textContent = head.textContent; head.removeAttribute("aria-sort") })""")
    await expect(site.find("th[data-column=close]")).to_have_attribute("aria-sort", "descending")
    await expect(site.find("th button")).to_have_count(4)
    assert await shown(site) == [YEN, EUR]


async def test_a_step_stands_for_a_second_in_pips_if_it_has_room(site: Site, known: Known) -> None:
    await start(site)
    euro = site.find(f'[data-symbol="{EUR}"] [data-field=close]')
    apple = site.find(f'[data-symbol="{APPLE}"] [data-field=close]')

    await site.send(*told(EUR, 2, c=1.08416), *told(APPLE, 2, c=1271.45))
    await expect(euro).to_have_attribute("data-step", "+0.4")
    await expect(apple).to_have_attribute("data-step", "−0.04")
    await site.send(*told(APPLE, 3, c=1371.45))
    await expect(apple).to_have_text("1,371.45")
    await expect(apple).not_to_have_attribute("data-step", re.compile(""))
    await expect(euro).not_to_have_attribute("data-step", re.compile(""))
    await site.page.emulate_media(reduced_motion="reduce")
    await site.send(*told(EUR, 3, c=1.0842))
    await expect(euro).to_have_text("1.08420")
    await expect(euro).not_to_have_attribute("data-step", re.compile(""))


async def test_rows_are_added_and_removed_by_script(site: Site, known: Known) -> None:
    await start(site, columns="sparkline close updated change", href="/m/{symbol}/")
    await site.run(f"""{{
      const row = document.createElement("tr");
      row.dataset.symbol = "{BTC}";
      document.querySelector("tbody").append(row);
    }}""")
    await site.joined(*ROOMS, f"{BTC}_1D")
    row = site.find(f'[data-symbol="{BTC}"]')
    await site.send(*told(BTC))
    await expect(row.locator("[data-field=close]")).to_have_text("89,962.61")
    await expect(row.locator("th a")).to_have_attribute("href", "/m/BINANCE%3ABTCUSDT/")
    await expect(row.locator("td")).to_have_count(4)
    await expect(row.locator("td time")).to_have_count(1)
    await site.run(f"document.querySelector('[data-symbol=\"{EUR}\"]').remove()")
    await site.run(f"""{{
      const table = document.createElement("table");
      document.body.append(table);
      table.append(document.querySelector('[data-symbol="{GBP}"]'));
    }}""")
    await eventually(lambda: len(site.peer.of_type("leave_symbol")) == 2)  # elsewhere on the page
    await site.run("document.querySelector('fcs-table').remove()")
    for _ in range(100):
        if len(site.peer.of_type("leave_symbol")) == 5:
            break
        await site.run("new Promise((done) => setTimeout(done, 20))")
    assert len(site.peer.of_type("leave_symbol")) == 5


async def test_rows_beyond_the_limit_are_named_once(site: Site, known: Known) -> None:
    await start(site)
    await site.run("""{
      const body = document.querySelector("tbody");
      for (let count = 0; count < 500; count += 1) {
        const row = document.createElement("tr");
        row.dataset.symbol = "FX:EURUSD";
        body.append(row);
      }
    }""")
    await expect(site.find("tr:not([data-state])[data-symbol]")).to_have_count(4)
    await expect(site.find(f'[data-symbol="{APPLE}"]')).to_have_attribute("data-state", "live")
    await site.run("document.querySelector('tbody').append(document.createElement('tr'))")
    assert site.problems == ["fcs-table.js: only the first 500 rows are live"]
    site.problems.clear()


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_columns_go_by_the_width_of_the_table(
    site: Site, known: Known, direction: str
) -> None:
    await site.page.set_viewport_size({"width": 320, "height": 700})
    await start(site, html=f'lang="en" dir="{direction}"', filter=True)
    heads = site.find("thead th")

    await expect(heads.filter(visible=True)).to_have_text(["Instrument", "Last", "%"])
    assert await site.run("document.documentElement.scrollWidth") == 320
    edges = """(selector) => {
      const { left, right } = document.querySelector(selector).getBoundingClientRect();
      return [left, right];
    }"""
    for column in ("close", "change_percent"):
        head = await site.page.evaluate(edges, f"th[data-column={column}]")
        assert await site.page.evaluate(edges, f"td[data-field={column}]") == pytest.approx(head)
    await site.page.set_viewport_size({"width": 400, "height": 700})
    await expect(heads.filter(visible=True)).to_have_count(4)
    await site.page.set_viewport_size({"width": 500, "height": 700})
    await expect(heads.filter(visible=True)).to_have_count(5)


async def test_a_table_is_used_with_the_keyboard_alone(site: Site, known: Known) -> None:
    site.server.pages["/m/FX%3AEURUSD/"] = "<title>there</title>"
    await start(site, columns="close", filter=True, href="/m/{symbol}/")
    press = site.page.keyboard.press

    await press("Tab")
    await site.page.keyboard.type("eur")
    assert await shown(site) == [EUR]
    await press("Tab")
    await press("Enter")
    await expect(site.find("th[data-column=symbol]")).to_have_attribute("aria-sort", "ascending")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert await site.run(outline) == "solid"
    await press("Tab")
    await press("Tab")
    await press("Enter")
    await expect(site.page).to_have_title("there")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_and_screen_readers_find_a_table(site: Site, known: Known, theme: str) -> None:
    ground, ink = {"light": ("#fbfbfa", "#16181d"), "dark": ("#101216", "#e8eaee")}[theme]
    style = f"body {{ background: {ground}; color: {ink}; --fcs-ground: {ground} }}"
    await start(site, html=f'lang="en" data-theme="{theme}"', style=style, filter=True, href="/m/")
    for symbol, now in ((EUR, "stale"), (GBP, "offline"), (APPLE, "closed")):
        await site.send(*told(symbol, 2, now))
        await expect(site.find(f'[data-symbol="{symbol}"]')).to_have_attribute("data-state", now)
    await site.run("new Promise(requestAnimationFrame)")

    results = await Axe().run(site.page)
    assert results.violations_count == 0, results.generate_report()
    table = site.page.get_by_role("table", name="Watch list")
    await expect(table.get_by_role("columnheader", name="Change in %")).to_be_visible()
    await expect(table.get_by_role("row", name=re.compile("EUR.USD.*3 min old"))).to_be_visible()


async def test_without_javascript_the_table_is_complete(
    browser: Browser, server: ScriptedServer, known: Known
) -> None:
    known(state=State.STALE)
    table = widgets.table(GROUPS, filter=True, sort="symbol")
    server.pages["/"] = f'<!doctype html><html lang="en">{widgets.scripts()}<body>{table}'
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(server.url)

    await expect(page.locator("[data-part=tools]")).to_be_hidden()
    await expect(page.locator(ROW)).to_have_count(4)
    await expect(page.locator(f"{ROW} [data-field=close]").first).to_have_text("1.08412")
    await expect(page.locator(f"{ROW} [data-part=status]").first).to_be_visible()
    await expect(page.locator("th[aria-sort=ascending]")).to_have_text("Instrument")
    await context.close()
