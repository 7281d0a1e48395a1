"""Measure the pages in turn, and save the figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.benchmarks.results import keep
from lab.benchmarks.rig import calmest
from lab.kit.machine import describe
from lab.kit.places import BUILD
from lab.kit.processes import Worker, wait_until
from lab.kit.terminal import say
from tests.support.network import free_port

from . import recording
from .pages import PAGES
from .recording import Load
from .server import PAGE, RECORDING
from .tab import watch

__all__ = ["SPARE_SECONDS", "WARM_UP_SECONDS", "measure", "measure_once", "served"]

#: A page has received prices for this time before it is measured, in seconds.
WARM_UP_SECONDS = 3.0

#: Frames for the time in which a slow machine opens the page.
SPARE_SECONDS = 30.0


def measure(*, runs: int, seconds: float, results: Path) -> None:
    """Measure the pages some times and save the figures; they take turns."""
    rows: list[dict[str, Any]] = []
    for run in range(runs):
        for name in PAGES:
            began = time.monotonic()
            figures = measure_once(name, Load(), seconds=seconds, warm_up=WARM_UP_SECONDS)
            rows.append({"peer": name, "run": run, **figures})
            say(f"page run {run + 1} {name} ({time.monotonic() - began:.0f} s)")
            say("   " + "  ".join(f"{key}={_text(value)}" for key, value in figures.items()))
    command = " ".join(["python -m lab.benchmarks.page", *sys.argv[1:]])
    figures = {"machine": describe(), "command": command, "seconds": seconds, "rows": rows}
    keep("page", figures, results)


def measure_once(
    name: str, load: Load, *, seconds: float, warm_up: float, folder: Path = BUILD / "page"
) -> dict[str, Any]:
    """Measure one page; files go into the folder. Needs Django and Chromium."""
    page = PAGES[name]
    frames = page.frames(load, warm_up + seconds + SPARE_SECONDS, time.time())
    html = page.html(load.symbols)

    def window() -> dict[str, Any]:
        with served(html, frames, folder) as (url, count):
            return watch(url, page.values, warm_up=warm_up, seconds=seconds, count=count)

    return calmest(window)


@contextmanager
def served(
    html: str, frames: recording.Recording, folder: Path
) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Serve a page and its frames; yield its address, and what counts the frames so far."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(html)
    recording.write(frames, folder / RECORDING)
    port = free_port()
    server = Worker("lab.benchmarks.page.server", str(port), str(folder), folder=folder)
    with server:
        wait_until(port, server)
        yield f"http://127.0.0.1:{port}/", lambda: server.ask(do="count")


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
