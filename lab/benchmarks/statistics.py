"""Medians, percentiles and ratios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["median", "percentile", "percentiles", "slope"]


def median(values: Iterable[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent do not exceed (nearest rank)."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def percentiles(ages: Iterable[float]) -> dict[str, float | None]:
    """Return p50, p99 and the maximum of ages in seconds, as milliseconds."""
    ordered = sorted(ages)
    if not ordered:
        return {"p50_ms": None, "p99_ms": None, "max_ms": None, "timed": 0}
    return {
        "p50_ms": percentile(ordered, 50) * 1000,
        "p99_ms": percentile(ordered, 99) * 1000,
        "max_ms": ordered[-1] * 1000,
        "timed": len(ordered),
    }


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line that fits best (least squares)."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
