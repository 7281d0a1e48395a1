"""Things that want the attention of one task."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from django_fcs.tools.bell import Bell

__all__ = ["ReadyQueue"]

T = TypeVar("T", bound=Hashable)


class ReadyQueue(Generic[T]):
    """What callbacks and other tasks leave for the one task that iterates.

    Bound: a thing waits once, so there are never more than there are things.
    """

    def __init__(self) -> None:
        self._things: dict[T, None] = {}
        self._bell = Bell()

    def add(self, thing: T) -> None:
        """Leave a thing and wake the task."""
        self._things[thing] = None
        self._bell.ring()

    def wake(self) -> None:
        """Wake the task, which has something else to look at."""
        self._bell.ring()

    def take(self) -> list[T]:
        """Hand over all that wait, and forget them."""
        things = list(self._things)
        self._things.clear()
        return things

    async def wait(self, seconds: float) -> None:
        """Return once there is something, or after so many seconds (infinity: never)."""
        await self._bell.heard(seconds)
