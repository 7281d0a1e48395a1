"""The section of ``docs/performance.md`` about rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.benchmarks.summary import Row, by_peer, figure, select
from lab.benchmarks.tables import targets
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT

from .measure import COLUMNS

__all__ = ["MARK", "ROOMS", "TARGETS", "section", "write"]

DOCUMENT = ROOT / "docs/performance.md"
MARK = "rendering"

#: What each page shows: as many tickers, or rows of a table.
ROOMS = 60

_NAMES = {"memory": "one process", "cache": "shared cache"}


def _rows(results: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = results.get(MARK, {}).get("rows", [])
    return rows


def _target(page: str, peer: str, what: str, limit: float, name: str, unit: str = "") -> Target:
    def measured(results: Mapping[str, Any]) -> float | None:
        return figure(select(_rows(results), peer=peer, page=page), name)

    return Target(what, _NAMES[peer], limit, measured, unit)


def _targets(page: str, shown: str, limit: float) -> Iterator[Target]:
    for peer in _NAMES:
        yield _target(page, peer, f"server time of {shown}", limit, "wall_ms", "ms")
    yield _target(page, "cache", f"reads of the cache for {shown}", 1, "reads")


_SHOWN = {
    "tickers": f"{ROOMS} tickers",
    "table": f"a table of {ROOMS} rows and {len(COLUMNS.split())} columns",
}
TARGETS = (
    *_targets("tickers", _SHOWN["tickers"], 25),
    *_targets("table", _SHOWN["table"], 15),
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
        rooms=ROOMS,
        columns=len(COLUMNS.split()),
        pages=results[MARK]["pages"],
        runs=len({row["run"] for row in rows}),
        targets=targets(results, TARGETS, "site"),
        table=_table(rows),
    )


def _table(rows: Sequence[Row]) -> str:
    head = ["page", "site", "server time, ms", "processor time, ms", "least, ms", "reads"]
    names = ("wall_ms", "cpu_ms", "least_cpu_ms", "reads", "kb")
    lines = [
        [shown, _NAMES[peer], *(figures(figure(own, name)) for name in names)]
        for page, shown in _SHOWN.items()
        for peer, own in by_peer(select(rows, page=page)).items()
    ]
    return table([*head, "HTML, kB"], lines)


def write(results: Mapping[str, Any]) -> Path:
    """Write the section; return the path of the document."""
    write_section(DOCUMENT, MARK, section(results))
    return DOCUMENT
