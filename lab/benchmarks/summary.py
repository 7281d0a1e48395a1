"""Combine the rows of many runs into one figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lab.kit.statistics import median

__all__ = ["Row", "by_peer", "figure", "ratio", "select", "spread"]

Row = dict[str, Any]
Value = str | Callable[[Row], float | None]


def select(rows: Sequence[Row], **wanted: Any) -> list[Row]:
    """Return the rows with these values."""
    return [row for row in rows if all(row.get(name) == wanted[name] for name in wanted)]


def by_peer(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each peer, in the order in which the peers first appear."""
    peers = dict.fromkeys(row["peer"] for row in rows)
    return {peer: select(rows, peer=peer) for peer in peers}


def _values(rows: Sequence[Row], value: Value) -> list[float]:
    found = [row.get(value) if isinstance(value, str) else value(row) for row in rows]
    return [each for each in found if each is not None]


def figure(rows: Sequence[Row], value: Value) -> float | None:
    """Return the median over runs; ``None`` if nothing was measured."""
    values = _values(rows, value)
    return median(values) if values else None


def spread(rows: Sequence[Row], value: Value) -> tuple[float, float] | None:
    """Return the lowest and the highest value of all runs."""
    values = _values(rows, value)
    return (min(values), max(values)) if values else None


def ratio(rows: Sequence[Row], peer: str, base: str, value: Value) -> float | None:
    """Return the median of the ratios of ``peer`` to ``base``, each within one run."""
    ratios = []
    for run in sorted({row["run"] for row in rows}):
        above = _values(select(rows, run=run, peer=peer), value)
        below = _values(select(rows, run=run, peer=base), value)
        if above and below and below[0]:
            ratios.append(above[0] / below[0])
    return median(ratios) if ratios else None
