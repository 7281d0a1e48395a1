"""Medians, percentiles and slopes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Fit", "fit", "median", "percentile", "percentiles", "slope"]

Points = Sequence[tuple[float, float]]

#: 95 % of a normal distribution lie within this many standard deviations.
_DEVIATIONS = 1.96


@dataclass(frozen=True)
class Fit:
    """A slope and its error."""

    slope: float
    error: float
    """Half of the 95 % interval. Points that correlate with their neighbours count less."""
    points: int


def median(values: Iterable[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest value that ``percent`` of all do not exceed (nearest rank)."""
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


def slope(points: Points) -> float:
    """Return the slope of the straight line that fits best (least squares)."""
    return _slope(_centred(points))


def fit(parts: Sequence[Points]) -> Fit | None:
    """Fit one slope to several parts, each with its own mean.

    Returns ``None`` if there are too few points.
    """
    centred = [_centred(part) for part in parts if part]
    points = [point for part in centred for point in part]
    spread = sum(x * x for x, _ in points)
    fitted = len(centred) + 1
    if len(points) <= fitted or not spread:
        return None
    steep = _slope(points)
    left = [[y - steep * x for x, y in part] for part in centred]
    squares = sum(rest * rest for part in left for rest in part)
    alike = sum(one * other for part in left for one, other in pairwise(part))
    share = _independent_share(alike / squares if squares else 0.0)
    free = max(1.0, len(points) * share - fitted)
    return Fit(steep, _DEVIATIONS * math.sqrt(squares / free / spread), len(points))


def _slope(centred: Points) -> float:
    return sum(x * y for x, y in centred) / sum(x * x for x, _ in centred)


def _centred(points: Points) -> Points:
    """Return the points relative to their means."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    return [(x - x_mean, y - y_mean) for x, y in points]


def _independent_share(alike: float) -> float:
    """Return the share of points that count as independent, from the correlation of neighbours.

    Memory grows in steps, and all samples after a step have the same value. If neighbours have
    the correlation r, n samples count as n (1 - r) / (1 + r): Santer et al., J. Geophys. Res. 105
    (2000), 7337, https://doi.org/10.1029/1999JD901105
    """
    return min(1.0, (1 - alike) / (1 + alike))
