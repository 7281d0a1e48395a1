"""Fixtures for tests in a real browser.

One Chromium serves all of them, so everything here runs in the session's event loop: an
async fixture of a test module in this directory needs ``loop_scope="session"`` too.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.driver import PATIENCE_MS, Driver
from tests.browser.scripted_server import ScriptedServer
from tests.support.chromium import FLAGS, chromium

HERE = Path(__file__).parent
expect.set_options(timeout=PATIENCE_MS)

#: One process draws all tabs. To start one for each tab takes a tenth of the tests' processor time.
ONE_RENDERER = "--renderer-process-limit=1"

BLANK_PAGE = """<!doctype html>
<html lang="en"><title>Test</title>
<script defer src="/static/django_fcs/fcs-client.js" data-fcs-socket="/ws/fcs/"
 data-fcs-offline-after="10"></script></html>
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_session_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        if pytest_asyncio.is_async_test(item):
            item.add_marker(in_session_loop, append=False)


@pytest.fixture(scope="session")
def executable() -> str:
    """The path of Chromium."""
    path = chromium()
    if path is None and os.environ.get("FCS_REQUIRE_BROWSER") == "1":
        pytest.fail("no Chromium: install it, or name it in FCS_CHROMIUM")
    if path is None:
        pytest.skip("no Chromium: install it, or name it in FCS_CHROMIUM")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=[*FLAGS, ONE_RENDERER]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def window(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A window with an empty tab, which keeps it open: one more tab costs half of a window."""
    window = await browser.new_context()
    await window.new_page()
    yield window
    await window.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(window: BrowserContext) -> AsyncIterator[Page]:
    """A tab of the test's own.

    What a tab is told of media, sizes and scripts is its alone. Cookies, permissions and the
    clock are the window's: a test that sets one opens a window.
    """
    page = await window.new_page()
    yield page
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server whose front page loads the client and nothing else."""
    async with ScriptedServer(pages={"/": BLANK_PAGE, "/favicon.ico": ""}) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def common_tab(window: BrowserContext) -> Page:
    return await window.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def common_page(common_tab: Page) -> AsyncIterator[Page]:
    """A tab for tests that change nothing but the document in it: a new one takes longer."""
    yield common_tab
    await common_tab.goto("about:blank")


@pytest_asyncio.fixture(loop_scope="session")
async def driver(common_page: Page, server: ScriptedServer) -> Driver:
    """A page of the scripted server whose client runs on the test's clock and dice."""
    server.pages["/harness.js"] = (HERE / "harness.js").read_text()
    server.pages["/"] += '<script defer src="/harness.js"></script>'
    await common_page.goto(server.url)
    return Driver(common_page, server)
