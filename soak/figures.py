"""Slopes of memory, and what came back to where it started."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .samples import Sample

__all__ = ["Slope", "names", "slope_of"]

#: 95 % of a normal distribution lie within so many deviations.
_DEVIATIONS = 1.96

#: A slope is one where it is more than this share of the memory a minute.
FLAT_SHARE = 0.001


@dataclass(frozen=True)
class Slope:
    """How a process's memory goes with time."""

    kb_per_minute: float
    error: float
    """Half of the 95 % interval around it; neighbours in time count as independent."""
    lowest_kb: int
    highest_kb: int
    samples: int

    @property
    def is_flat(self) -> bool:
        """Whether it grows by less than a thousandth a minute, or not for sure at all."""
        sure = self.kb_per_minute - self.error
        return sure <= 0 or self.kb_per_minute <= FLAT_SHARE * self.highest_kb


def names(samples: Sequence[Sample]) -> list[str]:
    """Return the processes that were looked at, in the order of their first look."""
    return list(dict.fromkeys(sample.name for sample in samples))


def slope_of(samples: Sequence[Sample], name: str, warm_up: float) -> Slope | None:
    """Fit one slope to all lives of a process, each on a level of its own.

    The first ``warm_up`` seconds of each life are left out. ``None`` where too little
    is left.
    """
    lives: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.name == name:
            lives.setdefault(sample.pid, []).append(sample)
    warm = [
        [sample for sample in life if sample.at >= life[0].at + warm_up] for life in lives.values()
    ]
    points = [point for life in warm for point in _centred(life)]
    free = len(points) - sum(bool(life) for life in warm) - 1
    spread = sum(x * x for x, _ in points)
    if free < 1 or not spread:
        return None
    slope = sum(x * y for x, y in points) / spread
    left = sum((y - slope * x) ** 2 for x, y in points)
    memory = [sample.rss_kb for life in warm for sample in life]
    error = _DEVIATIONS * math.sqrt(left / free / spread)
    return Slope(slope, error, min(memory), max(memory), len(points))


def _centred(life: Sequence[Sample]) -> list[tuple[float, float]]:
    """Return minutes and kilobytes around their means."""
    if not life:
        return []
    x_mean = sum(sample.at for sample in life) / len(life)
    y_mean = sum(sample.rss_kb for sample in life) / len(life)
    return [((sample.at - x_mean) / 60, sample.rss_kb - y_mean) for sample in life]
