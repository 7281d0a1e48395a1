"""Wishes for candles that wait for the vendor, and what hubs are told about them."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator

from django_fcs.layer.events import CandleNote, Wish
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell

__all__ = ["Wishes"]

#: Rooms for which wishes wait. Those of further rooms are dropped: hubs repeat theirs.
ROOMS_MAX = 1000

#: Wishes of one room that wait. A further one replaces the oldest.
WISHES_MAX = 8

#: A wish for a range that is not repeated within this time is dropped, in seconds: the command
#: that has sent it was stopped, and each request costs credits.
RANGE_SECONDS = 60


class Wishes:
    """Wishes by room, each room with the time at which it may be tried next (unix seconds)."""

    def __init__(self) -> None:
        self._rooms: dict[Room, dict[Wish, float]] = {}
        """When each wish came last, in unix seconds."""
        self._delays: dict[Room, tuple[float, str]] = {}
        """Until when a room waits, and what visitors are told about it."""
        self._notes: dict[Room, CandleNote] = {}
        self.changed = Bell()
        """Rung when a wish has come."""

    def add(self, wish: Wish, now: float) -> None:
        """Add a wish that comes at ``now``; one that waits already is not added twice."""
        if wish.room not in self._rooms and len(self._rooms) >= ROOMS_MAX:
            return
        wishes = self._rooms.setdefault(wish.room, {})
        wishes[wish] = now
        if len(wishes) > WISHES_MAX:
            del wishes[next(iter(wishes))]
        self.changed.ring()

    def of(self, room: Room, now: float) -> list[Wish]:
        """Return the wishes of a room; drop those for ranges that are stale.

        Those of pages come first, as a range may take hours; then oldest first.
        """
        wishes = self._rooms.get(room, {})
        stale = [
            wish
            for wish, at in wishes.items()
            if wish.start is not None and abs(now - at) > RANGE_SECONDS
        ]
        self.end(room, *stale)
        return sorted(wishes, key=lambda wish: wish.start is not None)

    def due(self, now: float) -> list[Room]:
        """Return the rooms that may be tried now, in the order in which they were first wished."""
        return [room for room in self._rooms if self._wait(room, now) <= 0]

    def pause(self, now: float, *, without: Container[Room] = ()) -> float:
        """Return after how many seconds the next other room is due; infinity if none waits."""
        waits = (self._wait(room, now) for room in self._rooms if room not in without)
        return min(waits, default=math.inf)

    def postpone(self, room: Room, until: float, note: str) -> None:
        """Try a room again at ``until``, not earlier; ``note`` tells visitors why."""
        self._delays[room] = until, note

    def delay(self, room: Room, now: float) -> CandleNote | None:
        """Return what is to be told about a room that waits; ``None`` if it does not."""
        wait = self._wait(room, now)
        return CandleNote(room, note=self._delays[room][1], wait=wait) if wait > 0 else None

    def _wait(self, room: Room, now: float) -> float:
        return max(0.0, self._delays[room][0] - now) if room in self._delays else 0.0

    def end(self, room: Room, *wishes: Wish) -> None:
        """Remove wishes of a room that were fulfilled or cannot be."""
        waiting = self._rooms.get(room, {})
        for wish in wishes:
            waiting.pop(wish, None)
        if not waiting:
            self._rooms.pop(room, None)
            self._delays.pop(room, None)

    def note(self, note: CandleNote) -> None:
        """Keep a note for the hubs."""
        self._notes[note.room] = note.after(self._notes.get(note.room))

    def take_notes(self) -> Iterator[CandleNote]:
        """Yield the notes, and remove them."""
        notes, self._notes = self._notes, {}
        yield from notes.values()
