"""The family on pages of htmx, Idiomorph, Turbo and React, with the packages that sites use."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from django_fcs import widgets
from tests.browser.element_page import Site, site, state
from tests.browser.scripted_server import Peer, price
from tests.support.waiting import eventually
from tests.widgets.test_converter import Market, market

__all__ = ["market", "site"]

FRAMEWORKS = Path(__file__).parents[2] / "build" / "frameworks"
FILES = {
    "/bootstrap.css": "node_modules/bootstrap/dist/css/bootstrap.min.css",
    "/htmx-2.js": "node_modules/htmx2/dist/htmx.min.js",
    "/htmx-4.js": "node_modules/htmx.org/dist/htmx.min.js",
    "/idiomorph.js": "node_modules/idiomorph/dist/idiomorph-ext.min.js",
    "/react.js": "made/react.js",
    "/tailwind.css": "made/tailwind.css",
    "/turbo.js": "node_modules/@hotwired/turbo/dist/turbo.es2017-umd.js",
}
EUR, GBP, YEN, CHF = "FX:EURUSD", "FX:GBPUSD", "FX:USDJPY", "FX:USDCHF"
CHANGES = {EUR: 0.21, GBP: -0.58, YEN: 1.25, CHF: -0.08}
#: Styles that a framework adds by itself are not in the page's policy.
HTMX = '<meta name="htmx-config" content=\'{"includeIndicatorStyles": false}\'>'
TURBO = """<meta name="csp-nonce" content="bar">
<meta name="turbo-refresh-method" content="morph">"""
TURBO_POLICY = "default-src 'self'; style-src 'self' 'nonce-bar'"
LISTEN = """globalThis.heard = [];
document.addEventListener("fcs:price", ({ target }) => heard.push(target));"""
#: Whether each widget, row, tile and leg has heard of the newest price once, and shows it.
IS_LIVE = """(price) => {
  const hosts = [...document.querySelectorAll("[symbol], [data-symbol]")];
  const shown = [...document.querySelectorAll("main [data-field=close]")]
    .filter((field) => field.closest("[symbol], [data-symbol]"))
    .filter((field) => !field.closest("fcs-tape, [hidden]"));
  return heard.length === hosts.length && hosts.every((host) => heard.includes(host))
    && shown.length && shown.every((field) => field.textContent === price);
}"""
ROOMS = """() => [...new Set([...document.querySelectorAll("[symbol], [data-symbol]")]
  .map((host) => host.dataset.symbol ?? host.getAttribute("symbol")))].sort()"""
#: What a visitor has set, and what the lists show.
STATE = """() => {
  const all = (selector, of) => [...document.querySelectorAll(selector)].map(of);
  const value = (selector) => document.querySelector(selector).value;
  return {
    order: all("fcs-table tr[data-symbol]", (row) => row.dataset.symbol),
    found: all("fcs-table tr[data-symbol]:not([hidden])", (row) => row.dataset.symbol),
    filter: value("fcs-table input"),
    sorted: all("th[aria-sort]", (head) => `${head.dataset.column} ${head.ariaSort}`),
    buttons: all("fcs-table th button, fcs-table input", (one) => one.localName).length,
    paused: all("[data-part=pause]", (button) => button.ariaPressed),
    amount: `${value("[name=amount]")} ${value("[name=base]")}`,
    dollars: document.querySelector("[data-code=USD] output").textContent,
    movers: all("[data-side] li", (row) => row.dataset.symbol ?? ""),
    note: document.querySelector("[data-part=note]").textContent,
    status: document.querySelector("fcs-status").innerText.trim(),
  };
}"""
SET = {
    **{"order": [YEN, EUR, GBP], "found": [YEN], "filter": "yen", "buttons": 5},
    **{"sorted": ["change_percent descending"], "paused": ["true"], "amount": "250 GBP"},
    **{"dollars": "375.00", "movers": [YEN, EUR, GBP, ""], "note": "of 3", "status": "live"},
}
FOCUSED = """() => {
  const { activeElement: it } = document;
  return it.dataset.part ?? it.closest("th")?.dataset.column ?? it.type ?? it.localName;
}"""


def family(*, tape: bool = True, href: str | None = None) -> str:
    """All widgets, with what the server knows now."""
    symbols = [EUR, GBP, YEN]
    card, tag = widgets.ticker(EUR, href=href), widgets.tag(GBP, href=href)
    return "\n".join(
        [
            widgets.status(),
            widgets.tape([*symbols, CHF] * 3, href=href) if tape else "",
            widgets.table([("Forex", symbols)], filter=True, sort="symbol", href=href),
            f"<div>{card} {widgets.spread(YEN, href=href)}</div>",
            f"<div>{tag} {widgets.price(EUR)} {widgets.sparkline(YEN)}</div>",
            widgets.heatmap(symbols, href=href),
            widgets.movers(symbols, count=2, href=href),
            widgets.converter("USD GBP JPY"),
        ]
    )


def held(peer: Peer) -> list[str]:
    """The symbols that the page has joined and not left."""
    rooms: list[str] = []
    for message in peer.received:
        if message["type"] == "join_symbol":
            rooms.append(message["symbol"])
        if message["type"] == "leave_symbol":
            rooms.remove(message["symbol"])
    return sorted(rooms)


class Family:
    """A page with all widgets and a framework."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def open(self, body: str, *scripts: str, head: str = "", style: str = "") -> None:
        tags = "".join(f'<script defer src="/{name}.js"></script>' for name in scripts)
        await self.site.page.add_init_script(LISTEN)
        await self.site.page.set_viewport_size({"width": 1280, "height": 1200})
        await self.site.open(body, scripts=widgets.scripts() + head + tags, style=style)
        await self.is_live(1, 1.5)

    async def is_live(self, seq: int, close: float) -> None:
        """Send prices, and wait until everything on the page shows them."""
        site = self.site
        wanted = await site.run(ROOMS)
        await eventually(lambda: site.server.peers and held(site.peer) == wanted)
        await site.run("void (heard.length = 0)")
        for symbol, percent in CHANGES.items():
            sent = price(symbol, c=close, ch=percent / 100, chp=percent, digits=5)
            sent |= {"seq": seq, "at": time.time()}
            await site.send(sent, state("live", symbol))
        await site.page.wait_for_function(IS_LIVE, arg=f"{close:.5f}")

    async def set_up(self) -> None:
        """Do what a visitor does with the widgets."""
        find = self.site.find
        await find("th[data-column=change_percent] button").click()
        await find("fcs-table input").fill("yen")
        await find("[data-part=pause]").click()
        await find("[name=base]").select_option("GBP")
        await find("[name=amount]").fill("250")
        await self.shows(SET)

    async def shows(self, expected: dict[str, object]) -> None:
        async def does() -> bool:
            self.seen = await self.site.run(STATE)
            return bool(self.seen == expected)

        try:
            await eventually(does)
        finally:
            assert self.seen == expected


