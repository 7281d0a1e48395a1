"""An agenda: what is due, and when."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

__all__ = ["Agenda"]

#: So many entries that no longer count cost less than removing them.
SPARE = 64

T = TypeVar("T", bound=Hashable)


class Agenda(Generic[T]):
    """Things that are due at a time, in any unit.

    Each thing is listed once, at the earliest time it was added with.

    Bound: two entries per thing, and a few.
    """

    def __init__(self) -> None:
        self._times: list[float] = []
        """A heap of the times at which something is due. Many things share a time."""
        self._at: dict[float, list[T]] = {}
        self._listed: dict[T, float] = {}
        self._entries = 0
        """All in ``_at``, also those of things that were removed or added with earlier times."""

    def add(self, thing: T, due: float) -> None:
        """Add a thing, unless it is listed as early already or ``due`` is infinite."""
        if due < self._listed.get(thing, math.inf):
            self._listed[thing] = due
            self._entries += 1
            things = self._at.get(due)
            if things is None:
                self._at[due] = [thing]
                heapq.heappush(self._times, due)
            else:
                things.append(thing)
            self._tidy()

    def discard(self, thing: T) -> None:
        """Remove a thing, if it is listed."""
        self._listed.pop(thing, None)
        self._tidy()

    def next(self) -> float:
        """Return when the first thing is due; infinite if there is none."""
        return self._times[0] if self._times else math.inf

    def take(self, now: float) -> Iterator[T]:
        """Yield the things that are due, earliest first, and remove them."""
        while self._times and self._times[0] <= now:
            due = heapq.heappop(self._times)
            things = self._at.pop(due)
            self._entries -= len(things)
            for thing in things:
                if self._listed.get(thing) == due:
                    del self._listed[thing]
                    yield thing

    def _tidy(self) -> None:
        """Remove the entries that no longer count, if they are more than half of all."""
        if self._entries > 2 * len(self._listed) + SPARE:
            self._at = {}
            for thing, due in self._listed.items():
                self._at.setdefault(due, []).append(thing)
            self._times = sorted(self._at)
            self._entries = len(self._listed)
