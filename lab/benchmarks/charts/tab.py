"""A drag through a chart in headless Chromium, read from a trace of the browser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lab.benchmarks.page.tab import HAS_PLAYWRIGHT, HEIGHT, WIDTH
from lab.kit.processes import Failed
from tests.support.chromium import FLAGS, chromium

if HAS_PLAYWRIGHT:
    from playwright.sync_api import Page, sync_playwright

__all__ = ["drag", "frames_of", "percentile"]

#: What counts: scripts, styles and layout. Events of a kind may be within others.
_COUNTED = {
    *("FunctionCall", "EvaluateScript", "EventDispatch", "FireAnimationFrame", "TimerFire"),
    *("RunMicrotasks", "UpdateLayoutTree", "Layout"),
}
_CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]
_FRAME = "Commit"
_BODIES = """document.querySelector("fcs-chart path[class='body up']").getAttribute("d")"""
_DRAGS, _MOVES, _STEP = 6, 100, 10

#: Fewer frames are no drag: at its oldest candle, a chart has nothing to do.
_FEWEST = 50

#: Between two moves: those that come faster than frames become one.
_PAUSE_MS = 16


def drag(url: str) -> dict[str, Any]:
    """Drag a chart into the past, and return the milliseconds of its frames."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(url)
            page.wait_for_selector("fcs-chart [data-part=tools] button")
            page.wait_for_timeout(1000)
            browser.start_tracing(page=page, categories=_CATEGORIES)
            before = page.evaluate(_BODIES)
            _pull(page)
            moved = page.evaluate(_BODIES) != before
            trace = json.loads(browser.stop_tracing())
            version = browser.version
        finally:
            browser.close()
    frames = frames_of(trace["traceEvents"])
    if not moved or len(frames) < _FEWEST:
        raise Failed(f"the chart did not follow the pointer: {len(frames)} frames")
    return {
        "chromium": version,
        "frames": len(frames),
        "p50_ms": percentile(frames, 0.5),
        "p95_ms": percentile(frames, 0.95),
        "longest_ms": max(frames),
    }


def _pull(page: Page) -> None:
    box = page.locator("fcs-chart [data-part=plot]").bounding_box()
    if box is None:
        raise Failed("the chart is out of sight")
    y = box["y"] + box["height"] / 2
    for _ in range(_DRAGS):
        page.mouse.move(box["x"] + 40, y)
        page.mouse.down()
        for move in range(1, _MOVES + 1):
            page.mouse.move(box["x"] + 40 + move * _STEP, y)
            page.wait_for_timeout(_PAUSE_MS)
        page.mouse.up()


def frames_of(events: Iterable[dict[str, Any]]) -> list[float]:
    """Return the milliseconds of script, style and layout in each frame of the busiest thread."""
    threads: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for event in events:
        if event.get("name") in {*_COUNTED, _FRAME} and "dur" in event:
            threads.setdefault((event["pid"], event["tid"]), []).append(event)
    own = max(threads.values(), key=len, default=[])
    return list(_frames(sorted(own, key=lambda event: event["ts"])))


def _frames(events: Sequence[dict[str, Any]]) -> Iterator[float]:
    """Yield the time of each frame; what is within another event counts once."""
    busy, until = 0.0, 0.0
    for event in events:
        if event["name"] == _FRAME:
            if busy:
                yield busy / 1000
            busy = 0.0
            continue
        end = event["ts"] + event["dur"]
        busy += max(0.0, end - max(event["ts"], until))
        until = max(until, end)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
