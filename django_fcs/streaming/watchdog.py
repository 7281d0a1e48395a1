"""What to do about prices that are due and do not come.

Only ticks count: heartbeats, confirmations and answers to joins prove nothing.
No sockets and no tasks; callers give the time, in monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass
from typing import NamedTuple

from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.upstream import UpstreamClient

__all__ = ["Remedy", "Watchdog"]

logger = logger_of(__name__)

#: A room must be silent this long before it is rejoined. After the clock was set, many rooms
#: seem silent until their next tick.
GRACE_SECONDS = 10

#: A trouble is over after this many times the floor without it. One tick proves nothing: the
#: vendor may answer a join with a message that looks like a tick.
CALM = 10

#: The longest pause between two attempts to end the same trouble.
PAUSE_MAX_SECONDS = 3600


class Remedy(NamedTuple):
    """What the stream has to do now."""

    rejoin: tuple[Room, ...] = ()
    reconnect: bool = False

    def apply(self, client: UpstreamClient, silent: int) -> None:
        """Do it; ``silent`` is the number of rooms that were due a tick."""
        if self.rejoin:
            count("upstream_rejoins", len(self.rejoin))
            text = "silent rooms, rejoining rooms=%d first=%s"
            logger.warning(text, len(self.rejoin), self.rejoin[0])
            client.rejoin(self.rejoin)
        if self.reconnect:
            count("upstream_stalled")
            client.reconnect(f"no price came though {silent} rooms were due one")


@dataclass
class _Trouble:
    seen_at: float
    next_at: float
    pause: float

    def is_due(self, now: float) -> bool:
        """Tell whether to act now; if so, the next pause is twice as long."""
        if now < self.next_at:
            return False
        self.next_at = now + self.pause
        self.pause = min(self.pause * 2, PAUSE_MAX_SECONDS)
        return True


class Watchdog:
    """Rejoins silent rooms while others have ticks, and reconnects a silent feed."""

    def __init__(self) -> None:
        self._ticks = 0
        self._ticked_at = float("-inf")
        self._connected_at = float("-inf")
        self._feed: _Trouble | None = None
        self._rooms: dict[Room, _Trouble] = {}
        self._silent: Set[Room] = frozenset()

    def begin(self, now: float) -> None:
        """Note a new connection: its silence counts from here."""
        self._connected_at = now

    def look(
        self,
        silent: Set[Room],
        *,
        wanted: Collection[Room],
        ticks: int,
        floor: float,
        now: float,
    ) -> Remedy:
        """Return what to do; call it about once a second while connected.

        Args:
            silent: The rooms of open markets that are due a tick.
            wanted: The rooms whose troubles still matter.
            ticks: How many ticks have come so far, of all rooms.
            floor: ``FCS_STALE_AFTER_SECONDS``.
        """
        if ticks != self._ticks:
            self._ticks, self._ticked_at = ticks, now
        self._forget(wanted, now - CALM * floor)
        before, self._silent = self._silent, silent
        if now - self._ticked_at <= floor:
            return Remedy(rejoin=self._rejoins_due(silent - before, floor, now))
        return Remedy(reconnect=bool(silent) and self._is_feed_silent(2 * floor, now))

    def _forget(self, wanted: Collection[Room], before: float) -> None:
        if self._feed and self._feed.seen_at <= before:
            self._feed = None
        self._rooms = {
            room: trouble
            for room, trouble in self._rooms.items()
            if room in wanted and trouble.seen_at > before
        }

    def _rejoins_due(self, new: Set[Room], floor: float, now: float) -> tuple[Room, ...]:
        grace_until = now + min(GRACE_SECONDS, floor)
        for room in self._silent:
            trouble = self._rooms.setdefault(room, _Trouble(now, grace_until, 2 * floor))
            trouble.seen_at = now
            if room in new:
                trouble.next_at = max(trouble.next_at, grace_until)
        return tuple(room for room in self._silent if self._rooms[room].is_due(now))

    def _is_feed_silent(self, limit: float, now: float) -> bool:
        if now - max(self._ticked_at, self._connected_at) <= limit:
            return False
        self._feed = self._feed or _Trouble(now, now, limit)
        self._feed.seen_at = now
        return self._feed.is_due(now)
