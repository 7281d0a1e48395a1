"""How long a hub works before others get their turn, and how much it sends on trust."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STEADY", "Flow"]


@dataclass(frozen=True)
class Flow:
    """Limits of a hub and of each of its browsers."""

    turn: float = 0.05
    """How many seconds prices are passed on before the rest of the process gets a turn.

    Not fewer: a server sends in one write what it has not written when the next price comes.
    """
    behind: float = 0.1
    """After a burst that took longer, in seconds, only the newest prices of the next are sent."""
    ping_size: int = 64_000
    """How many characters, not proved to be read, cause a ping."""
    window_size: int = 128_000
    """How many of them make prices wait."""


STEADY = Flow()
