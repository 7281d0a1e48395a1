"""Measure the tag, the drag and the page in turn, and save the figures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.benchmarks.page.measure import SPARE_SECONDS, WARM_UP_SECONDS, served
from lab.benchmarks.page.tab import watch
from lab.benchmarks.results import keep
from lab.benchmarks.rig import calmest
from lab.kit.machine import describe
from lab.kit.places import BUILD
from lab.kit.terminal import say

from .pages import CHARTS, UPDATES_PER_SECOND, page, recording, symbols_of
from .printed import BARS, sizes, tag
from .tab import drag

__all__ = ["CALLS", "DRAGGED", "measure", "measure_drag", "measure_page"]

CALLS = 100
DRAGGED = 1000

_FOLDER = BUILD / "charts"


def measure(*, runs: int, seconds: float, results: Path) -> None:
    """Measure everything some times and save the figures."""
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "memory": lambda: tag("memory", calls=CALLS),
        "cache": lambda: tag("cache", calls=CALLS),
        "drag": lambda: measure_drag(DRAGGED, _FOLDER),
        "page": lambda: measure_page(CHARTS, seconds=seconds, folder=_FOLDER),
    }
    rows: list[dict[str, Any]] = [{"peer": "sizes", "run": 0, **sizes()}]
    for run in range(runs):
        for name, step in steps.items():
            row = calmest(step)
            rows.append({"peer": name, "run": run, **row})
            say(f"charts run {run + 1} {name}  {row}")
    command = " ".join(["python -m lab.benchmarks.charts", *sys.argv[1:]])
    figures = {"machine": describe(), "command": command, "seconds": seconds, "rows": rows}
    keep("charts", figures, results)


def measure_drag(bars: int, folder: Path) -> dict[str, Any]:
    """Drag a chart with so many candles, whose price stands still."""
    symbols = symbols_of(1)
    html = page(symbols, bars, columns=1, height=400)
    with served(html, recording(symbols, bars, 0, 0), folder) as (url, _):
        return drag(url)


def measure_page(
    charts: int, *, seconds: float, folder: Path, warm_up: float = WARM_UP_SECONDS
) -> dict[str, Any]:
    """Watch a page with so many charts, all within the window."""
    symbols = symbols_of(charts)
    html = page(symbols, BARS, columns=4, height=240)
    length = warm_up + seconds + SPARE_SECONDS
    frames = recording(symbols, BARS, length, UPDATES_PER_SECOND)
    values = "fcs-chart [data-part=price]"
    with served(html, frames, folder) as (url, count):
        return watch(url, values, warm_up=warm_up, seconds=seconds, count=count)
