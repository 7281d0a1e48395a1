"""Times that several parts of a site count on, in seconds.

The vendor, the stream and the hubs are different processes: one may only conclude
something from the silence of another if both know the same interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

__all__ = ["DEFAULT", "PONG_SECONDS", "Intervals", "Seconds", "UnixTime"]

#: A healthy vendor is heard at least this often: it answers pings where nothing ticks.
PONG_SECONDS = 3

#: A time or a duration that is read from the channel layer or the cache. The bounds exclude
#: infinity and NaN; a thousand times the upper one still fits into a browser's date.
UnixTime = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
Seconds = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]


@dataclass(frozen=True)
class Intervals:
    """How often stream and hubs speak, and what each concludes from silence."""

    beat: float = 3
    """Between two heartbeats of the stream."""
    announce: float = 5
    """Between two announcements of a hub's rooms."""
    look: float = 1
    """Between two looks at the clock: states and demand change without any message."""
    save: float = 1
    """Between two saves of what changed."""
    reconnect: float = 1
    """Before the first reconnect to a channel layer that failed; it doubles each time."""
    rejoin: float = 2
    """Between the first two rejoins of a hub that misses messages; it doubles each time."""

    @property
    def beat_missing(self) -> float:
        """After this long without a heartbeat a hub rejoins: two are missing."""
        return 2 * self.beat + 0.5

    @property
    def late(self) -> float:
        """After this long without a heartbeat a hub no longer trusts what comes next."""
        return 3 * self.beat + 1

    @property
    def demand_ttl(self) -> float:
        """A stream forgets a hub's rooms after three announcements were missing."""
        return 3 * self.announce


DEFAULT = Intervals()
