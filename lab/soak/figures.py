"""Slopes of the memory of processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.kit.statistics import fit

from .samples import LEADER, Sample

__all__ = ["Slope", "names", "slope_of"]

#: Memory counts as flat if it grows by at most this share per minute.
FLAT_SHARE = 0.001


@dataclass(frozen=True)
class Slope:
    """How the memory of a process changes with time."""

    kb_per_minute: float
    error: float
    """Half of the 95 % interval."""
    lowest_kb: int
    highest_kb: int
    samples: int

    @property
    def is_flat(self) -> bool:
        """Whether it grows by at most a thousandth a minute, or by no significant amount."""
        sure = self.kb_per_minute - self.error
        return sure <= 0 or self.kb_per_minute <= FLAT_SHARE * self.highest_kb


def names(samples: Sequence[Sample]) -> list[str]:
    """Return the names of the processes in the order of their first samples."""
    return list(dict.fromkeys(sample.name for sample in samples))


def slope_of(samples: Sequence[Sample], name: str, warm_up: float) -> Slope | None:
    """Fit one slope to all lives of a process, each with its own mean.

    A stream has up to three lives: as standby, as leader, and as standby with the memory of a
    former leader. The first ``warm_up`` seconds of each life are ignored. Returns ``None`` if
    too few samples are left.
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
    fitted = fit([[(sample.at / 60, sample.rss_kb) for sample in life] for life in warm])
    if fitted is None:
        return None
    memory = [sample.rss_kb for life in warm for sample in life]
    return Slope(fitted.slope, fitted.error, min(memory), max(memory), fitted.points)
