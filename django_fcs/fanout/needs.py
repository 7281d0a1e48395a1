"""The rooms that a process needs. They determine its groups and its announcements."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Protocol

from django_fcs.layer.events import Announcement
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell

from .viewers import Viewers

__all__ = ["Needs"]


class Announcer(Protocol):
    """What ``Needs`` uses of a bus."""

    async def subscribe(self, rooms: Iterable[Room]) -> None:
        """Join the groups of these rooms, and leave those of all others."""

    async def announce(self, announcement: Announcement) -> None:
        """Send an announcement to the stream."""


class Needs:
    """The rooms that the hub called ``name`` needs, and who watches them.

    Adding and removing a browser does not wait.
    """

    def __init__(
        self,
        name: str,
        *,
        intervals: Intervals = DEFAULT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._intervals = intervals
        self._monotonic = monotonic
        self._rooms: dict[Room, Viewers] = {}
        self._new: dict[Room, None] = {}
        self._changed = Bell()

    def add(self, room: Room, address: str) -> None:
        """Add a browser to a room; if it is the first, ask the stream for the room's price."""
        viewers = self._rooms.get(room)
        if viewers is None:
            viewers = self._rooms[room] = Viewers()
            self._new[room] = None
            self._changed.ring()
        viewers.add(address)

    def discard(self, room: Room, address: str) -> None:
        """Remove a browser that was added to a room; without browsers, the room is not needed."""
        viewers = self._rooms[room]
        viewers.discard(address)
        if not viewers:
            del self._rooms[room]
            self._new.pop(room, None)
            self._changed.ring()

    def ask_for_all(self) -> None:
        """Announce every room as new, because what is known of it may be old."""
        self._new = dict.fromkeys(self._rooms)
        self._changed.ring()

    def wake(self) -> None:
        """Take the next turn at once."""
        self._changed.ring()

    async def turns(self, bus: Announcer) -> AsyncGenerator[list[Room], None]:
        """Keep a bus up to date, for ever; each turn yields the rooms just asked for."""
        announce_at = self._monotonic()
        changed = await self._changed.heard(0)
        while True:
            new = list(self._new)
            self._new.clear()
            await bus.subscribe(list(self._rooms))
            if changed or self._monotonic() >= announce_at:
                await bus.announce(self._announcement(new))
                announce_at = self._monotonic() + self._intervals.announce
            yield new
            changed = await self._changed.heard(self._intervals.look)

    def _announcement(self, new: Iterable[Room]) -> Announcement:
        viewers = {room: viewers.hashes() for room, viewers in self._rooms.items()}
        return Announcement(self._name, tuple(self._rooms), tuple(new), viewers)
