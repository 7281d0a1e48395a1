"""The last hour of each room of a stream, which the store keeps for pages and the next leader."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from django_fcs.prices.minutes import Closes, Minutes, minute_of
from django_fcs.rooms import Room

__all__ = ["MinuteMemory"]

#: All rooms are saved within this many saves after the end of a minute, not all in one.
SPREAD = 10

#: Rooms whose last hour is read in one call.
READ_MAX = 500


class MinuteMemory:
    """What is known of the minutes of each room, and what of it is still to be read or saved.

    A room is saved only after what an earlier stream saved of it was read: otherwise it would
    be lost. The current minute is never saved, because its last price may still come.
    """

    def __init__(self, *, spread: int = SPREAD) -> None:
        self._spread = spread
        self._closes: dict[Room, Closes] = {}
        self._unread: dict[Room, None] = {}
        self._due: dict[Room, None] = {}
        self._kept: dict[Room, int] = {}
        """The newest minute that the store has of a room."""
        self._minute: int | None = None

    def begin(self, room: Room, at: float) -> Closes:
        """Return the minutes of a room that begins at ``at`` (unix seconds)."""
        closes = self._closes[room] = Closes(at)
        self._unread[room] = None
        return closes

    def forget(self, rooms: Iterable[Room]) -> None:
        """Drop rooms; the store still has what was saved of them."""
        for room in rooms:
            for kept in (self._closes, self._unread, self._due, self._kept):
                kept.pop(room, None)

    def unread(self) -> list[Room]:
        """Return rooms whose saved minutes are to be read next."""
        return list(islice(self._unread, READ_MAX))

    def recall(self, rooms: Collection[Room], found: Mapping[Room, Minutes]) -> None:
        """Take what the store has of the rooms that were read."""
        for room in rooms:
            if self._unread.pop(room, room) is None and room in found:
                self._closes[room].recall(found[room])
                self._kept[room] = found[room].last

    def take(self, now: float, *, at_once: bool = False) -> dict[Room, Minutes]:
        """Return what is to be saved at ``now`` (unix seconds), until ``were_kept``.

        That is a part of the rooms, or all of them ``at_once``.
        """
        this = minute_of(now)
        if this != self._minute:
            self._minute = this
            self._due = dict.fromkeys(self._closes)
        few = len(self._closes) if at_once else math.ceil(len(self._closes) / self._spread)
        minutes = {}
        for room in list(islice(self._due, few)):
            found = self._closes[room].until(this)
            if found is None or found.last == self._kept.get(room):
                del self._due[room]
            elif room not in self._unread:
                minutes[room] = found
        return minutes

    def were_kept(self, minutes: Mapping[Room, Minutes]) -> None:
        """Note that the store has these minutes."""
        for room, kept in minutes.items():
            if room in self._closes:
                self._due.pop(room, None)
                self._kept[room] = kept.last