def built(file: str) -> str:
    """Return a file that ``scripts/frameworks`` has installed; without it, the test cannot run."""
    path = FRAMEWORKS / file
    if not path.exists():
        is_required = os.environ.get("FCS_REQUIRE_FRAMEWORKS") == "1"
        (pytest.fail if is_required else pytest.skip)(f"run `sh scripts/frameworks`: no {file}")
    return path.read_text()


@pytest.fixture
def page_with(site: Site, market: Market) -> Family:
    """The frameworks, on the scripted server; each price of this one is older than the page's."""
    site.server.pages |= {address: built(file) for address, file in FILES.items()}
    market(CHF, close=0.88)
    return Family(site)


@pytest.mark.parametrize("version", ["htmx-2", "htmx-4"])
async def test_a_swap_of_htmx_leaves_rooms_and_joins_them(page_with: Family, version: str) -> None:
    site = page_with.site
    site.server.pages["/next/"] = family(tape=False)
    site.server.pages["/nothing/"] = "<p>Nothing</p>"
    buttons = "".join(
        f'<button hx-get="/{name}/" hx-target="main" hx-swap="innerHTML">{name}</button>'
        for name in ("next", "nothing")
    )
    await page_with.open(f"{buttons}<main>{family()}</main>", version, head=HTMX)
    await site.find("body > button").first.click()
    await expect(site.find("fcs-tape")).to_have_count(0)
    await page_with.is_live(2, 1.6)
    assert CHF not in held(site.peer)
    await site.find("body > button").last.click()
    await eventually(lambda: held(site.peer) == [])


