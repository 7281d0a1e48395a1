"""What a card and a tag do in a browser: links, units, the bar of the day, their own room."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from django.utils import translation
from playwright.async_api import expect

from django_fcs import widgets
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from tests.browser.element_page import BTC, EURUSD, STATUS, TICKER, Site, euro, site, state
from tests.browser.scripted_server import price
from tests.test_languages import LANGUAGES
from tests.widgets.test_html import Known, a_quote, known

__all__ = ["known", "site"]

TAG = f'<fcs-tag symbol="{EURUSD}"></fcs-tag>'
GOLD, YEN = "FX:XAUUSD", "FX:USDJPY"
PRICES: dict[str, dict[str, Any]] = {
    EURUSD: {"c": 1.08412, "o": 1.08181, "h": 1.08455, "l": 1.08102, "digits": 5},
    YEN: {"c": 154.207, "o": 154.331, "h": 154.622, "l": 153.981, "digits": 3},
    GOLD: {"c": 4071.35, "o": 4065.1, "h": 4080.25, "l": 4051.4, "digits": 2},
    BTC: {"c": 89962.61, "o": 91083.01, "h": 91590.23, "l": 87900.0, "digits": 2},
}
#: All that moved since the page began to load, as browsers measure it.
SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) sum += value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum), 50)));
})"""


async def tell(site: Site, *symbols: str, now: str = "live") -> None:
    """Send each room a price and a state, and wait until the page shows them."""
    for symbol in symbols:
        change: dict[str, Any] = {"ch": 0.231, "chp": 0.21}
        await site.send({**price(symbol, **PRICES[symbol], **change), "seq": 1, "at": time.time()})
        await site.send(state(now, symbol))
    for symbol in symbols:
        widget = site.find(f'[symbol="{symbol}"]').last
        await expect(widget).to_have_attribute("data-state", now)
    await site.run("new Promise(requestAnimationFrame)")


# Links and units


async def test_a_link_follows_the_symbol_and_ends_with_its_address(
    site: Site, known: Known
) -> None:
    await site.open(widgets.tag(EURUSD, href="/m/{symbol}/"))
    link = site.find("[data-part=link]")
    await expect(link).to_have_attribute("href", "/m/FX%3AEURUSD/")
    await site.run("change(document.querySelector('fcs-tag'), 'FX:USDJPY', '1D')")
    await expect(link).to_have_attribute("href", "/m/FX%3AUSDJPY/")
    await expect(link).to_have_text("USD/JPY")
    for nothing in ("javascript:alert(1)", " data:text/html,x", ""):
        await site.run(f"document.querySelector('fcs-tag').setAttribute('href', '{nothing}')")
        await expect(link).not_to_have_attribute("href", "/m/FX%3AUSDJPY/")
        assert await link.get_attribute("href") is None
        await site.run("document.querySelector('fcs-tag').setAttribute('href', '/m/{symbol}/')")
        await expect(link).to_have_attribute("href", "/m/FX%3AUSDJPY/")


@pytest.mark.parametrize("tag", ["fcs-ticker", "fcs-tag"])
async def test_a_widget_that_the_page_writes_can_be_a_link_as_a_whole(site: Site, tag: str) -> None:
    site.server.pages["/m/FX%3AEURUSD/"] = "<title>there</title>"
    await site.open(f'<{tag} symbol="{EURUSD}" href="/m/{{symbol}}/"></{tag}>')
    await site.joined("FX:EURUSD_1D")
    await tell(site, EURUSD)
    await site.page.keyboard.press("Tab")
    outline = f"getComputedStyle(document.querySelector('{tag}')).outlineWidth"
    assert await site.run(outline) == "2px"
    await site.field("close").click(force=True, position={"x": 4, "y": 4})
    await expect(site.page).to_have_title("there")


async def test_a_unit_changes_without_a_new_element(site: Site, known: Known) -> None:
    await site.open(widgets.ticker(EURUSD) + f'<fcs-ticker symbol="{BTC}"></fcs-ticker>')
    unit = site.find("[data-part=unit]")
    await expect(unit).to_have_text(["USD", "USDT"])
    await site.run("""document.querySelectorAll("fcs-ticker").forEach((ticker) =>
      ticker.setAttribute("unit", "dollars"))""")
    await expect(unit).to_have_text(["dollars", "dollars"])


