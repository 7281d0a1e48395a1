"""Which rooms a process needs: its groups, and what it tells the stream, follow them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from typing import Protocol

from django_fcs.layer.events import Call
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell

__all__ = ["Needs"]

#: How often they are repeated; a stream forgets what is not repeated for 15 s.
ANNOUNCE_SECONDS = 5

#: How often it is seen whether the layer still answers.
LOOK_SECONDS = 1


class Member(Protocol):
    """What is needed of a bus."""

    async def subscribe(self, rooms: Iterable[Room]) -> None:
        """Be a member of exactly these rooms' groups."""

    async def announce(self, call: Call) -> None:
        """Tell the stream."""


class Needs:
    """The rooms that a hub needs, under its name; joins and leaves do not wait.

    ``rooms`` is the hub's own: whoever changes it says so by ``add`` and ``discard``.
    """

    def __init__(
        self, name: str, rooms: Collection[Room], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._rooms = rooms
        self._monotonic = monotonic
        self._new: dict[Room, None] = {}
        self._changed = Bell()

    def add(self, room: Room) -> None:
        """Ask for a room that has become one of them."""
        self._new[room] = None
        self._changed.ring()

    def discard(self, room: Room) -> None:
        """Ask no more for one that is none of them now."""
        self._new.pop(room, None)
        self._changed.ring()

    def ask_for_all(self) -> None:
        """Announce every room as new: what is known of it may be old."""
        self._new = dict.fromkeys(self._rooms)
        self._changed.ring()

    def wake(self) -> None:
        """Take the next turn at once."""
        self._changed.ring()

    async def turns(self, bus: Member) -> AsyncGenerator[list[Room], None]:
        """Let a bus follow, for ever: each turn gives the rooms just asked for."""
        announce_at = self._monotonic()
        changed = await self._changed.heard(0)
        while True:
            new = list(self._new)
            self._new.clear()
            await bus.subscribe(list(self._rooms))
            if changed or self._monotonic() >= announce_at:
                await bus.announce(Call(self._name, tuple(self._rooms), tuple(new)))
                announce_at = self._monotonic() + ANNOUNCE_SECONDS
            yield new
            changed = await self._changed.heard(LOOK_SECONDS)
