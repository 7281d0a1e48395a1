"""The scenarios by the names that the command uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lab.kit.site import SERVERS

from .crowds import CROWDS, measure_crowd
from .growth import measure_browsers, measure_rooms
from .ingest import measure_ingest
from .intake import measure_intake
from .machines import measure_machines
from .memory import measure_memory
from .stuck import measure_stuck
from .table_of_peers import PEERS, Peer

__all__ = ["SCENARIOS", "Row", "Scenario"]

Row = dict[str, Any]

_BESIDE_A_STUCK_ONE = tuple(f"ours-{server}" for server in SERVERS)
_WEIGHED = tuple(f"{kind}-{server}" for kind in ("floor", "ours", "merge") for server in SERVERS)


@dataclass(frozen=True)
class Scenario:
    """A measurement and the peers for which it is done."""

    peers: tuple[str, ...]
    measure: Callable[[str, float], list[Row]]
    """Measures one peer once; takes its name and the seconds of a window."""
    runs: int = 3


def _crowd(name: str, peer: str, seconds: float) -> list[Row]:
    return [measure_crowd(CROWDS[name], PEERS[peer], seconds)]


def _ingest(feeder: str, seconds: float) -> list[Row]:
    return measure_ingest(feeder, seconds / 2)


def _memory(peer: str, seconds: float) -> list[Row]:
    return [measure_memory(PEERS[peer])]


def _stuck(peer: str, seconds: float) -> list[Row]:
    return [measure_stuck(PEERS[peer], seconds)]


def _half(measure: Callable[[Peer, float], list[Row]], peer: str, seconds: float) -> list[Row]:
    """Measure with half the window, because a curve has many points."""
    return measure(PEERS[peer], seconds / 2)


def _each(measure: Callable[[Peer, float], list[Row]]) -> Callable[[str, float], list[Row]]:
    return lambda peer, seconds: measure(PEERS[peer], seconds)


SCENARIOS: Mapping[str, Scenario] = {
    **{name: Scenario(crowd.peers, partial(_crowd, name)) for name, crowd in CROWDS.items()},
    "memory": Scenario(_WEIGHED, _memory),
    "stuck": Scenario(_BESIDE_A_STUCK_ONE, _stuck),
    "growth-browsers": Scenario(
        ("ours-uvicorn", "tutorial-uvicorn"), partial(_half, measure_browsers)
    ),
    "growth-rooms": Scenario(("ours-uvicorn",), partial(_half, measure_rooms)),
    "machines": Scenario(("merge-uvicorn",), partial(_half, measure_machines)),
    "intake": Scenario(("merge-uvicorn", "merge-daphne"), _each(measure_intake)),
    "ingest": Scenario(("stream", "publisher"), _ingest),
}
