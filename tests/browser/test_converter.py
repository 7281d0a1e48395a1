"""The converter in a browser: what is typed, what the legs bring, and a page without a script."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from django.utils import translation
from playwright.async_api import Browser, Locator, expect

from django_fcs import widgets
from tests.browser.element_page import Site, site, state
from tests.browser.scripted_server import ScriptedServer, price
from tests.widgets.test_amounts import AMOUNTS, NOTATIONS
from tests.widgets.test_converter import PRICES, Market, amounts, market

__all__ = ["market", "site"]

CURRENCIES = "USD GBP JPY CHF TRY"
LEGS = ("FX:EURUSD", "FX:GBPUSD", "FX:USDJPY", "FX:USDCHF", "FX:USDTRY")
MODULE = "/static/django_fcs/fcs-converter.min.js"
MORPH = (Path(__file__).parent / "morph.js").read_text()
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def row(site: Site, code: str) -> Locator:
    return site.find(f"[data-code={code}]")


def result(site: Site, code: str) -> Locator:
    return row(site, code).locator("output")


async def tell(site: Site, seq: int, symbol: str, close: float, now: str = "live") -> None:
    at = time.time() - (240 if now == "stale" else 0)
    await site.send({**price(symbol, c=close), "seq": seq, "at": at}, state(now, symbol))


async def open_page(site: Site, body: str, legs: Sequence[str] = LEGS, **options: Any) -> None:
    await site.open(body, **options)
    await site.joined(*(f"{symbol}_1D" for symbol in legs))
    await site.run("customElements.whenDefined('fcs-converter').then(() => null)")


async def shown(site: Site) -> dict[str, str]:
    return await site.run(
        """Object.fromEntries([...document.querySelectorAll("li:not([hidden])")].map((row) =>
          [row.dataset.code, row.querySelector("output").textContent]))"""
    )


async def test_the_browser_reads_and_converts_every_amount_as_the_server_does(
    site: Site, market: Market
) -> None:
    await open_page(site, widgets.converter(CURRENCIES, amount="12.5"))
    for place, notation in enumerate(NOTATIONS.values(), 1):
        numbers = {"decimal": notation.decimal, "thousand": notation.thousand}
        typed = [amount[0] for amount in AMOUNTS]
        read = await site.run(
            f"import('{MODULE}').then(({{ parse }}) =>"
            f" {json.dumps(typed)}.map((one) => parse(one, {json.dumps(numbers)})))"
        )
        assert read == [amount[place] for amount in AMOUNTS]

    for base in ("EUR", "USD", "JPY"):
        await site.find("select").select_option(base)
        for text in ("0.005", "1.005", "33.335", "1234567.89", "999999999999999", "x"):
            await site.find("input").fill(text)
            html = widgets.converter(CURRENCIES, amount=text, request=Asked(text, base))
            assert await shown(site) == amounts(html), (base, text)


class Asked:
    """A request whose query has an amount and a currency."""

    def __init__(self, amount: str, base: str) -> None:
        self.GET = {"amount": amount, "base": base}


async def test_results_follow_their_legs_and_what_is_typed_at_once(
    site: Site, market: Market
) -> None:
    market("FX:USDCHF", close=None)
    await open_page(site, widgets.converter(CURRENCIES))
    for seq, symbol in enumerate(LEGS[:3], 1):
        await tell(site, seq, symbol, PRICES[symbol])
    await expect(row(site, "USD").locator("time")).to_be_hidden()
    assert await row(site, "USD").locator("[data-part=status]").inner_text() == ""
    await expect(row(site, "CHF")).to_have_text("CHF Swiss franc No data for USD/CHF –")

    await tell(site, 4, "FX:USDCHF", 0.5)
    await expect(result(site, "CHF")).to_have_text("54.21")
    await expect(row(site, "CHF")).to_have_attribute("data-state", "live")
    await tell(site, 5, "FX:EURUSD", 2.0)
    await expect(result(site, "USD")).to_have_text("200.00")
    await expect(result(site, "JPY")).to_have_text("30,841")

    await tell(site, 6, "FX:GBPUSD", 1.25, "stale")
    await expect(row(site, "GBP").locator("[data-part=status]")).to_have_text("4 min old")
    await expect(result(site, "GBP")).to_have_text("160.00")
    await expect(row(site, "USD")).to_have_attribute("data-state", "live")
    await site.find("select").select_option("GBP")
    assert await shown(site) == {
        **{"EUR": "62.50", "USD": "125.00", "JPY": "19,276", "CHF": "62.50", "TRY": "–"}
    }
    stale = site.find("li:not([hidden])[data-state=stale]")
    assert await stale.count() == 4
    await site.send(state("offline", "FX:GBPUSD"))
    await expect(row(site, "USD").locator("time")).to_be_visible()
    await expect(row(site, "USD").locator("[data-part=status]")).to_have_text("offline")
    assert site.peer.joins == [f"{symbol}_1D" for symbol in LEGS]


async def test_a_wrong_amount_is_said_by_the_field_and_moves_nothing(
    site: Site, market: Market
) -> None:
    await open_page(site, widgets.converter(CURRENCIES))
    field = site.find("input")
    top = "document.querySelector('ul').getBoundingClientRect().top"
    before = await site.run(top)
    await field.press_sequentially("x")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(site.find("[data-part=message]")).to_have_text("Enter an amount such as 1,234.50")
    assert set((await shown(site)).values()) == {"–"}
    assert await site.run(top) == before
    await field.fill("1,234.5")
    await expect(field).not_to_have_attribute("aria-invalid", "true")
    await expect(site.find("[data-part=message]")).to_have_text("")
    await expect(result(site, "USD")).to_have_text("1,338.35")


async def test_the_keyboard_alone_is_enough_and_enter_keeps_the_page(
    site: Site, market: Market
) -> None:
    await open_page(site, widgets.converter(CURRENCIES))
    keyboard = site.page.keyboard
    await keyboard.press("Tab")
    await expect(site.find("input")).to_be_focused()
    await keyboard.type("1000")
    await expect(result(site, "USD")).to_have_text("1,084.12")
    await keyboard.press("Enter")
    await keyboard.press("Tab")
    await expect(site.find("select")).to_be_focused()
    await keyboard.type("G")
    await expect(row(site, "GBP")).to_be_hidden()
    await expect(result(site, "EUR")).to_be_visible()
    assert urlsplit(site.page.url).query == ""


async def test_a_morph_and_a_move_keep_what_is_typed_and_the_legs(
    site: Site, market: Market
) -> None:
    site.server.pages["/morph.js"] = MORPH
    html = widgets.converter(CURRENCIES)
    await open_page(site, f"<main>{html}</main><script src='/morph.js'></script>")
    await tell(site, 1, "FX:EURUSD", 2.0)
    await tell(site, 2, "FX:GBPUSD", 1.25, "stale")
    await site.find("input").fill("50")
    await expect(result(site, "GBP")).to_have_text("80.00")
    await expect(row(site, "GBP").locator("[data-part=status]")).to_have_text("4 min old")

    await site.run(f"morph(document.querySelector('main'), {json.dumps(html)})")
    await site.run(FRAMES)
    await expect(result(site, "GBP")).to_have_text("80.00")
    await expect(row(site, "GBP").locator("[data-part=status]")).to_have_text("4 min old")
    await site.run("document.body.append(document.querySelector('fcs-converter'))")
    await tell(site, 3, "FX:EURUSD", 4.0)
    await expect(result(site, "USD")).to_have_text("200.00")
    assert site.peer.joins == [f"{symbol}_1D" for symbol in LEGS]
    await site.run("document.querySelector('fcs-converter').remove()")
    await site.run(FRAMES)
    await site.run(f"document.querySelector('main').innerHTML = {json.dumps(html)}")
    await tell(site, 4, "FX:EURUSD", 8.0)
    await expect(result(site, "USD")).to_have_text("800.00")


async def test_a_morph_to_other_currencies_converts_at_their_prices(
    site: Site, market: Market
) -> None:
    site.server.pages["/morph.js"] = MORPH
    now, then = (widgets.converter(f"USD {other} JPY", base="USD") for other in ("GBP", "CHF"))
    body = f"<main>{now}</main><script src='/morph.js'></script>"
    await open_page(site, body, legs=["FX:GBPUSD", "FX:USDJPY"])
    await tell(site, 1, "FX:GBPUSD", 2.0)
    await expect(result(site, "GBP")).to_have_text("50.00")
    await site.find("input").fill("200")

    await site.run(f"morph(document.querySelector('main'), {json.dumps(then)})")
    await site.run(FRAMES)
    await expect(result(site, "CHF")).to_have_text(f"{200 * PRICES['FX:USDCHF']:.2f}")
    await tell(site, 2, "FX:USDCHF", 0.5)
    await expect(result(site, "CHF")).to_have_text("100.00")
    await expect(result(site, "JPY")).to_have_text(f"{200 * PRICES['FX:USDJPY']:,.0f}")


async def test_the_page_may_reset_what_the_visitor_has_typed(site: Site, market: Market) -> None:
    await open_page(site, widgets.converter("USD GBP", base="USD"), legs=["FX:GBPUSD"])
    await site.find("input").fill("250")
    await site.run("document.querySelector('form').reset()")
    await tell(site, 1, "FX:GBPUSD", 2.0)
    await expect(result(site, "GBP")).to_have_text("50.00")
    await expect(site.find("input")).to_have_value("100")


async def test_without_a_script_the_form_asks_the_server(
    browser: Browser, server: ScriptedServer, market: Market
) -> None:
    with translation.override("de"):
        html = widgets.converter("USD GBP", request=Asked("12,5", "EUR"))
    assert amounts(html) == {"USD": "13,55", "GBP": "10,70"}
    server.pages["/"] = f"<!doctype html><title>Prices</title>{widgets.scripts()}{html}"
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{server.url}?other=1")
    await expect(page.locator("li:visible")).to_have_count(2)
    await expect(page.locator("time:visible")).to_have_count(2)
    await page.locator("input").fill("7,5")
    await page.locator("select").select_option("GBP")
    await page.locator("button").click()
    assert parse_qs(urlsplit(page.url).query) == {"amount": ["7,5"], "base": ["GBP"]}
    await context.close()


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ar", "dark")])
async def test_a_narrow_page_in_either_direction_and_theme_holds_it(
    site: Site, market: Market, language: str, theme: str
) -> None:
    market("FX:USDJPY", close=154.2)
    ground, ink = {"light": ("#fbfbfa", "#16181d"), "dark": ("#101216", "#e8eaee")}[theme]
    style = f"body {{ background: {ground}; color: {ink}; margin: 8px; font: 15px sans-serif }}"
    await site.page.set_viewport_size({"width": 320, "height": 800})
    with translation.override(language):
        html = widgets.converter(CURRENCIES, amount="999999999999999")
        wrong = widgets.converter("USD", amount="x", prefix="b")
    direction = "rtl" if language == "ar" else "ltr"
    attributes = f'lang="{language}" dir="{direction}" data-theme="{theme}"'
    body = f"<title>Prices</title><main><h1>Prices</h1>{html}{wrong}</main>"
    await open_page(site, body, html=attributes, style=style)
    await tell(site, 1, "FX:EURUSD", 1.08412)
    await tell(site, 2, "FX:GBPUSD", 1.2669, "stale")
    await tell(site, 3, "FX:USDJPY", 154.207, "offline")
    await tell(site, 4, "FX:USDCHF", 0.9, "closed")
    await expect(row(site, "CHF")).to_have_attribute("data-state", "closed")
    await site.run(FRAMES)
    assert await site.run("document.documentElement.scrollWidth") <= 320
    for width in (240, 280):
        await site.page.set_viewport_size({"width": width, "height": 800})
        assert await site.run("document.documentElement.scrollWidth") <= width
    results = await Axe().run(site.page)
    assert results.violations_count == 0, results.generate_report()
