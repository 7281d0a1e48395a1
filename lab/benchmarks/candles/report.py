"""The section of ``docs/performance.md`` about candles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.benchmarks.summary import Row, figure, select, spread
from lab.benchmarks.tables import targets
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT

from .measure import ANSWER_BARS, CANDLES, LIMIT, ROOMS
from .steps import STEPS

__all__ = ["MARK", "TARGETS", "section", "write"]

DOCUMENT = ROOT / "docs/performance.md"
MARK = "candles"

_ANSWERED = {"new": "new room", "seen": "room seen before"}
_READ = {"memory": "in memory", "cache": "in a cache"}


def _rows(results: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = results.get(MARK, {}).get("rows", [])
    return rows


def _median(peer: str, what: str, name: str, limit: float, unit: str, of: str) -> Target:
    return Target(
        what, of, limit, lambda results: figure(select(_rows(results), peer=peer), name), unit
    )


def _longest(peer: str, what: str, limit: float) -> Target:
    def measured(results: Mapping[str, Any]) -> float | None:
        found = spread(select(_rows(results), peer=peer), "held_ms")
        return None if found is None else found[1]

    return Target(what, _ANSWERED[peer], limit, measured, "ms")


_STORED = f"{ANSWER_BARS:,} candles merged and stored"

TARGETS = (
    *(_median(peer, _STORED, "wall_ms", 500, "ms", of) for peer, of in _ANSWERED.items()),
    *(_longest(peer, "longest wait of a price meanwhile, in all runs", 50) for peer in _ANSWERED),
    _median("filled", f"memory of {ROOMS} rooms × {CANDLES} candles", "rss_mb", 40, "MB", "stream"),
)


def section(results: Mapping[str, Any]) -> str:
    """Return the section as Markdown; nothing if candles were not measured."""
    rows = _rows(results)
    if not rows:
        return ""
    machine = results[MARK]["machine"]
    template = Template(Path(__file__).with_name("section.md").read_text())
    return template.substitute(
        machine=f"{machine['date']} with {machine['processor']}, Python {machine['Python']} "
        f"and Django {machine['Django']}",
        bars=f"{ANSWER_BARS:,}",
        rooms=ROOMS,
        candles=CANDLES,
        limit=LIMIT,
        runs=len({row["run"] for row in rows}),
        collect=figures(figure(select(rows, peer="new"), "collect_ms")),
        targets=targets(results, TARGETS, "of"),
        memory=_memory(select(rows, peer="filled")),
        reading=_reading(rows),
        steps=_steps(select(rows, peer="steps")),
    )


def _memory(rows: Sequence[Row]) -> str:
    head = ["growth, MB", "of the process", "as Python counts it"]
    shown = {"mb": "stream", "stored_mb": "stream and store in memory"}
    lines = [
        [label, *(figures(figure(rows, f"{how}_{name}")) for how in ("rss", "traced"))]
        for name, label in shown.items()
    ]
    return table(head, lines)


def _reading(rows: Sequence[Row]) -> str:
    head = [f"`get_candles` of {LIMIT} candles", "µs"]
    return table(
        head,
        [[of, figures(figure(select(rows, peer=peer), "us"))] for peer, of in _READ.items()],
    )


def _steps(rows: Sequence[Row]) -> str:
    lines = [
        [what.format(candles=CANDLES), figures(figure(rows, name))] for name, what in STEPS.items()
    ]
    return table(["step", "ms"], lines)


def write(results: Mapping[str, Any]) -> Path:
    """Write the section; return the path of the document."""
    write_section(DOCUMENT, MARK, section(results))
    return DOCUMENT
