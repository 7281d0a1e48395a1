"""The performance targets of the project, compared with what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .ingest import AGE_MS
from .summary import Row, figure, ratio, select

__all__ = ["TARGETS", "Target"]

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A figure and its limit."""

    what: str
    server: str
    limit: float
    measured: Callable[[Results], float | None]
    unit: str = ""
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Tell whether a figure is within the limit."""
        return value >= self.limit if self.at_least else value <= self.limit


def _rows(results: Results, scenario: str) -> list[Row]:
    rows: list[Row] = results.get(scenario, {}).get("rows", [])
    return rows


def _ratio(
    scenario: str, peer: str, base: str, value: str = "server_us"
) -> Callable[[Results], float | None]:
    return lambda results: ratio(_rows(results, scenario), peer, base, value)


def _above_the_floor(server: str, kind: str) -> Callable[[Results], float | None]:
    def kilobytes(results: Results) -> float | None:
        rows = _rows(results, "memory")
        ours = figure(select(rows, peer=f"{kind}-{server}"), "bytes_per_socket")
        floor = figure(select(rows, peer=f"floor-{server}"), "bytes_per_socket")
        return None if ours is None or floor is None else (ours - floor) / 1000

    return kilobytes


def _beside_a_stuck_one(server: str) -> Callable[[Results], float | None]:
    def times(results: Results) -> float | None:
        rows = select(_rows(results, "stuck"), peer=f"ours-{server}")
        return figure(rows, lambda row: row["beside_p99_ms"] / row["alone_p99_ms"])

    return times


def _growth_by_a_stuck_one(server: str) -> Callable[[Results], float | None]:
    def kilobytes(results: Results) -> float | None:
        rows = select(_rows(results, "stuck"), peer=f"ours-{server}")
        return figure(rows, lambda row: row["growth_bytes"] / 1024)

    return kilobytes


def _young_enough(results: Results) -> float | None:
    """Return the median over runs of the highest rate at which no price was too old."""
    rows = select(_rows(results, "ingest"), peer="stream", kind="step")
    by_run: dict[int, float] = {row["run"]: 0.0 for row in rows}
    for row in rows:
        if row["max_ms"] is not None and row["max_ms"] <= AGE_MS:
            by_run[row["run"]] = max(by_run[row["run"]], row["taken_per_second"])
    return figure([{"best": best} for best in by_run.values()], "best")


def _age_in_a_flood(results: Results) -> float | None:
    return figure(select(_rows(results, "ingest"), kind="flood"), "max_ms")


_FLOOR = "server CPU per price ÷ bare ASGI floor"
_TUTORIAL = "hot room: server CPU per price ÷ tutorial consumer"
_MERGED = "watch lists, merged at 4 frames/s: server CPU per price ÷ floor with one frame per price"

TARGETS = (
    *(
        Target(
            f"{label}: {_FLOOR}", server, 1.15, _ratio(name, f"ours-{server}", f"floor-{server}")
        )
        for name, label in (("hot-room", "hot room"), ("light", "light hot room"))
        for server in ("uvicorn", "daphne")
    ),
    Target(_TUTORIAL, "uvicorn", 1 / 14, _ratio("hot-room", "ours-uvicorn", "tutorial-uvicorn")),
    Target(_TUTORIAL, "daphne", 1 / 8, _ratio("hot-room", "ours-daphne", "tutorial-daphne")),
    Target(_MERGED, "uvicorn", 0.5, _ratio("watch-lists", "merge-uvicorn", "floor-uvicorn")),
    Target(_MERGED, "daphne", 0.3, _ratio("watch-lists", "merge-daphne", "floor-daphne")),
    Target(
        "home page, merged at 10 frames/s: server CPU per browser per second ÷ Node's `ws` "
        "sending every update",
        "uvicorn",
        0.35,
        _ratio("home-page", "merge-uvicorn", "node", "server_load"),
    ),
    *(
        Target(f"memory per socket above the floor, {label}", server, 12, measured, "kB")
        for kind, label in (("ours", "one object per frame"), ("merge", "merged"))
        for server in ("uvicorn", "daphne")
        for measured in (_above_the_floor(server, kind),)
    ),
    Target(
        "light hot room: p99 latency through Redis ÷ p99 latency of the floor",
        "uvicorn",
        2,
        _ratio("light", "ours-uvicorn", "floor-uvicorn", "p99_ms"),
    ),
    Target(
        "light hot room: p99 latency through Redis ÷ p99 latency of the floor",
        "daphne",
        1.5,
        _ratio("light", "ours-daphne", "floor-daphne", "p99_ms"),
    ),
    *(
        Target(
            "p99 latency of the 500 other browsers: with a stuck browser ÷ without one",
            server,
            1.2,
            measured,
        )
        for server in ("uvicorn", "daphne")
        for measured in (_beside_a_stuck_one(server),)
    ),
    *(
        Target("server memory used by one stuck browser", server, 256, measured, "KiB")
        for server in ("uvicorn", "daphne")
        for measured in (_growth_by_a_stuck_one(server),)
    ),
    Target(
        f"ingest: highest rate with no price older than {AGE_MS} ms at Redis",
        "stream",
        20000,
        _young_enough,
        "per second",
        at_least=True,
    ),
    Target(
        "flood at twice the highest sustained rate: oldest price that a browser saw",
        "stream",
        1000,
        _age_in_a_flood,
        "ms",
    ),
)
