"""The state of the page's connection, said once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from django_fcs import widgets
from tests.browser.element_page import STATUS, TICKER, Site, euro, site, state
from tests.support.waiting import eventually

__all__ = ["site"]

HOURLY = TICKER.replace("></", ' timeframe="60"></')


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window of the test's own, as chance is that of a whole window."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


async def opened(site: Site) -> None:
    await site.open(f"<header>{widgets.status()}</header>{TICKER}{HOURLY}")
    await site.joined("FX:EURUSD_1D", "FX:EURUSD_60")


async def shows(site: Site, name: str, words: str | re.Pattern[str]) -> None:
    await expect(site.find("fcs-status")).to_have_attribute("data-state", name)
    await expect(site.find(f"header {STATUS}")).to_have_text(words)


@pytest.mark.parametrize(
    ("daily", "hourly", "name", "words"),
    [
        ("live", "stale", "live", "live"),
        ("stale", "closed", "stale", "stale"),
        ("closed", "closed", "closed", "markets closed"),
        ("offline", "closed", "offline", "offline"),
        ("waiting", "closed", "waiting", "waiting"),
    ],
)
async def test_it_says_the_best_that_is_true_of_the_page(
    site: Site, daily: str, hourly: str, name: str, words: str
) -> None:
    await opened(site)
    await site.send(euro(1), state(daily), euro(1, timeframe="60"), state(hourly, timeframe="60"))

    await shows(site, name, words)


async def test_what_the_server_printed_stays_until_something_is_known(site: Site) -> None:
    await site.open(f"<header>{widgets.status()}</header>")
    await site.run("customElements.whenDefined('fcs-status')")
    await site.run("new Promise(requestAnimationFrame)")

    await shows(site, "waiting", re.compile(r"^as of \d\d:\d\d:\d\d"))


async def test_a_lost_connection_counts_down_and_comes_back(site: Site) -> None:
    await site.page.add_init_script("Math.random = () => 0.5")
    await opened(site)
    await site.send(euro(1), state("live"))
    await shows(site, "live", "live")
    lost = site.peer
    lost.abort()

    await shows(site, "offline", re.compile(r"^reconnecting in [123] s$"))
    await eventually(lambda: site.peer is not lost and len(site.peer.joins) == 2)
    await site.send(state("live"), euro(2))
    await shows(site, "live", "live")


async def test_an_element_without_content_gets_it(site: Site) -> None:
    await site.open(f"<header><fcs-status></fcs-status></header>{TICKER}")
    await site.joined("FX:EURUSD_1D")
    await site.send(euro(1), state("live"))

    await shows(site, "live", "live")
