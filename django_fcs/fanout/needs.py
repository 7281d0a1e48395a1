"""The rooms that a process needs. They determine its groups and its announcements."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Protocol

from django_fcs.layer.events import Announcement
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell

__all__ = ["Needs"]


class Announcer(Protocol):
    """What ``Needs`` uses of a bus."""

    async def subscribe(self, rooms: Iterable[Room]) -> None:
        """Join the groups of these rooms, and leave those of all others."""

    async def announce(self, announcement: Announcement) -> None:
        """Send an announcement to the stream."""


class Needs:
    """The rooms that the hub called ``name`` needs; adding and removing does not wait."""

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
        self._rooms: dict[Room, None] = {}
        self._new: dict[Room, None] = {}
        self._changed = Bell()

    def add(self, room: Room) -> None:
        """Add a room, and ask the stream for its price."""
        self._rooms[room] = self._new[room] = None
        self._changed.ring()

    def discard(self, room: Room) -> None:
        """Remove a room."""
        self._rooms.pop(room, None)
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
                await bus.announce(Announcement(self._name, tuple(self._rooms), tuple(new)))
                announce_at = self._monotonic() + self._intervals.announce
            yield new
            changed = await self._changed.heard(self._intervals.look)
