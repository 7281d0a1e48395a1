"""The section of ``docs/performance.md`` about charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.benchmarks.page.tab import HEIGHT, LONG_MS, WIDTH
from lab.benchmarks.summary import Row, figure, select
from lab.benchmarks.tables import targets
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures, table, write_section
from lab.kit.places import ROOT

from .measure import CALLS, DRAGGED
from .pages import CHARTS, FRAMES_PER_SECOND, UPDATES_PER_SECOND
from .printed import BARS

__all__ = ["MARK", "TARGETS", "section", "write"]

DOCUMENT = ROOT / "docs/performance.md"
MARK = "charts"

_SITES = {"memory": "one process", "cache": "with a cache"}
_PAGE = f"page of {CHARTS} charts"


def _rows(results: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = results.get(MARK, {}).get("rows", [])
    return rows


def _target(
    what: str, of: str, limit: float, peer: str, name: str, unit: str = "", *, times: float = 1
) -> Target:
    def measured(results: Mapping[str, Any]) -> float | None:
        value = figure(select(_rows(results), peer=peer), name)
        return None if value is None else value * times

    return Target(what, of, limit, measured, unit)


_TAG = f"server time of the tag, {BARS} candles, read from the store"

TARGETS = (
    *(_target(_TAG, of, 3, peer, "read_ms", "ms") for peer, of in _SITES.items()),
    _target(f"HTML of {BARS} candles, gzipped", "the tag", 5, "sizes", "html_kb", "kB"),
    _target("scripts that come near it, gzipped", "a chart", 12, "sizes", "script_kb", "kB"),
    _target("stylesheet, gzipped", "a chart", 3, "sizes", "style_kb", "kB"),
    _target("script, style and layout of a frame, p95", "a drag", 8, "drag", "p95_ms", "ms"),
    _target("share of the main thread", _PAGE, 20, "page", "main_thread", "%", times=100),
    _target(f"tasks over {LONG_MS} ms", _PAGE, 0, "page", "long_tasks"),
    _target("layout shift from the first paint on", _PAGE, 0, "page", "layout_shift"),
)


def section(results: Mapping[str, Any]) -> str:
    """Return the section as Markdown; nothing if charts were not measured."""
    rows = _rows(results)
    if not rows:
        return ""
    machine = results[MARK]["machine"]
    [chromium, *_] = [row["chromium"] for row in rows if "chromium" in row]
    template = Template(Path(__file__).with_name("section.md").read_text())
    return template.substitute(
        machine=f"{machine['date']} with {machine['processor']}, Python {machine['Python']}, "
        f"Django {machine['Django']} and Chromium {chromium}",
        bars=BARS,
        calls=CALLS,
        dragged=f"{DRAGGED:,}",
        charts=CHARTS,
        updates=UPDATES_PER_SECOND,
        frames=FRAMES_PER_SECOND,
        width=WIDTH,
        height=HEIGHT,
        seconds=f"{results[MARK]['seconds']:g}",
        runs=len({row["run"] for row in rows}),
        targets=targets(results, TARGETS, "of"),
        tag=_tag(rows),
        browser=_browser(rows),
    )


def _tag(rows: Sequence[Row]) -> str:
    lines = []
    for peer, name in _SITES.items():
        own = select(rows, peer=peer)
        lines.append([name, *(figures(figure(own, key)) for key in ("read_ms", "copied_ms"))])
    return table(["site", "read, ms", "copy, ms"], lines)


def _browser(rows: Sequence[Row]) -> str:
    dragged, page = select(rows, peer="drag"), select(rows, peer="page")
    sizes = select(rows, peer="sizes")
    lines = [
        ["frames of the drag", figures(figure(dragged, "frames"))],
        ["a frame of the drag, median, ms", figures(figure(dragged, "p50_ms"))],
        ["a frame of the drag, longest, ms", figures(figure(dragged, "longest_ms"))],
        ["page: updates a second shown by frames", figures(figure(page, "prices_per_second"))],
        ["page: longest task over the limit, ms", figures(figure(page, "longest_ms"))],
        ["page: growth of the heap, MB", figures(figure(page, "heap_growth_mb"))],
        ["script for pointers and keys, gzipped, kB", figures(figure(sizes, "visitor_kb"))],
    ]
    return table(["what", "measured"], lines)


def write(results: Mapping[str, Any]) -> Path:
    """Write the section; return the path of the document."""
    write_section(DOCUMENT, MARK, section(results))
    return DOCUMENT
