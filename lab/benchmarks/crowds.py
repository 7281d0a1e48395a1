"""Scenarios that measure each peer with the same crowd of browsers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.kit.site import SERVERS

from .rig import Rig
from .table_of_peers import PEERS, Peer

__all__ = ["CROWDS", "Crowd", "measure_crowd"]

#: The rate of the source while browsers join: at the real rate, a peer that cannot keep up
#: would never accept all of them.
_JOINING_RATE = 4

_WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Crowd:
    """A number of browsers, the rooms that they watch, and the rate of updates."""

    rooms: int
    browsers: int
    rooms_each: int
    updates_per_second: float
    merge_rate: float
    peers: tuple[str, ...]


_ALL = tuple(name for name in PEERS if not PEERS[name].deflate)
_UNMERGED = tuple(name for name in _ALL if not PEERS[name].merge)
_ASGI = tuple(name for name in _ALL if PEERS[name].server in SERVERS)

CROWDS: Mapping[str, Crowd] = {
    "hot-room": Crowd(1, 500, 1, 50, 10, _ALL),
    "light": Crowd(1, 100, 1, 20, 10, _UNMERGED),
    "watch-lists": Crowd(200, 300, 20, 200, 4, _ASGI),
    "deflate-lists": Crowd(*(200, 300, 20, 200, 4), ("merge-uvicorn", "merge-uvicorn-deflate")),
    "deflate-room": Crowd(*(1, 500, 1, 20, 10), ("ours-uvicorn", "ours-uvicorn-deflate")),
    "home-page": Crowd(1, 1000, 1, 50, 10, ("merge-uvicorn", "merge-daphne", "node")),
}


def measure_crowd(crowd: Crowd, peer: Peer, seconds: float) -> dict[str, Any]:
    """Set up the peer, connect the crowd, and measure one window."""
    merge_rate = crowd.merge_rate if peer.merge else None
    with Rig(peer, crowd.rooms) as rig:
        rig.rate(max(_JOINING_RATE, crowd.rooms))
        rig.browsers.ask(
            do="open",
            count=crowd.browsers,
            ports=rig.ports,
            rooms=crowd.rooms,
            rooms_each=crowd.rooms_each,
            merge_rate=merge_rate,
            deflate=peer.deflate,
            timeout=90,
        )
        rig.wait_for_rooms()
        rig.rate(crowd.updates_per_second)
        time.sleep(_WARM_UP_SECONDS)
        return rig.measure(seconds, merge_rate)
