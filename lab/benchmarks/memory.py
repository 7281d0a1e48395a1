"""The memory that one more socket needs."""

from __future__ import annotations

import time
from typing import Any

from lab.kit.statistics import slope

from .rig import Rig
from .table_of_peers import Peer

__all__ = ["measure_memory"]

_ROOMS = 200
_SOCKETS = (500, 2000)
_SETTLE_SECONDS = 2


def measure_memory(peer: Peer) -> dict[str, Any]:
    """Measure the memory of the web process with 500 and with 2,000 browsers.

    Each browser watches one of the rooms, which change once a second.
    """
    with Rig(peer, _ROOMS) as rig:
        rig.rate(_ROOMS)
        opened, points = 0, []
        for sockets in _SOCKETS:
            rig.browsers.ask(
                do="open",
                count=sockets - opened,
                ports=rig.ports,
                rooms=_ROOMS,
                merge_rate=4 if peer.merge else None,
                seed=sockets,
                timeout=90,
            )
            opened = sockets
            time.sleep(_SETTLE_SECONDS)
            points.append((float(sockets), float(rig.servers[0].memory().pss)))
    return {"bytes_per_socket": slope(points), "points": points}