# The bar of the day


async def test_the_bar_moves_with_the_price_and_hides_what_is_not_known(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    dot = site.find("[data-part=day] circle")
    await expect(dot).not_to_have_attribute("cx", re.compile(""))
    for seq, (close, place) in enumerate([(1.5, "50.0%"), (1.0, "0.0%"), (3.0, "100.0%")], 1):
        await site.send(euro(seq, l=1.0, h=2.0, c=close))
        await expect(dot).to_have_attribute("cx", place)
    await site.send(euro(4, l=1.0, h=1.0, c=1.0))
    await expect(dot).not_to_have_attribute("cx", re.compile(""))
    await site.send(euro(5, l=None))
    await expect(site.field("low")).to_have_text("–")
    await expect(dot).not_to_have_attribute("cx", re.compile(""))


# Words


async def test_a_tag_that_is_stale_has_its_age_in_place_of_the_change(site: Site) -> None:
    await site.open(TAG)
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))
    await expect(site.field("change_percent")).to_be_visible()
    await expect(site.find("fcs-tag")).to_have_attribute("title", "EUR/USD, live")
    await expect(site.find(STATUS)).to_have_text("")
    await site.send(euro(2, c=1.5, age=180), state("stale"))
    await expect(site.find(STATUS)).to_have_text("3 min old")
    await expect(site.field("change_percent")).to_be_hidden()


# Room


async def test_zeros_hold_the_room_unseen_and_uncopied(site: Site, known: Known) -> None:
    known(None)
    await site.open(f"<p>{widgets.price(YEN)}</p>", style="fcs-price { font: 20px monospace }")
    shown = site.find("[data-shape]")
    await expect(shown).to_have_text("–")
    width = "document.querySelector('[data-field]').getBoundingClientRect().width"
    before = await site.run(width)
    assert await site.run(
        "getSelection().selectAllChildren(document.body), `${getSelection()}`"
    ) == ("–")
    await site.joined(f"{YEN}_1D")
    await tell(site, YEN)
    assert await site.find("[data-shape]").count() == 0
    assert await site.run(width) == pytest.approx(before, abs=0.5)


def a_page(language: str) -> str:
    """Prices in sentences and cards, above a text that they could move."""
    with translation.override(language.replace("_", "-").lower()):
        cards = "".join(f"<div>{widgets.ticker(symbol)}</div>" for symbol in PRICES)
        small = "".join(
            f"<div>{widgets.ticker(symbol, item_size='compact')}</div>" for symbol in PRICES
        )
        tags = ", ".join(widgets.tag(symbol, sparkline=True) for symbol in PRICES)
        prices = ", ".join(widgets.price(symbol) for symbol in PRICES)
        return f"<p>{prices} – {tags}.</p><main>{cards}{small}</main><p>The rest of the page.</p>"


GRID = """body { margin: 0; padding: 8px; font-family: sans-serif }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 256px), 1fr));
  gap: 8px }"""


