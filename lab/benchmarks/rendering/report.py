"""The section of ``docs/performance.md`` about rendering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.benchmarks.summary import Row, by_peer, figure, select
from lab.benchmarks.tables import targets
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT

__all__ = ["MARK", "TARGETS", "TICKERS", "section", "write"]

DOCUMENT = ROOT / "docs/performance.md"
MARK = "rendering"

#: Widgets of the page, each of another room.
TICKERS = 60

_NAMES = {"memory": "one process", "cache": "shared cache"}


def _rows(results: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = results.get(MARK, {}).get("rows", [])
    return rows


def _target(peer: str, what: str, limit: float, name: str, unit: str = "") -> Target:
    def measured(results: Mapping[str, Any]) -> float | None:
        return figure(select(_rows(results), peer=peer), name)

    return Target(what, _NAMES[peer], limit, measured, unit)


TARGETS = (
    _target("memory", f"server time of {TICKERS} tickers", 25, "wall_ms", "ms"),
    _target("cache", f"server time of {TICKERS} tickers", 25, "wall_ms", "ms"),
    _target("cache", f"reads of the cache for {TICKERS} tickers", 1, "reads"),
)


def section(results: Mapping[str, Any]) -> str:
    """Return the section as Markdown; nothing if rendering was not measured."""
    rows = _rows(results)
    if not rows:
        return ""
    machine = results[MARK]["machine"]
    template = Template(Path(__file__).with_name("section.md").read_text())
    return template.substitute(
        machine=f"{machine['date']} with {machine['processor']}, Python {machine['Python']} "
        f"and Django {machine['Django']}",
        tickers=TICKERS,
        pages=results[MARK]["pages"],
        runs=len({row["run"] for row in rows}),
        targets=targets(results, TARGETS),
        table=_table(rows),
    )


def _table(rows: Sequence[Row]) -> str:
    head = ["site", "server time, ms", "processor time, ms", "least, ms", "reads", "HTML, kB"]
    names = ("wall_ms", "cpu_ms", "least_cpu_ms", "reads", "kb")
    lines = [
        [_NAMES[peer], *(figures(figure(own, name)) for name in names)]
        for peer, own in by_peer(rows).items()
    ]
    return table(head, lines)


def write(results: Mapping[str, Any]) -> Path:
    """Write the section; return the path of the document."""
    write_section(DOCUMENT, MARK, section(results))
    return DOCUMENT
