"""One browser for all pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.support.chromium import FLAGS, chromium

__all__ = ["browser"]


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Open Chromium without a window for the block."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield opened
        finally:
            await opened.close()