@pytest.mark.parametrize(
    ("scripts", "swap"),
    [(["htmx-2", "idiomorph"], "morph:innerHTML"), (["htmx-4"], "innerMorph")],
)
async def test_a_morph_of_htmx_and_idiomorph_changes_no_price_order_filter_focus_or_amount(
    page_with: Family, scripts: list[str], swap: str
) -> None:
    site = page_with.site
    go = f'<i hx-get="/next/" hx-target="main" hx-swap="{swap}" hx-trigger="go"></i>'
    body = f'<div hx-ext="morph">{go}<main>{family()}<p id="at">0</p></main></div>'
    await page_with.open(body, *scripts, head=HTMX)
    await page_with.set_up()
    places = {
        **{"fcs-table input": "search", "[data-part=pause]": "pause", "[name=amount]": "text"},
        "th[data-column=close] button": "close",
    }
    for index, (selector, focused) in enumerate(places.items(), 1):
        await site.find(selector).focus()
        site.server.pages["/next/"] = f'{family()}<p id="at">{index}</p>'
        await site.run("document.querySelector('i').dispatchEvent(new Event('go'))")
        await expect(site.find("#at")).to_have_text(str(index))
        await page_with.shows(SET)
        assert await site.run(FOCUSED) == focused
    assert site.peer.joins == [f"{symbol}_1D" for symbol in (EUR, GBP, YEN, CHF)]
    assert site.peer.of_type("leave_symbol") == []
    await site.find("fcs-table input").fill("")
    await page_with.is_live(2, 1.6)


async def test_react_hydrates_the_family_without_a_warning_and_renders_around_it(
    page_with: Family,
) -> None:
    site = page_with.site
    html = family()
    section = f'<button title="{EUR}">Change</button><fcs-ticker symbol="{EUR}"></fcs-ticker>'
    await page_with.open(f"<main><section>{section}<div>{html}</div></section></main>", "react")
    await page_with.set_up()
    hydrate = """(html) => {
      globalThis.before = document.querySelectorAll("main *");
      hydrate(document.querySelector("main"), html);
    }"""
    await site.page.evaluate(hydrate, html)
    await site.find("main button").first.click()
    ticker = site.find("section > fcs-ticker")
    await expect(ticker).to_have_attribute("symbol", GBP)
    await expect(ticker.locator("[data-field=change_percent]")).to_have_text("−0.58\u2009%")
    await page_with.shows(SET)
    assert await site.run("[...before].every((node) => node.isConnected)")
    await site.find("fcs-table input").fill("")
    await page_with.is_live(2, 1.6)
    advertisement = site.problems.pop()
    assert "Download the React DevTools" in advertisement


async def test_turbo_visits_a_page_comes_back_and_refreshes_with_a_morph(
    page_with: Family,
) -> None:
    site = page_with.site
    site.server.headers["Content-Security-Policy"] = TURBO_POLICY
    await page_with.open(f'<main>{family()}<a href="/card/">Card</a></main>', "turbo", head=TURBO)
    page = site.server.pages["/"]
    card = f"<main>{widgets.ticker(EUR)}<p>Card</p></main>"
    site.server.pages["/card/"] = page.replace(page[page.index("<main>") :], card)
    await page_with.set_up()
    site.server.pages["/"] = page.replace("Card</a>", "Another card</a>")
    await site.run("void Turbo.visit('/', { action: 'replace' })")
    await expect(site.find("main > a")).to_have_text("Another card")
    await page_with.shows(SET)
    await site.run(
        "document.querySelectorAll('tr[data-symbol]').forEach((row) =>"
        " { row.dataset.flash = 'up' })"
    )

    await site.find("main > a").click()
    await expect(site.find("main > p")).to_have_text("Card")
    await page_with.is_live(2, 1.6)
    assert held(site.peer) == [EUR]

    await site.page.go_back()
    await expect(site.find("fcs-table")).to_be_attached()
    await expect(site.find("[data-flash]")).to_have_count(0)
    await site.find("fcs-table input").fill("yen ")
    await page_with.is_live(3, 1.7)
    await page_with.shows({**SET, "filter": "yen ", "dollars": "425.00"})
    assert len(site.server.peers) == 1
