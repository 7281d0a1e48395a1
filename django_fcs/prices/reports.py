"""What a stream reports about itself once a second, for operators."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Annotated

import msgspec

from django_fcs.protocol.bounds import UnixTime

from .updates import Epoch

__all__ = ["GrowthRate", "Report", "StreamStatus"]


_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_Rate = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Name = Annotated[str, msgspec.Meta(max_length=100)]


class Report(msgspec.Struct, frozen=True):
    """The figures of a stream at one moment. Times are unix seconds."""

    at: UnixTime
    epoch: Epoch
    rooms: tuple[_Name, ...]
    """All rooms that it wants, as ``FX:EURUSD_1D``."""
    joined: _Count
    """How many of them the vendor has confirmed."""
    updates_per_second: _Rate
    last_at: UnixTime | None
    """When the last price arrived."""
    leader: bool
    """Whether it is the leader. Without a lease the only stream is always the leader."""
    counts: dict[_Name, _Count]
    """All counters of its process since the process started."""
    rendered: _Count = 0
    """How many of the rooms nobody watches: pages show them."""
    histories: _Count = 0
    """Of how many rooms somebody asked for the candles within the last hour."""


@dataclass(frozen=True)
class StreamStatus:
    """The status of a stream for its own terminal and its metrics."""

    is_leader: bool
    """If false, it is on standby; ``reason`` is then the error of Redis, if there is one."""
    online: bool
    reason: str
    wanted: int
    joined: int
    rendered: int
    """How many of the wanted rooms nobody watches: pages show them."""
    updates: int
    """Price frames received since the start."""
    last_at: float | None
    """When the last of them arrived, unix seconds."""
    histories: int = 0
    """Of how many rooms somebody asked for the candles within the last hour."""
    credits_left: int | None = None
    """What is left of this month's credits for history; ``None`` if this is not known."""
    is_rest_closed: bool | None = None
    """Whether the vendor may not be asked for history now; ``None`` if this is not known."""


class GrowthRate:
    """How fast a total grows over its last ``readings``.

    A reading with the time of the one before replaces it.
    """

    def __init__(self, readings: int = 10) -> None:
        self._readings: deque[tuple[float, int]] = deque(maxlen=readings + 1)

    def rate(self, total: int, now: float) -> float:
        """Add a reading, in seconds of any clock; return the growth per second."""
        if self._readings and self._readings[-1][0] == now:
            self._readings.pop()
        self._readings.append((now, total))
        then, before = self._readings[0]
        return (total - before) / (now - then) if now > then else 0.0
