"""What a stream says of itself once a second, for those who run the site."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import msgspec

__all__ = ["GrowthRate", "Report", "StreamStatus"]


class Report(msgspec.Struct, frozen=True):
    """How the stream was doing. Times are unix seconds."""

    at: float
    epoch: int
    rooms: tuple[str, ...]
    """All that it wants, as ``FX:EURUSD_1D``."""
    joined: int
    """How many of them the vendor has confirmed."""
    updates_per_second: float
    last_at: float | None
    """When the last price came in."""
    leader: bool
    """Whether it leads. True also where there is no lease: it leads alone."""
    counts: dict[str, int]
    """All counters of its process since that began."""


@dataclass(frozen=True)
class StreamStatus:
    """What a person at the terminal wants to know."""

    is_leader: bool
    """Else it stands by; ``reason`` then says why Redis cannot be asked, if it cannot."""
    online: bool
    reason: str
    wanted: int
    joined: int
    updates: int
    """Price frames taken in since the start."""
    last_at: float | None
    """When the last of them came in, unix seconds."""


class GrowthRate:
    """How fast a total grows, by its last ``readings``; one at the same time replaces."""

    def __init__(self, readings: int = 10) -> None:
        self._readings: deque[tuple[float, int]] = deque(maxlen=readings + 1)

    def note(self, total: int, now: float) -> float:
        """Note a reading, in seconds of any clock; return the growth a second."""
        if self._readings and self._readings[-1][0] == now:
            self._readings.pop()
        self._readings.append((now, total))
        then, before = self._readings[0]
        return (total - before) / (now - then) if now > then else 0.0
