"""Run scenarios; each run measures all peers in turn."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.kit.machine import describe
from lab.kit.terminal import say

from .results import keep
from .scenarios import SCENARIOS, Row
from .table_of_peers import prepare_node

__all__ = ["measure"]


def measure(
    name: str, *, peers: Sequence[str], runs: int | None, seconds: float, results: Path
) -> None:
    """Measure one scenario and save its figures.

    Peers take turns, so that slow changes of the machine affect all of them.
    """
    scenario = SCENARIOS[name]
    chosen = [peer for peer in scenario.peers if not peers or peer in peers]
    if "node" in chosen and not prepare_node():
        say("node is skipped: Node or npm is not installed")
        chosen.remove("node")
    rows: list[Row] = []
    for run in range(runs or scenario.runs):
        for peer in chosen:
            began = time.monotonic()
            measured = scenario.measure(peer, seconds)
            rows += [{"peer": peer, "run": run, **row} for row in measured]
            say(f"{name} run {run + 1} {peer} ({time.monotonic() - began:.0f} s)")
            for row in measured:
                say("   " + _line(row))
    figures: dict[str, Any] = {
        "machine": describe(),
        "command": " ".join(["python -m lab.benchmarks", *sys.argv[1:]]),
        "seconds": seconds,
        "rows": rows,
    }
    keep(name, figures, results)


def _line(row: Row) -> str:
    return "  ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in row.items()
    )
