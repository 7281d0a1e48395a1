"""Write ``docs/performance.md`` from the saved figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.kit.markdown import figures, marked
from lab.kit.places import ROOT

from . import tables
from .browsers import TIMED
from .candles import report as candles
from .drawings import draw_all
from .ingest import AGE_MS
from .machines import BUSY, growth_of
from .page import report as page
from .rendering import report as rendering
from .rig import STOLEN_MAX
from .stuck import MANY, SLOW_CLIENT_SECONDS
from .summary import Row, figure, select

__all__ = ["write_page"]

PAGE = ROOT / "docs/performance.md"
IMAGES = ROOT / "docs/images/performance"

_NOT_MEASURED = "*Not measured.*"

_TABLES: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "hot-room": tables.crowd,
    "light": tables.crowd,
    "watch-lists": tables.crowd,
    "home-page": tables.crowd,
    "memory": tables.memory,
    "stuck": tables.stuck,
    "growth-browsers": lambda rows: tables.growth(rows, "browsers"),
    "growth-rooms": lambda rows: tables.growth(rows, "rooms"),
    "deflate-lists": tables.deflate,
    "deflate-room": tables.deflate,
    "machines": tables.machines,
    "ingest": tables.ingest,
}


def write_page(results: Mapping[str, Any]) -> Path:
    """Draw all plots and write the page; return its path."""
    rows = {name: figures["rows"] for name, figures in results.items()}
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, image in draw_all(rows).items():
        (IMAGES / f"{name}.svg").write_text(image)
    template = Template((Path(__file__).parent / "page.md").read_text())
    PAGE.write_text(template.substitute(_words(results, rows)).rstrip() + "\n")
    return PAGE


def _words(results: Mapping[str, Any], rows: Mapping[str, Sequence[Row]]) -> dict[str, object]:
    drawn = {
        name.replace("-", "_"): to_table(rows[name]) if rows.get(name) else _NOT_MEASURED
        for name, to_table in _TABLES.items()
    }
    hot = results.get("hot-room", {})
    return {
        **drawn,
        "page": marked(page.MARK, page.section(results)),
        "candles": marked(candles.MARK, candles.section(results)),
        "rendering": marked(rendering.MARK, rendering.section(results)),
        "machine": _machine(results),
        "targets": tables.targets(results),
        "flood": _flood(rows.get("ingest", ())),
        "large_sites": tables.large_sites(rows.get("machines", ())) or _NOT_MEASURED,
        "fitted": _fitted(rows.get("machines", ())),
        "busy": f"{100 * BUSY:.0f}",
        "redis": tables.redis(rows.get("ingest", ())),
        "timed": TIMED,
        "seconds": f"{hot.get('seconds', 0):g}",
        "runs": _runs(rows.get("hot-room", ())),
        "age": AGE_MS,
        "stolen": f"{100 * STOLEN_MAX:g}",
        "most_stolen": _most_stolen(rows),
        "slow_client_seconds": SLOW_CLIENT_SECONDS,
        "many": MANY,
        "load": figures(figure(select(rows.get("hot-room", ()), peer="floor-uvicorn"), "load_us")),
        "capacity": _capacity(),
    }


def _most_stolen(rows: Mapping[str, Sequence[Row]]) -> str:
    names = ("stolen", "alone_stolen", "beside_stolen")
    shares = [row.get(name) or 0.0 for own in rows.values() for row in own for name in names]
    return f"{100 * max(shares, default=0.0):.0f}"


def _runs(rows: Sequence[Row]) -> str:
    runs = len({row["run"] for row in rows})
    return f"{runs} runs" if runs > 1 else "a single run"


def _capacity() -> str:
    if not (ROOT / "docs/capacity.md").exists():
        return ""
    return "\n[Capacity](capacity.md) applies these figures to your own site."


def _machine(results: Mapping[str, Any]) -> str:
    if not results:
        return _NOT_MEASURED
    machine: dict[str, str] = max(
        (figures["machine"] for figures in results.values()), key=lambda machine: machine["date"]
    )
    software = [name for name in machine if name not in ("date", "processor", "memory", "system")]
    versions = ", ".join(f"{name} {machine[name]}" for name in software)
    return (
        f"Measured on {machine['date']} with {machine['processor']}, {machine['memory']} memory, "
        f"{machine['system']}.\n{versions}."
    )


def _fitted(rows: Sequence[Row]) -> str:
    growth = growth_of(rows)
    if growth is None:
        return _NOT_MEASURED
    return (
        f"A web process that takes in the updates of all rooms has {figures(100 * growth.process)} "
        f"% of a core to do, and each of its browsers {figures(100 * growth.browser)} %. A further "
        f"web process changes the load of the others by {figures(100 * growth.more_processes)} % "
        f"of a core. Redis needs {figures(1e6 * growth.redis)} µs for an update, and "
        f"{figures(1e6 * growth.subscriber)} µs more for each web process."
    )


def _flood(rows: Sequence[Row]) -> str:
    floods = select(rows, kind="flood")
    if not floods:
        return _NOT_MEASURED
    names = ("offered_per_second", "taken_per_second", "p50_ms", "p99_ms", "max_ms")
    offered, taken, p50, p99, oldest = (figures(figure(floods, name)) for name in names)
    return (
        f"After these steps, the source floods the stream with {offered} updates per second, "
        f"twice the highest rate that it kept up with. The stream receives {taken} of them per "
        f"second. A browser that watches 20 of the rooms sees prices that are {p50} ms old (p50), "
        f"{p99} ms (p99) and at most {oldest} ms."
    )
