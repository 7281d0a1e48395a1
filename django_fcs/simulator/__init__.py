"""An FCS v4 server for development and tests, with its price sources and faults."""

from __future__ import annotations

from .faults import Faults
from .replays import Replay
from .server import Simulator
from .sources import RandomWalk

__all__ = ["Faults", "RandomWalk", "Replay", "Simulator"]
