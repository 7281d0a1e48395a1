"""The section of ``docs/performance.md`` about the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.benchmarks.summary import Row, by_peer, figure, ratio, select
from lab.benchmarks.tables import targets
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT

from .recording import Load
from .tab import HEIGHT, LONG_MS, WIDTH

__all__ = ["MARK", "TARGETS", "section", "write"]

DOCUMENT = ROOT / "docs/performance.md"
MARK = "page"

_NAMES = {"ours": "this project", "table": "a table", "vendor": "the vendor's pattern"}


def _rows(results: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = results.get(MARK, {}).get("rows", [])
    return rows


def _target(
    peer: str, what: str, limit: float, name: str, unit: str = "", *, times: float = 1
) -> Target:
    def measured(results: Mapping[str, Any]) -> float | None:
        value = figure(select(_rows(results), peer=peer), name)
        return None if value is None else value * times

    return Target(what, _NAMES[peer], limit, measured, unit)


def _targets(peer: str, share: float) -> tuple[Target, ...]:
    return (
        _target(peer, "share of the main thread", share, "main_thread", "%", times=100),
        _target(peer, f"tasks over {LONG_MS} ms", 0, "long_tasks"),
        _target(peer, "growth of the heap in the window", 2, "heap_growth_mb", "MB"),
    )


TARGETS = (
    *_targets("ours", 45),
    _target("ours", "layout shift from the first paint on", 0.001, "layout_shift"),
    Target(
        "share of the main thread ÷ that of the vendor's pattern",
        _NAMES["ours"],
        1,
        lambda results: ratio(_rows(results), "ours", "vendor", "main_thread"),
    ),
    *_targets("table", 25),
)


def section(results: Mapping[str, Any]) -> str:
    """Return the section as Markdown; nothing if the page was not measured."""
    rows = _rows(results)
    if not rows:
        return ""
    load = Load()
    machine = results[MARK]["machine"]
    template = Template(Path(__file__).with_name("section.md").read_text())
    return template.substitute(
        machine=f"{machine['date']} with {machine['processor']} and Chromium {rows[0]['chromium']}",
        rooms=load.rooms,
        prices=3 * load.rooms,
        updates=f"{load.updates_per_second:,}",
        frames=load.frames_per_second,
        width=WIDTH,
        height=HEIGHT,
        long=LONG_MS,
        seconds=f"{results[MARK]['seconds']:g}",
        runs=len({row["run"] for row in rows}),
        targets=targets(results, TARGETS, "page"),
        table=_table(rows),
    )


def _table(rows: Sequence[Row]) -> str:
    head = ["page", "main thread", "of it script", "style", "layout", "processor time"]
    head += [f"tasks > {LONG_MS} ms", "longest, ms", "heap, MB", "growth, MB", "layout shift"]
    head += ["prices/s", "frames/s"]
    shares = ("main_thread", "script", "style", "layout", "main_thread_cpu")
    others = ("long_tasks", "longest_ms", "heap_mb", "heap_growth_mb", "layout_shift")
    rates = ("prices_per_second", "frames_per_second")
    lines = []
    for peer, own in by_peer(rows).items():
        percents = [100 * (figure(own, name) or 0) for name in shares]
        values = [figure(own, name) for name in (*others, *rates)]
        lines.append(
            [_NAMES[peer], *(f"{value:.0f} %" for value in percents), *map(figures, values)]
        )
    return table(head, lines)


def write(results: Mapping[str, Any]) -> Path:
    """Write the section; return the path of the document."""
    write_section(DOCUMENT, MARK, section(results))
    return DOCUMENT
