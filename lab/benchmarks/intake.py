"""What a web process pays for an update that it takes in, if one browser watches each room."""

from __future__ import annotations

import time
from typing import Any

from .rig import Rig
from .table_of_peers import Peer

__all__ = ["RATES", "ROOMS", "ROOMS_EACH", "measure_intake"]

ROOMS = 200
ROOMS_EACH = 20
MERGE_RATE = 1

#: Updates per second of all rooms. The browsers get a frame a second, so the rest is merged.
RATES = (200, 1000, 4000)


def measure_intake(peer: Peer, seconds: float) -> list[dict[str, Any]]:
    """Measure each rate; ``intake_us`` is the processor time of the server for each update."""
    wishes = [list(range(first, first + ROOMS_EACH)) for first in range(0, ROOMS, ROOMS_EACH)]
    rows = []
    with Rig(peer, ROOMS) as rig:
        rig.rate(ROOMS)
        rig.browsers.ask(
            do="open", wishes=wishes, ports=rig.ports, merge_rate=MERGE_RATE, timeout=90
        )
        for rate in RATES:
            rig.rate(rate)
            time.sleep(1)
            row = rig.measure(seconds, MERGE_RATE)
            intake = 1e6 * row["server_load"] / row["updates_per_second"]
            rows.append({"rate": rate, "intake_us": intake, **row})
    return rows
