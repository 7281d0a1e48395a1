"""A copy of the last values that pages show, so that a page asks the cache once.

There is no lock, so that a fork or a thread that hangs cannot block a page. Each step on
the dicts is atomic in CPython. Two threads that refresh the copy at the same time both
ask the cache, and the later answer stays.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from django_fcs.rooms import Room

from .minutes import Minutes
from .paths import PathReport
from .store import LastValue, Store

__all__ = ["RecentValues", "SeenRoom"]

#: An older copy is read again, in seconds.
COPY_SECONDS = 0.25

#: The copy has the rooms that were shown within this time, in seconds.
SHOWN_SECONDS = 60

#: Rooms in the copy. If more were shown, the cache is asked for each of the others.
ROOMS_MAX = 500


class SeenRoom(NamedTuple):
    """What a page shows of a room."""

    value: LastValue | None
    path: PathReport | None
    """The last heartbeat."""
    minutes: Minutes | None


class _Copy(NamedTuple):
    rooms: dict[Room, tuple[LastValue | None, Minutes | None]]
    path: PathReport | None
    at: float


class RecentValues:
    """The last values of the rooms that this process has shown in the last minute.

    Args:
        store: Where they come from.
        monotonic: For tests.
    """

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self._monotonic = monotonic
        self._shown: dict[Room, float] = {}  # When each was last shown, the oldest first.
        self._copy = _Copy({}, None, -math.inf)

    def read(self, room: Room) -> SeenRoom:
        """Return what is known of a room, at most ``COPY_SECONDS`` old.

        A room that is new to the copy is read alone. If the copy is too old, all of its
        rooms are read at once.
        """
        now = self._monotonic()
        self._shown.pop(room, None)
        self._shown[room] = now
        copy = self._copy
        if now - copy.at >= COPY_SECONDS:
            copy = self._copy = self._loaded(self._wanted(now))
        elif room not in copy.rooms:
            loaded = self._loaded([room])
            if len(copy.rooms) < ROOMS_MAX:
                copy.rooms[room] = loaded.rooms[room]
            copy = loaded
        value, minutes = copy.rooms.get(room, (None, None))
        return SeenRoom(value, copy.path, minutes)

    def _wanted(self, now: float) -> list[Room]:
        shown = list(self._shown.items())
        wanted = [room for room, at in shown if now - at < SHOWN_SECONDS][-ROOMS_MAX:]
        for room, _ in shown[: len(shown) - len(wanted)]:
            self._shown.pop(room, None)
        return wanted

    def _loaded(self, rooms: list[Room]) -> _Copy:
        seen = self.store.see(rooms)
        found = {room: (seen.values.get(room), seen.minutes.get(room)) for room in rooms}
        # The time after the answer: a slow cache must not be asked for each widget of a page.
        return _Copy(found, seen.path, self._monotonic())
