"""What screen readers hear of a price, where a page asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.element_page import TICKER, Site, euro, site, state

__all__ = ["site"]

ANNOUNCED = TICKER.replace("<fcs-ticker", "<fcs-ticker announce")
REGION = '[data-part="announcement"]'


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window of the test's own, as the clock is that of a whole window."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.clock.install()
    yield page
    await context.close()


async def show(site: Site, seq: int, close: float, name: str = "live") -> None:
    await site.send(euro(seq, c=close), state(name))
    await site.page.clock.run_for(50)
    await expect(site.field("close")).to_have_text(f"{close:.5f}")


async def test_a_price_is_announced_in_one_polite_sentence_every_half_minute(site: Site) -> None:
    await site.open(ANNOUNCED)
    await site.joined("FX:EURUSD_1D")
    region = site.find(REGION)
    await show(site, 1, 1.08412)
    await expect(region).to_have_attribute("role", "status")
    await expect(region).to_have_text("EUR/USD 1.08412, +0.21\u2009%, live")

    await show(site, 2, 1.09)
    await show(site, 3, 1.1)
    await expect(region).to_have_text("EUR/USD 1.08412, +0.21\u2009%, live")
    for seq in range(4, 11):  # The server must be heard, or the page is offline.
        await show(site, seq, 1.1 + seq / 100_000)
        await site.page.clock.run_for(5_000)
    await expect(region).not_to_contain_text("1.08412")
    await expect(region).to_contain_text("EUR/USD 1.1")


async def test_the_announcement_is_heard_and_not_seen(site: Site) -> None:
    await site.open(ANNOUNCED)
    await site.joined("FX:EURUSD_1D")
    before = await site.find("fcs-ticker").bounding_box()
    await show(site, 1, 1.08412)

    box = await site.find(REGION).bounding_box()
    assert box is not None and (box["width"], box["height"]) == (1, 1)
    assert await site.find("fcs-ticker").bounding_box() == before


async def test_a_change_of_state_is_announced(site: Site) -> None:
    await site.open(ANNOUNCED)
    await site.joined("FX:EURUSD_1D")
    await show(site, 1, 1.08412)
    for seq in range(2, 9):
        await show(site, seq, 1.08412)
        await site.page.clock.run_for(5_000)
    await site.send(state("offline"))
    await site.page.clock.run_for(50)

    await expect(site.find(REGION)).to_have_text("EUR/USD 1.08412, +0.21\u2009%, offline")


async def test_without_the_attribute_nothing_is_announced(site: Site) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await show(site, 1, 1.08412)

    await expect(site.find(f"{REGION}, [role=status], [aria-live]")).to_have_count(0)


async def test_an_attribute_that_a_script_adds_later_counts_with_the_price_that_is_shown(
    site: Site,
) -> None:
    await site.open(TICKER)
    await site.joined("FX:EURUSD_1D")
    await show(site, 1, 1.08412)
    await site.run("document.querySelector('fcs-ticker').setAttribute('announce', '')")
    await expect(site.find(REGION)).to_have_attribute("role", "status")
    await site.page.clock.run_for(50)

    await expect(site.find(REGION)).to_have_text("EUR/USD 1.08412, +0.21\u2009%, live")
