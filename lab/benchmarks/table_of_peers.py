"""The peers: their servers, feeders and protocols."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass

from lab.kit.places import BUILD, ROOT
from lab.kit.processes import Failed
from lab.kit.site import APPLICATION, SERVERS, server_command

__all__ = ["PEERS", "Peer", "command_of", "prepare_node"]


@dataclass(frozen=True)
class Peer:
    """One way to send prices to browsers."""

    name: str
    server: str
    """``uvicorn``, ``daphne``, ``broadcast`` or ``node``."""
    application: str = ""
    """The ASGI application, for the first two."""
    feeder: str = ""
    """The process between source and Redis: ``stream``, ``publisher``, or empty for none."""
    merge: bool = False
    deflate: bool = False
    """Whether the server compresses frames."""


_FLOOR = "lab.benchmarks.peers.floor:application"
_TUTORIAL = "lab.benchmarks.peers.tutorial:application"

PEERS = {
    peer.name: peer
    for peer in (
        Peer("floor-uvicorn", "uvicorn", _FLOOR),
        Peer("floor-daphne", "daphne", _FLOOR),
        Peer("ours-uvicorn", "uvicorn", APPLICATION, feeder="stream"),
        Peer("ours-daphne", "daphne", APPLICATION, feeder="stream"),
        Peer("merge-uvicorn", "uvicorn", APPLICATION, feeder="stream", merge=True),
        Peer("merge-daphne", "daphne", APPLICATION, feeder="stream", merge=True),
        Peer("ours-uvicorn-deflate", "uvicorn", APPLICATION, feeder="stream", deflate=True),
        Peer("merge-uvicorn-deflate", "uvicorn", APPLICATION, "stream", merge=True, deflate=True),
        Peer("broadcast", "broadcast"),
        Peer("node", "node"),
        Peer("tutorial-uvicorn", "uvicorn", _TUTORIAL, feeder="publisher"),
        Peer("tutorial-daphne", "daphne", _TUTORIAL, feeder="publisher"),
    )
}


def command_of(peer: Peer, port: int) -> list[str]:
    """Return the command of one web process."""
    if peer.server in SERVERS:
        return server_command(peer.server, peer.application, port, deflate=peer.deflate)
    if peer.server == "node":
        return ["node", str(ROOT / "lab/benchmarks/peers/ws.mjs"), str(port)]
    return [sys.executable, "-m", "lab.benchmarks.peers.broadcast", str(port)]


def prepare_node() -> bool:
    """Install ``ws`` for Node if it is missing; return whether it is installed."""
    if (BUILD / "node_modules/ws").is_dir():
        return True
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    BUILD.mkdir(exist_ok=True)
    command = ["npm", "install", "--prefix", str(BUILD), "--no-audit", "--no-fund", "ws@8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise Failed(f"npm could not install ws: {done.stderr[-500:]}")
    return True
