"""The faults of a run and their times, drawn before the start, so that a seed repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

__all__ = ["Fault", "schedule"]

#: The mean and the shortest time between two faults, in seconds.
GAP_SECONDS = 20
GAP_MIN_SECONDS = 6

#: There are no faults in the first and the last seconds of a run.
CALM_SECONDS = 10

_KINDS = (
    *("vendor resets",) * 3,
    *("vendor sends malformed frames",) * 3,
    *("browsers stall",) * 4,
    *("browsers send nonsense",) * 4,
    *("redis closes connections",) * 3,
    "redis restarts",
)


@dataclass(frozen=True)
class Fault:
    """A fault, ``at`` seconds after the start."""

    at: float
    kind: str
    details: dict[str, Any] = field(default_factory=dict)


def schedule(random: Random, seconds: float, to_kill: Sequence[str]) -> list[Fault]:
    """Draw all faults of a run, in order.

    Each of ``to_kill`` is killed in the middle third of the run, because a slope of its memory
    needs some time before and after.
    """
    faults = [
        Fault(seconds * (1 + random.random()) / 3, f"{name} killed", {"name": name})
        for name in to_kill
    ]
    at = CALM_SECONDS + random.expovariate(1 / GAP_SECONDS)
    while at < seconds - CALM_SECONDS:
        kind = random.choice(_KINDS)
        faults.append(Fault(at, kind, _details(random, kind)))
        at += GAP_MIN_SECONDS + random.expovariate(1 / (GAP_SECONDS - GAP_MIN_SECONDS))
    return sorted(faults, key=lambda fault: fault.at)


def _details(random: Random, kind: str) -> dict[str, Any]:
    if kind == "vendor sends malformed frames":
        return {"seconds": random.randrange(2, 10)}
    if kind == "browsers stall":
        return {"count": random.randrange(1, 10), "seconds": random.randrange(5, 40)}
    if kind == "browsers send nonsense":
        return {"count": random.randrange(1, 20)}
    if kind == "redis restarts":
        return {"down": random.choice((0.5, 2, 8))}
    return {}
