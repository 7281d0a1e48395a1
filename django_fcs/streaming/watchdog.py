"""What to do about prices that are due and do not come.

Judged by ticks alone: heartbeats, confirmations and answers to joins prove nothing.
No sockets and no tasks; times are monotonic seconds, and always given.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass
from typing import NamedTuple

from django_fcs.rooms import Room

__all__ = ["Cure", "Watchdog"]

#: A room has to be mute for so long: a clock that was set makes many seem so, until they tick.
GRACE_SECONDS = 10

#: A trouble is over after so many times the floor without it: where a vendor answers a join
#: with what looks like a tick, one tick proves nothing.
CALM = 10

#: The longest pause between two cures of the same trouble.
PAUSE_MAX_SECONDS = 3600


class Cure(NamedTuple):
    """What is to be done now."""

    rejoin: tuple[Room, ...] = ()
    reconnect: bool = False


@dataclass
class _Trouble:
    seen_at: float
    next_at: float
    pause: float

    def is_due(self, now: float) -> bool:
        """Tell whether to try a cure now; the pause before the next is twice as long."""
        if now < self.next_at:
            return False
        self.next_at = now + self.pause
        self.pause = min(self.pause * 2, PAUSE_MAX_SECONDS)
        return True


class Watchdog:
    """Has a mute room joined again where others flow, and a mute feed connected anew."""

    def __init__(self) -> None:
        self._ticks = 0
        self._ticked_at = float("-inf")
        self._connected_at = float("-inf")
        self._feed: _Trouble | None = None
        self._rooms: dict[Room, _Trouble] = {}
        self._mute: Set[Room] = frozenset()

    def begin(self, now: float) -> None:
        """Begin on a new connection: its silence counts from here."""
        self._connected_at = now

    def look(
        self,
        mute: Set[Room],
        *,
        wanted: Collection[Room],
        ticks: int,
        floor: float,
        now: float,
    ) -> Cure:
        """Return what to do; to be asked every second or so while connected.

        Args:
            mute: The rooms of open markets that are due a tick.
            wanted: The rooms whose troubles are still anybody's.
            ticks: How many have come so far, of all rooms.
            floor: ``FCS_STALE_AFTER_SECONDS``.
        """
        if ticks != self._ticks:
            self._ticks, self._ticked_at = ticks, now
        self._forget(wanted, now - CALM * floor)
        before, self._mute = self._mute, mute
        if now - self._ticked_at <= floor:
            return Cure(rejoin=self._deaf(mute - before, floor, now))
        return Cure(reconnect=bool(mute) and self._is_silent(2 * floor, now))

    def _forget(self, wanted: Collection[Room], before: float) -> None:
        if self._feed and self._feed.seen_at <= before:
            self._feed = None
        self._rooms = {
            room: trouble
            for room, trouble in self._rooms.items()
            if room in wanted and trouble.seen_at > before
        }

    def _deaf(self, fallen_mute: Set[Room], floor: float, now: float) -> tuple[Room, ...]:
        grace_until = now + min(GRACE_SECONDS, floor)
        for room in self._mute:
            trouble = self._rooms.setdefault(room, _Trouble(now, grace_until, 2 * floor))
            trouble.seen_at = now
            if room in fallen_mute:
                trouble.next_at = max(trouble.next_at, grace_until)
        return tuple(room for room in self._mute if self._rooms[room].is_due(now))

    def _is_silent(self, limit: float, now: float) -> bool:
        if now - max(self._ticked_at, self._connected_at) <= limit:
            return False
        self._feed = self._feed or _Trouble(now, now, limit)
        self._feed.seen_at = now
        return self._feed.is_due(now)