async def shift(site: Site, language: str, width: int, size: int = 16) -> float:
    direction = "rtl" if language == "ar" else "ltr"
    await site.page.set_viewport_size({"width": width, "height": 800})
    site.server.peers.clear()
    html = f'lang="{language.replace("_", "-")}" dir="{direction}"'
    await site.open(a_page(language), html=html, style=f"{GRID} html {{ font-size: {size}px }}")
    await site.joined(*(f"{symbol}_1D" for symbol in PRICES))
    await site.run("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
    await tell(site, *PRICES)
    moved: float = await site.run(SHIFT)
    return moved


@pytest.mark.parametrize("is_warm", [True, False])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_first_price_moves_nothing_on_the_page(
    site: Site, monkeypatch: pytest.MonkeyPatch, language: str, is_warm: bool
) -> None:
    def quote_to_show(room: Room) -> Quote | None:
        values = PRICES[room.symbol]
        names = {"close": "c", "open": "o", "high": "h", "low": "l", "digits": "digits"}
        shown = {name: values[key] for name, key in names.items()}
        moment = datetime.now(timezone.utc)
        moved: dict[str, Any] = {"change": 0.231, "change_percent": 0.21}
        return a_quote(room.symbol, updated=moment, **moved, **shown) if is_warm else None

    monkeypatch.setattr("django_fcs.quotes.quote_to_show", quote_to_show)
    moved = {width: await shift(site, language, width) for width in (320, 768, 1440)}
    assert all(value < 0.001 for value in moved.values()), moved


async def test_nothing_moves_on_a_small_page_with_large_type_in_any_language(
    site: Site, known: Known
) -> None:
    known(None)
    moved = {name: await shift(site, name, 280, 32) for name in ("en", *sorted(LANGUAGES))}
    assert all(value < 0.001 for value in moved.values()), moved


# Privacy


async def test_a_page_asks_no_other_host_and_keeps_nothing_in_the_browser(
    site: Site, known: Known
) -> None:
    asked: list[str] = []
    site.page.on("request", lambda request: asked.append(request.url))
    site.page.on("websocket", lambda socket: asked.append(socket.url))
    await site.open(a_page("en"))
    await site.joined(*(f"{symbol}_1D" for symbol in PRICES))
    await tell(site, *PRICES)
    assert len(asked) >= 6
    assert {url.split("/")[2] for url in asked} == {site.server.host}
    assert await site.page.context.cookies() == []
    assert await site.run("[localStorage.length, sessionStorage.length]") == [0, 0]


# Accessibility


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_state_and_palette(
    site: Site, known: Known, theme: str
) -> None:
    known(None)
    sections = ""
    for palette in ("", "red-up", "colour-blind"):
        widgets_of = "".join(
            widgets.ticker(EURUSD, frame, href="/m/")
            + widgets.tag(EURUSD, frame)
            + widgets.price(EURUSD, frame, field="change")
            + widgets.ticker(EURUSD, frame, item_size="compact")
            for frame in ("1D", "60", "30", "15", "5")
        )
        sections += f'<section data-palette="{palette}"><h2>Prices</h2>{widgets_of}</section>'
    ground, ink = {"light": ("#fbfbfa", "#16181d"), "dark": ("#101216", "#e8eaee")}[theme]
    style = f"body {{ background: {ground}; color: {ink} }}"
    body = f"<title>Prices</title><main><h1>Prices</h1>{sections}{widgets.status()}</main>"
    await site.open(body, html=f'lang="en" data-theme="{theme}"', style=style)
    frames = ("1D", "60", "30", "15", "5")
    await site.joined(*(f"{EURUSD}_{frame}" for frame in frames))
    for frame, one in zip(frames, State, strict=True):
        change = -0.002 if frame == "60" else 0.002
        await site.send(euro(1, timeframe=frame, ch=change), state(one.value, timeframe=frame))
        await expect(site.find(f'fcs-ticker[timeframe="{frame}"]').last).to_have_attribute(
            "data-state", one.value
        )
    await site.run("new Promise(requestAnimationFrame)")
    results = await Axe().run(site.page)
    assert results.violations_count == 0, results.generate_report()


RENDERED = '<b data-field="close">–</b> <span data-field="updated">–</span>'
STOCK = f'<fcs-ticker symbol="NASDAQ:AAPL" data-zone="America/New_York">{RENDERED}</fcs-ticker>'


async def test_the_title_of_a_time_is_the_time_at_the_exchange(site: Site) -> None:
    await site.open(f"{STOCK}{TICKER}")
    await site.joined("NASDAQ:AAPL_1D", f"{EURUSD}_1D")
    message = {**price("NASDAQ:AAPL", c=1.5, update=1767627005), "seq": 1}
    await site.send(message, state("live", "NASDAQ:AAPL"), euro(1), state("live"))
    first, last = site.field("updated").first, site.field("updated").last
    await expect(first).to_have_attribute("title", re.compile(r"10:30:05.* (EST|GMT-5)$"))
    await expect(last).to_have_attribute("datetime", re.compile("Z$"))
    assert await last.get_attribute("title") is None

    await site.run("document.querySelector('fcs-ticker').symbol = 'BINANCE:BTCUSDT'")
    await expect(site.find("[data-zone]")).to_have_count(0)
    assert await first.get_attribute("title") is None
