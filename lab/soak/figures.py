"""Slopes of memory, and what came back to where it started."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .samples import LEADER, Sample

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
    """Half of the 95 % interval around it; samples that say what the one before said count less."""
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

    A stream lives as standby, as leader and, with what a leader needs, as standby again. The
    first ``warm_up`` seconds of each life are left out. ``None`` where too little is left.
    """
    lives: dict[tuple[int, bool], list[Sample]] = {}
    led: set[int] = set()
    for sample in samples:
        if sample.name == LEADER:
            led.add(sample.pid)
        if sample.name == name:
            lives.setdefault((sample.pid, sample.pid in led), []).append(sample)
    warm = [
        [sample for sample in life if sample.at >= life[0].at + warm_up] for life in lives.values()
    ]
    centred = [_centred(life) for life in warm if life]
    points = [point for life in centred for point in life]
    spread = sum(x * x for x, _ in points)
    fitted = len(centred) + 1
    if len(points) <= fitted or not spread:
        return None
    slope = sum(x * y for x, y in points) / spread
    left = [[y - slope * x for x, y in life] for life in centred]
    squares = sum(rest * rest for life in left for rest in life)
    alike = sum(one * other for life in left for one, other in pairwise(life))
    share = _independent_share(alike / squares if squares else 0.0)
    free = max(1.0, len(points) * share - fitted)
    memory = [sample.rss_kb for life in warm for sample in life]
    error = _DEVIATIONS * math.sqrt(squares / free / spread)
    return Slope(slope, error, min(memory), max(memory), len(points))


def _independent_share(alike: float) -> float:
    """Return how many of the samples count, by how neighbours correlate.

    Memory goes in steps, and all samples after one step say the same. Where neighbours correlate
    by r, n samples count as n (1 - r) / (1 + r): Santer et al., J. Geophys. Res. 105 (2000), 7337,
    https://doi.org/10.1029/1999JD901105
    """
    return min(1.0, (1 - alike) / (1 + alike))


def _centred(life: Sequence[Sample]) -> list[tuple[float, float]]:
    """Return minutes and kilobytes around their means."""
    if not life:
        return []
    x_mean = sum(sample.at for sample in life) / len(life)
    y_mean = sum(sample.rss_kb for sample in life) / len(life)
    return [((sample.at - x_mean) / 60, sample.rss_kb - y_mean) for sample in life]
