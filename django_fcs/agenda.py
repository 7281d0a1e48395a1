"""What is due when."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Generic, TypeVar

__all__ = ["Agenda"]

T = TypeVar("T", bound=Hashable)


class Agenda(Generic[T]):
    """Things with a time each, in any unit; a thing stands on it once, at its earliest.

    Bound: one entry a thing, and one for each time that an earlier one has replaced.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._listed: dict[T, float] = {}
        self._numbers = count()

    def add(self, thing: T, due: float) -> None:
        """Put a thing on it, unless it stands there as early or is due never (infinity)."""
        if due < self._listed.get(thing, math.inf):
            self._listed[thing] = due
            heapq.heappush(self._heap, (due, next(self._numbers), thing))

    def next(self) -> float:
        """Return when the first is due; infinite where nothing is."""
        return self._heap[0][0] if self._heap else math.inf

    def take(self, now: float) -> Iterator[T]:
        """Hand over what is due, earliest first, and forget it."""
        while self._heap and self._heap[0][0] <= now:
            due, _, thing = heapq.heappop(self._heap)
            if self._listed.get(thing) == due:
                del self._listed[thing]
                yield thing
