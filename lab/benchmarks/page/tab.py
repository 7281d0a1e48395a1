"""One page in headless Chromium: what it costs the main thread, and what moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.support.chromium import FLAGS, chromium

try:
    from playwright.sync_api import CDPSession, Page, sync_playwright
except ImportError:  # The unit tests have no browser.
    HAS_PLAYWRIGHT = False
else:
    HAS_PLAYWRIGHT = True

__all__ = ["is_installed", "watch"]

WIDTH, HEIGHT = 1280, 800

#: A task that takes longer delays what a visitor does: https://web.dev/articles/long-tasks-devtools
LONG_MS = 50

_OBSERVE = """
globalThis.seen = { tasks: [], shift: 0 };
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) seen.tasks.push([startTime, duration]);
}).observe({ type: "longtask", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
#: The widgets and the other page write this dash for a value that they do not know.
_IS_FULL = """(values) => {
  const shown = [...document.querySelectorAll(values)];
  return shown.length && shown.every((value) => !["–", ""].includes(value.textContent.trim()));
}"""


def is_installed() -> bool:
    """Return whether there is a browser, and the library that drives it."""
    return HAS_PLAYWRIGHT and chromium() is not None


def watch(
    url: str, values: str, *, warm_up: float, seconds: float, count: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Open a page and measure it for some seconds, after all its values are shown.

    ``count`` returns what the server has sent so far. Shares are of the time that passed.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.add_init_script(_OBSERVE)
            page.goto(url)
            page.wait_for_function(_IS_FULL, arg=values)
            page.wait_for_timeout(1000 * warm_up)
            return {"chromium": browser.version, **_window(page, seconds, count)}
        finally:
            browser.close()


def _window(page: Page, seconds: float, count: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    # The second one counts the processor time of the same tasks.
    wall, cpu = (page.context.new_cdp_session(page) for _ in range(2))
    wall.send("Performance.enable")
    cpu.send("Performance.enable", {"timeDomain": "threadTicks"})
    heap = _heap(wall)
    page.evaluate("seen.tasks.length = 0")
    began, sent = time.monotonic(), count()
    before = (_metrics(wall), _metrics(cpu))
    page.wait_for_timeout(1000 * seconds)
    after = (_metrics(wall), _metrics(cpu))
    passed, sent_after = time.monotonic() - began, count()
    seen = page.evaluate("seen")
    grown = _heap(wall) - heap
    spent, busy = (
        {name: (new[name] - old[name]) / passed for name in new}
        for old, new in zip(before, after, strict=True)
    )
    durations = [duration for _, duration in seen["tasks"]]
    window = sent_after["at"] - sent["at"]
    return {
        "main_thread": spent["TaskDuration"],
        "main_thread_cpu": busy["TaskDuration"],
        "script": spent["ScriptDuration"],
        "style": spent["RecalcStyleDuration"],
        "layout": spent["LayoutDuration"],
        "long_tasks": sum(duration > LONG_MS for duration in durations),
        "longest_ms": max(durations, default=None),
        "heap_mb": heap / 1e6,
        "heap_growth_mb": grown / 1e6,
        "layout_shift": seen["shift"],
        "prices_per_second": (sent_after["prices"] - sent["prices"]) / window,
        "frames_per_second": (sent_after["frames"] - sent["frames"]) / window,
        "behind_ms": 1000 * sent_after["behind"],
    }


def _heap(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"])


def _metrics(session: CDPSession) -> dict[str, float]:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in metrics}
