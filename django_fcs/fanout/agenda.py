"""An agenda: what is due, and when."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

__all__ = ["Agenda"]

T = TypeVar("T", bound=Hashable)


class Agenda(Generic[T]):
    """Things that are due at a time, in any unit.

    Each thing is listed once, at the earliest time it was added with.

    Bound: one entry per thing, and one for each time that an earlier one has replaced.
    """

    def __init__(self) -> None:
        self._times: list[float] = []
        """A heap of the times at which something is due. Many things share a time."""
        self._at: dict[float, list[T]] = {}
        self._listed: dict[T, float] = {}

    def add(self, thing: T, due: float) -> None:
        """Add a thing, unless it is listed as early already or ``due`` is infinite."""
        if due < self._listed.get(thing, math.inf):
            self._listed[thing] = due
            things = self._at.get(due)
            if things is None:
                self._at[due] = [thing]
                heapq.heappush(self._times, due)
            else:
                things.append(thing)

    def next(self) -> float:
        """Return when the first thing is due; infinite if there is none."""
        return self._times[0] if self._times else math.inf

    def take(self, now: float) -> Iterator[T]:
        """Yield the things that are due, earliest first, and remove them."""
        while self._times and self._times[0] <= now:
            due = heapq.heappop(self._times)
            for thing in self._at.pop(due):
                if self._listed.get(thing) == due:
                    del self._listed[thing]
                    yield thing
