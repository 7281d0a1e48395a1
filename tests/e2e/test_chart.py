"""A chart in an open page, before the vendor, a stream and Redis that run for real."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from playwright.async_api import Page, expect

from django_fcs.simulator import Faults
from tests.faults.clocks import WallClock
from tests.faults.histories import MINUTE, HistoryStage

PATIENCE_MS = 60_000


async def test_an_open_page_shows_what_was_missed_as_a_hole_and_then_its_bars(
    page: Page, needs_redis: None, tmp_path: Path
) -> None:
    """The stream is killed, and starts three bars later, while history is down. No reload."""
    clock = WallClock(tmp_path)
    async with HistoryStage(tmp_path, clock=clock, vendor_clock=clock) as stage:
        room = stage.rooms[0]
        await page.clock.install()
        await page.goto(f"http://127.0.0.1:{stage.ports[0]}/chart/{room.symbol}/1/")
        await page.evaluate("globalThis.isSamePage = true")
        chart, hole = page.locator("fcs-chart"), page.locator("fcs-chart path.hole")
        await expect(chart).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
        rising = page.locator("fcs-chart path[class='body up']")
        await expect(rising).to_have_attribute("d", re.compile("(M.*){5}"), timeout=PATIENCE_MS)

        stage.vendor.faults = Faults(rest_status=503)
        await stage.stop(stage.streams[0], signal.SIGKILL)
        clock.shift(4 * MINUTE)
        await page.clock.fast_forward(1000 * 4 * MINUTE)
        await stage.start_stream()
        await expect(hole).to_have_attribute("d", re.compile("M"), timeout=PATIENCE_MS)
        await expect(chart).to_contain_text("no data")

        stage.vendor.faults = Faults()
        await expect(chart).not_to_contain_text("no data", timeout=PATIENCE_MS)
        await expect(chart).to_contain_text("repaired")
        await expect(hole).not_to_have_attribute("d", re.compile("M"))
        assert await page.evaluate("globalThis.isSamePage")
