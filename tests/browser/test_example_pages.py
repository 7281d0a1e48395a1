"""The example's pages in a browser, with the simulator behind them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from example_project.markets import MARKETS
from tests.support.network import free_port
from tests.support.serving import demo

pytestmark = pytest.mark.timeout(180)

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
async def test_a_market_fills_with_prices_and_says_that_it_is_connected(
    page: Page, site: str, complaints: list[str], path: str
) -> None:
    await page.goto(site + path)
    last = page.locator("fcs-ticker [data-field=close], .last")
    await expect(last).to_have_count(4, timeout=PATIENCE_MS)
    for index in range(4):
        await expect(last.nth(index)).to_have_text(NUMBER, timeout=PATIENCE_MS)
    await expect(page.locator("#badge")).to_have_text("Connected", timeout=PATIENCE_MS)
    assert complaints == []


async def test_the_front_page_has_prices_inside_its_text(
    page: Page, site: str, complaints: list[str]
) -> None:
    await page.goto(site)
    await expect(page.locator(".prose fcs-price").first).to_have_text(NUMBER, timeout=PATIENCE_MS)
    await expect(page.locator(".prose fcs-price[field=change_percent]")).to_contain_text(
        "%", timeout=PATIENCE_MS
    )
    assert complaints == []


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


@pytest.mark.parametrize("path", ["/", *TAGGED, *PLAIN])
async def test_a_page_needs_no_sideways_scrolling(page: Page, site: str, path: str) -> None:
    """Loaded on the narrowest screen, and then on wider ones."""
    await page.set_viewport_size({"width": 320, "height": 800})
    await page.goto(site + path)
    await expect(page.locator("[data-field=close], .last").first).to_have_text(
        NUMBER, timeout=PATIENCE_MS
    )
    for width in (320, 360, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("innerWidth") == width
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, width
