"""The rooms that pages show, so that the stream joins them even if no script of a page runs.

A process that renders widgets holds one slot of the cache, and writes into it which rooms it
has rendered. The stream reads all slots. Nothing here delays a page: a thread writes.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol

import msgspec

from django_fcs.rooms import Room
from django_fcs.sharing.mark import site_mark
from django_fcs.tools.worker import Worker

from .entries import Cache, decode, encode, found_in, key_of

__all__ = ["ROOMS_MAX", "Place", "Rendered", "Shelf", "Slot", "read_slots"]

#: Slots of a site.
SLOTS = 256

#: Rooms of a slot. While a process has rendered as many, it takes no others.
ROOMS_MAX = 300

#: How long a slot is held after it was written, in seconds.
HELD_SECONDS = 150

#: How often a process writes the rooms that it still renders, in seconds, and how soon new ones.
AGAIN_SECONDS = 60
SOON_SECONDS = 5

#: Pause between two looks whether to write: the widgets of a page are written together.
LOOK_SECONDS = 1

#: Slots that are tried in one call. If others hold all of them, the next call tries the next ones.
TRIES = 8

_Text = Annotated[str, msgspec.Meta(max_length=100)]


class Slot(msgspec.Struct, frozen=True):
    """The rooms that one process has rendered."""

    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    number: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    """Higher each time that the slot is written."""
    rooms: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=ROOMS_MAX)]
    """As ``FX:EURUSD_1D``."""


class SlotCache(Cache, Protocol):
    """What is needed of a cache of Django to hold a slot."""

    def add(self, key: str, value: str, timeout: int) -> Any:
        """Store a key if it is not there, and return whether it was stored."""

    def set(self, key: str, value: str, timeout: int) -> Any:
        """Store a key."""


def read_slots(cache: Cache, *, slots: int = SLOTS) -> dict[int, Slot]:
    """Return all slots that are held, by number."""
    mark = site_mark()
    keys = {_key(number, mark): number for number in range(slots)}
    read = {keys[key]: decode(value, Slot) for key, value in found_in(cache, [*keys]).items()}
    return {number: slot for number, slot in read.items() if slot is not None}


class Place:
    """The slot of this process; it moves on if another process holds the one that it wants."""

    def __init__(self, *, slots: int = SLOTS, tries: int = TRIES, first: int | None = None) -> None:
        self._slots = slots
        self._tries = tries
        self._first = random.randrange(slots) if first is None else first
        self._owner = secrets.token_hex(8)
        self._number = 0

    def put(self, cache: SlotCache, rooms: tuple[str, ...]) -> bool:
        """Write the rooms; return False if no slot is free."""
        mark = site_mark()
        numbers = [(self._first + step) % self._slots for step in range(self._tries)]
        keys = [_key(number, mark) for number in numbers]
        found = found_in(cache, keys)
        self._number += 1
        text = encode(Slot(self._owner, self._number, rooms))
        for number, key in zip(numbers, keys, strict=True):
            if self._take(cache, key, text, found):
                self._first = number
                return True
        self._first = (self._first + self._tries) % self._slots
        return False

    def _take(self, cache: SlotCache, key: str, text: str, found: Mapping[str, Any]) -> bool:
        if key not in found:
            # Another process may have been faster.
            return bool(cache.add(key, text, HELD_SECONDS))
        holder = decode(found[key], Slot)
        if holder is not None and holder.owner != self._owner:
            return False
        cache.set(key, text, HELD_SECONDS)
        return True


class Shelf:
    """The rooms that were rendered within the last ``seconds``, ``rooms_max`` at most.

    There is no lock: any thread may call it, and each step on the dict is atomic.
    """

    def __init__(self, *, seconds: float, rooms_max: int = ROOMS_MAX) -> None:
        self._seconds = seconds
        self._rooms_max = rooms_max
        self._rooms: dict[Room, float] = {}
        self._full_until = 0.0

    def note(self, room: Room, now: float) -> bool:
        """Note a room; return False if there is no place for it.

        A room that pages show all the time keeps its place, however many others visitors ask for.
        """
        if room not in self._rooms and len(self._rooms) >= self._rooms_max:
            if now < self._full_until:
                return False
            if len(self.rooms(now)) >= self._rooms_max:
                self._full_until = now + LOOK_SECONDS
                return False
        self._rooms[room] = now
        return True

    def rooms(self, now: float) -> list[Room]:
        """Return the rooms, and forget those that were not rendered any more."""
        rooms = []
        for room, at in list(self._rooms.items()):
            if now - at < self._seconds:
                rooms.append(room)
            else:
                self._rooms.pop(room, None)
        return rooms[: self._rooms_max]


class Rendered:
    """What this process has rendered, on its way into the cache.

    Args:
        write: Writes rooms into the slot of a place; returns False if that failed.
        worker: The thread that waits and writes.
        monotonic, sleep: For tests.
    """

    def __init__(
        self,
        write: Callable[[Place, tuple[str, ...]], bool],
        *,
        worker: Worker | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._write = write
        self._worker = worker or Worker("fcs-rendered", jobs_max=1)
        self._monotonic = monotonic
        self._sleep = sleep
        self._of_process: dict[int, _Own] = {}

    def note(self, room: Room) -> None:
        """Note that a page shows a room."""
        # By process id: after a fork, a thread that waits does not run.
        own = self._of_process.get(os.getpid())
        if own is None:
            own = self._of_process.setdefault(os.getpid(), _Own())
        if own.shelf.note(room, self._monotonic()) and not own.is_waiting:
            own.is_waiting = True
            self._worker.submit(lambda: self._go(own))

    def _go(self, own: _Own) -> None:
        """Wait until there is something to write, and write it."""
        self._sleep(LOOK_SECONDS)
        while not own.is_due(self._monotonic()):
            self._sleep(LOOK_SECONDS)
        # Before the rooms are collected: one that comes now is noted by the next call.
        own.is_waiting = False
        now = self._monotonic()
        rooms = own.shelf.rooms(now)
        is_kept = self._write(own.place, tuple(map(str, rooms)))
        own.written_at, own.written = now, frozenset(rooms) if is_kept else frozenset()


class _Own:
    """The rooms of one process, and what it wrote last."""

    def __init__(self) -> None:
        self.place = Place()
        # Longer than the pause between two writes, so that no room falls between them.
        self.shelf = Shelf(seconds=AGAIN_SECONDS + SOON_SECONDS)
        self.is_waiting = False
        self.written: frozenset[Room] = frozenset()
        self.written_at = float("-inf")

    def is_due(self, now: float) -> bool:
        since = now - self.written_at
        if since >= AGAIN_SECONDS:
            return True
        return since >= SOON_SECONDS and not self.written.issuperset(self.shelf.rooms(now))


def _key(number: int, mark: str) -> str:
    return key_of(f"rendered:{number}", mark)
