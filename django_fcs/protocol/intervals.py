"""Times that several parts of a site rely on, in seconds.

The vendor, the stream and the hubs are different processes. A process can only conclude
something from the silence of another if both use the same interval.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "PONG_SECONDS", "Intervals"]

#: A healthy vendor sends something at least this often: without ticks, it answers pings.
PONG_SECONDS = 3


@dataclass(frozen=True)
class Intervals:
    """How often stream and hubs send messages, and when each acts on silence."""

    beat: float = 3
    """Between two heartbeats of the stream."""
    announce: float = 5
    """Between two announcements of a hub's rooms."""
    look: float = 1
    """Between two checks of the clock: states and demand also change without a message."""
    save: float = 1
    """Between two saves of changed values."""
    reconnect: float = 1
    """Before the first reconnect to a channel layer that failed; it doubles each time."""
    rejoin: float = 2
    """Between the first two rejoins of a hub that misses messages; it doubles each time."""
    pages: float = 5
    """Between two looks of the stream for rooms that pages show."""
    calendars: float = 5
    """Between two looks of the stream for calendars of exchanges that it does not know yet."""

    @property
    def beat_missing(self) -> float:
        """After this long without a heartbeat a hub rejoins: two heartbeats are missing."""
        return 2 * self.beat + 0.5

    @property
    def late(self) -> float:
        """After this long without a heartbeat a hub does not trust the next message."""
        return 3 * self.beat + 1

    @property
    def demand_ttl(self) -> float:
        """After this long a stream forgets a hub's rooms: three announcements are missing."""
        return 3 * self.announce


DEFAULT = Intervals()
