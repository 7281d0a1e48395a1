"""The effect of one browser that stops reading on a crowd that reads."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from .rig import Rig
from .table_of_peers import Peer

__all__ = ["measure_stuck"]

#: All 500 browsers watch the first room, and 199 of them one other room each, so the server
#: has the prices of all rooms anyway. The stuck browser joins all rooms.
_ROOMS = 200
_WISHES = [[0, number] if 0 < number < _ROOMS else [0] for number in range(500)]
_UPDATES_PER_SECOND = 5 * _ROOMS

SLOW_CLIENT_SECONDS = 12

#: Number of stuck browsers while the memory of the server is measured.
MANY = 20

#: How long to wait until the server closes the connection, in seconds.
_PATIENCE_SECONDS = 30

_ESTABLISHED = "01"


def measure_stuck(peer: Peer, seconds: float) -> dict[str, Any]:
    """Measure the crowd alone and with a stuck browser, and the server's memory with many."""
    environment = {"LAB_SLOW_CLIENT_SECONDS": str(SLOW_CLIENT_SECONDS)}
    with Rig(peer, _ROOMS, environment=environment) as rig:
        rig.rate(_ROOMS)
        how: dict[str, Any] = {"ports": rig.ports, "merge_rate": 10 if peer.merge else None}
        rig.browsers.ask(do="open", wishes=_WISHES, **how, timeout=90)
        rig.wait_for_rooms()
        rig.rate(_UPDATES_PER_SECOND)
        time.sleep(2)
        alone = rig.measure(seconds)
        stuck = rig.browsers.ask(do="open_stuck", rooms=_ROOMS, count=1, **how)
        ending = _beside(rig, stuck["local_port"], seconds)
        weight = _weight_of_many(rig, how)
    return {
        **{f"alone_{name}": value for name, value in alone.items()},
        "growth_bytes": weight / MANY,
        "due_bytes": ending.pop("updates") * alone["bytes_per_price"],
        **ending,
    }


def _weight_of_many(rig: Rig, how: dict[str, Any]) -> float:
    """Return how much the server's memory grew; the growth by one would be lost in the noise."""
    before = rig.servers[0].memory().rss
    rig.browsers.ask(do="open_stuck", rooms=_ROOMS, count=MANY, **how)
    heaviest = before
    until = time.monotonic() + SLOW_CLIENT_SECONDS
    while time.monotonic() < until:
        heaviest = max(heaviest, rig.servers[0].memory().rss)
        time.sleep(0.5)
    return float(heaviest - before)


class _Vigil(threading.Thread):
    """Watches the connection of the stuck browser until the server closes it."""

    def __init__(self, server_port: int, client_port: int) -> None:
        super().__init__(daemon=True)
        self._ports = (server_port, client_port)
        self.closed_after: float | None = None

    def run(self) -> None:
        began = time.monotonic()
        while time.monotonic() < began + _PATIENCE_SECONDS:
            if not _is_open(*self._ports):
                self.closed_after = time.monotonic() - began
                return
            time.sleep(0.5)


def _beside(rig: Rig, local_port: int, seconds: float) -> dict[str, Any]:
    sent = rig.source.ask(do="count")["sent"]
    vigil = _Vigil(rig.ports[0], local_port)
    vigil.start()
    time.sleep(1)
    beside = rig.measure(seconds)
    vigil.join()
    updates = rig.source.ask(do="count")["sent"] - sent
    drained = rig.browsers.ask(do="drain")
    return {
        **{f"beside_{name}": value for name, value in beside.items()},
        "updates": updates,
        "closed_after_seconds": vigil.closed_after,
        "close_code": drained["close_code"],
        "received_bytes": drained["bytes"],
    }


def _is_open(server_port: int, client_port: int) -> bool:
    """Tell whether the server's end is open: a client that does not read cannot notice."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, remote, state = line.split()[1:4]
        ports = int(local.partition(":")[2], 16), int(remote.partition(":")[2], 16)
        if ports == (server_port, client_port):
            return state == _ESTABLISHED
    return False
