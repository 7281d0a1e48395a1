"""The example's pages in a browser, with the simulator behind them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from example_project.markets import MARKETS
from tests.support.network import free_port
from tests.support.serving import demo

pytestmark = pytest.mark.timeout(180)

FACES = ["/", "/dashboard/", "/article/"]
#: Each of these has a state of its own, and a room: the examples of states have none.
ELEMENTS = (
    "fcs-chart, fcs-ticker[symbol], fcs-tag, fcs-price, fcs-sparkline, fcs-spread, [data-symbol]"
)
TAGGED = [f"/{slug}/" for slug in MARKETS]
PLAIN = [f"/{slug}/plain/" for slug in MARKETS]
PATIENCE_MS = 20_000  # a page, its socket and the vendor's have to open first
NUMBER = re.compile(r"^[\d,]+\.\d+$")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[str]:
    port = free_port()
    async with demo(port):
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture(loop_scope="session")
async def complaints(page: Page) -> list[str]:
    """What the browser says against the page, its content security policy included."""
    found: list[str] = []
    page.on(
        "console", lambda message: found.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("path", [*TAGGED, *PLAIN])
async def test_a_market_fills_with_prices_says_that_it_is_connected_and_fits_every_width(
    page: Page, site: str, complaints: list[str], path: str
) -> None:
    """Loaded on the narrowest screen, and then on wider ones."""
    await page.set_viewport_size({"width": 320, "height": 800})
    await page.goto(site + path)
    last = page.locator("fcs-ticker [data-field=close], .last")
    await expect(last).to_have_count(4, timeout=PATIENCE_MS)
    for index in range(4):
        await expect(last.nth(index)).to_have_text(NUMBER, timeout=PATIENCE_MS)
    await expect(page.locator("#badge")).to_have_text("Connected", timeout=PATIENCE_MS)
    for width in (320, 360, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("innerWidth") == width
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, width
    assert complaints == []


@pytest.mark.parametrize("path", FACES)
async def test_a_face_of_the_product_is_live_fits_every_width_and_satisfies_axe(
    page: Page, site: str, complaints: list[str], path: str
) -> None:
    foreign: list[str] = []
    page.on("request", lambda it: None if it.url.startswith(site) else foreign.append(it.url))
    await page.goto(site + path)
    shown = page.locator(f"main :is({ELEMENTS})")
    await expect(shown.first).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
    await expect(page.locator("main [data-field=close]").first).to_have_text(NUMBER)
    await expect(page.locator(f"main :is({ELEMENTS}):not([data-state=live])")).to_have_count(
        0, timeout=PATIENCE_MS
    )
    for width in (320, 360, 761, 1001, 1280, 1760):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("innerWidth") == width
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, width
    found = await Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert (foreign, complaints) == ([], [])


@pytest.mark.parametrize("path", FACES)
async def test_thumbs_find_what_they_touch(page: Page, site: str, path: str) -> None:
    """A link in a sentence is as high as its line, and one in a card as its card."""
    await page.set_viewport_size({"width": 320, "height": 800})
    await page.goto(site + path)
    small = await page.evaluate(
        """[...document.querySelectorAll("a[href], summary")].filter((it) => {
          const height = it.getBoundingClientRect().height;
          return height && height < 44 && !it.closest("main p, [symbol], fcs-table");
        }).map((it) => it.outerHTML)"""
    )
    assert small == []


async def test_the_switches_of_the_gallery_work_without_a_script(
    browser: Browser, site: str
) -> None:
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(site)
        ground = "getComputedStyle(document.body).backgroundColor"
        assert await page.evaluate(ground) == "rgb(251, 251, 250)"
        await page.get_by_role("link", name="Dark").click()
        assert await page.evaluate(ground) == "rgb(16, 18, 22)"
        await page.locator("summary").click()
        await page.get_by_role("link", name="Deutsch").click()
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.locator("#fcs_ticker [data-field=close]").first).to_have_text(
            re.compile(r"^[\d.]+,\d+$"), timeout=PATIENCE_MS
        )


async def test_a_row_of_the_watch_list_shows_its_chart_in_place(
    page: Page, site: str, complaints: list[str]
) -> None:
    await page.goto(f"{site}/dashboard/")
    chart = page.locator("#chart fcs-chart")
    await expect(chart).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
    await expect(page.locator("tr:has([aria-current])")).to_have_attribute(
        "data-symbol", "NASDAQ:AAPL"
    )
    await chart.get_by_role("button", name="1h").click()
    await expect(chart).to_have_attribute("timeframe", "60", timeout=PATIENCE_MS)
    await page.evaluate("document.body.dataset.loaded = 'once'")
    row = page.locator("tr[data-symbol='FX:USDJPY']")
    await row.locator("[data-field=close]").click()
    await expect(chart).to_have_attribute("symbol", "FX:USDJPY", timeout=PATIENCE_MS)
    await expect(chart).to_have_attribute("timeframe", "60")
    await expect(chart).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
    await expect(chart.locator(".body.up")).not_to_have_count(0, timeout=PATIENCE_MS)
    await expect(page.locator("tr:has([aria-current])")).to_have_count(1)
    await expect(row.locator("[aria-current]")).to_have_count(1)
    await expect(page.locator("body")).to_have_attribute("data-loaded", "once")
    assert "symbol=FX%3AUSDJPY" in page.url
    # The example has border-box everywhere, as many pages have.
    assert await chart.evaluate("(it) => it.querySelector('[data-part=foot]').offsetHeight") == 37
    assert complaints == []


async def test_without_a_script_a_row_of_the_watch_list_is_a_link_to_its_chart(
    browser: Browser, site: str
) -> None:
    async with await browser.new_context(java_script_enabled=False) as context:
        page = await context.new_page()
        await page.goto(f"{site}/dashboard/")
        await page.get_by_role("link", name="USD/JPY").first.click()
        await expect(page.locator("#chart fcs-chart")).to_have_attribute("symbol", "FX:USDJPY")


async def test_the_article_prints_its_prices_and_their_time(page: Page, site: str) -> None:
    await page.goto(f"{site}/article/")
    await expect(page.locator(".story fcs-price").first).to_have_text(NUMBER, timeout=PATIENCE_MS)
    await expect(page.locator(".asof")).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(page.locator(".asof")).to_be_visible()
    await expect(page.locator(".story fcs-price").first).to_have_text(NUMBER)
    await expect(page.locator("fcs-converter")).to_be_hidden()
    await expect(page.locator(".figure [data-part=plot] > svg")).to_be_visible()


@pytest.mark.parametrize("path", ["/forex/", "/forex/plain/"])
async def test_the_yen_is_quoted_in_three_digits_and_the_euro_in_five(
    page: Page, site: str, path: str
) -> None:
    await page.goto(site + path)
    last = page.locator("fcs-ticker [data-field=close], .last")
    await expect(last.nth(0)).to_have_text(re.compile(r"^\d\.\d{5}$"), timeout=PATIENCE_MS)
    await expect(last.nth(2)).to_have_text(re.compile(r"^\d{2,3}\.\d{3}$"), timeout=PATIENCE_MS)


async def test_another_timeframe_is_joined_by_all_elements(page: Page, site: str) -> None:
    await page.goto(f"{site}/crypto/")
    ticker = page.locator("fcs-ticker").first
    await expect(ticker).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
    await page.get_by_label("Timeframe").select_option("1H")
    await expect(ticker.locator("[data-part=period]")).to_have_text(
        re.compile("1h", re.IGNORECASE), timeout=PATIENCE_MS
    )
    for field in ("close", "low", "high"):
        await expect(ticker.locator(f"[data-field={field}]")).to_have_text(
            re.compile(r"\d"), timeout=PATIENCE_MS
        )
    await expect(ticker).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)


async def test_another_timeframe_is_joined_by_the_plain_page(page: Page, site: str) -> None:
    await page.goto(f"{site}/crypto/plain/")
    card = page.locator(".quote").first
    await expect(card.locator(".last")).to_have_text(NUMBER, timeout=PATIENCE_MS)
    await page.get_by_label("Timeframe").select_option("15")
    await expect(card.locator("[data-timeframe]")).to_have_text("15", timeout=PATIENCE_MS)
    await expect(card.locator(".last")).to_have_text(NUMBER, timeout=PATIENCE_MS)


async def test_pages_without_their_server_say_so(page: Page, window: BrowserContext) -> None:
    port = free_port()
    plain = await window.new_page()
    async with demo(port):
        for it, path in ((page, "/crypto/"), (plain, "/crypto/plain/")):
            await it.goto(f"http://127.0.0.1:{port}{path}")
            await expect(it.locator("#badge")).to_have_text("Connected", timeout=PATIENCE_MS)
    for it in (page, plain):
        await expect(it.locator("#badge"), it.url).to_have_text(
            re.compile("Disconnected|Error"), timeout=PATIENCE_MS
        )
    await plain.close()
