"""How often the ends of a connection are heard, in seconds: what both sides count on."""

from __future__ import annotations

__all__ = ["PONG_SECONDS"]

#: A vendor that is well is heard this often at least: it answers pings where nothing ticks.
PONG_SECONDS = 3
