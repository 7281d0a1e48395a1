"""Repeat all measurements, and save their figures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lab.benchmarks.results import keep
from lab.benchmarks.rig import calmest
from lab.kit.machine import describe
from lab.kit.terminal import say

from .filling import fill_apart
from .reading import SITES, read_candles
from .steps import time_steps
from .storing import store_answer

__all__ = ["ANSWER_BARS", "CANDLES", "LIMIT", "ROOMS", "measure"]

#: The longest answer of the vendor.
ANSWER_BARS = 10_000

#: What a stream with a large plan keeps, with the default of ``FCS_CANDLES``.
ROOMS, CANDLES = 500, 600

#: What a call of ``get_candles`` returns by default, and how many calls are timed.
LIMIT, _CALLS = 300, 200

_MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "new": partial(store_answer, bars=ANSWER_BARS, is_seen=False),
    "seen": partial(store_answer, bars=ANSWER_BARS, is_seen=True),
    "steps": partial(time_steps, bars=ANSWER_BARS, candles=CANDLES),
    "filled": partial(fill_apart, rooms=ROOMS, candles=CANDLES),
    **{
        site: partial(read_candles, site, kept=CANDLES, limit=LIMIT, calls=_CALLS) for site in SITES
    },
}


def measure(*, runs: int, results: Path) -> None:
    """Measure everything some times and save the figures; the measurements take turns."""
    rows: list[dict[str, Any]] = []
    for run in range(runs):
        for name, once in _MEASUREMENTS.items():
            row = calmest(once)
            rows.append({"peer": name, "run": run, **row})
            say(f"candles run {run + 1} {name}")
            say("   " + "  ".join(f"{key}={value:.4g}" for key, value in row.items()))
    command = " ".join(["python -m lab.benchmarks.candles", *sys.argv[1:]])
    keep("candles", {"machine": describe(), "command": command, "rows": rows}, results)
