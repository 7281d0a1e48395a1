"""The table of the page, from the rows that the tests left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lab.kit.machine import describe
from tests.support.stalls import STALL_SECONDS

__all__ = ["broken", "section", "table"]

Row = dict[str, Any]

#: The order of the table, by the beginnings of names.
ORDER = (
    *("Upstream", "Connected", "One room", "Slow", "Refused", "Restart with", "Malformed"),
    *("Truncated", "Oversized", "Wall clock", "Redis restart", "Redis black-holed for 30 s"),
    *("Cache", "Redis out", "Layer", "Leader SIGKILL", "Leader SIGTERM", "Leader SIGSTOP"),
    *("Two streams", "Web SIGKILL", "Web SIGTERM", "A browser", "1,000", "Join", "Group", "Laptop"),
    *("Closed", "History", "Upstream and history", "Stream and history"),
)
COLUMNS = (
    *("fault", "layer", "visitors see", "gap", "recovery", "lost", "outdated"),
    *("falsely live", "out of order"),
)
LAYERS = {"pubsub": "pub/sub", "core": "core", "": "–"}

_NOT_OF_THIS = ("Node", "ws")


def section(rows: Iterable[Row]) -> str:
    """Return the part of the page that figures stand in."""
    machine = describe()
    where = [machine.pop(name) for name in ("date", "processor", "memory", "system")]
    versions = [f"{name} {text}" for name, text in machine.items() if name not in _NOT_OF_THIS]
    return (
        f"{table(rows)}\n\nMeasured on {where[0]} with {where[1]}, {where[2]} memory, {where[3]}; "
        f"{', '.join(versions)}."
    )


def table(rows: Iterable[Row]) -> str:
    """Return the table: a line a row, in the order of the page."""
    lines = [_line(row) for row in sorted(rows, key=_place)]
    head = [f"| {' | '.join(COLUMNS)} |", "|---" * 3 + "|---:" * (len(COLUMNS) - 3) + "|"]
    return "\n".join(head + lines)


def broken(rows: Iterable[Row]) -> list[str]:
    """Name the rows whose promises were not kept, with what they say."""
    return [
        f"{row['fault']} ({LAYERS[row['layer']]}): {row['falsely_live']} falsely live, "
        f"{row['out_of_order']} out of order"
        for row in sorted(rows, key=_place)
        if row["falsely_live"] or row["out_of_order"]
    ]


def _place(row: Row) -> tuple[int, str, str]:
    places = [place for place, name in enumerate(ORDER) if row["fault"].startswith(name)]
    return places[-1] if places else len(ORDER), row["fault"], row["layer"]


def _line(row: Row) -> str:
    cells = (
        f"**{row['fault']}**" + _remarks(row),
        LAYERS[row["layer"]],
        _seen(row["changes"]),
        f"{row['longest_gap']:.1f}",
        f"{row['recovery']:.1f}",
        f"{row['lost']:,} of {row['of']:,}",
        f"{row['outdated']:.1f}",
        str(row["falsely_live"]),
        str(row["out_of_order"]),
    )
    return f"| {' | '.join(cells)} |"


def _remarks(row: Row) -> str:
    remarks = [row["note"]] if row["note"] else []
    if row["stalled"] > STALL_SECONDS:
        remarks.append(f"the machine stalled for {row['stalled']:.1f} s")
    return f" ({'; '.join(remarks)})" if remarks else ""


def _seen(changes: list[tuple[str, str, float, float]]) -> str:
    """Tell what a viewer was told, and when."""
    told = []
    for state, reason, first, last in changes:
        when = f"{first:.1f}" if last - first < 0.1 else f"{first:.1f}–{last:.1f}"
        told.append(f"{when} s: {state}" + (f" “{reason}”" if reason else ""))
    return "; ".join(told) or "live throughout"
