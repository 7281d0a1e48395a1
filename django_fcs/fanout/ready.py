"""A queue of things that one task looks after."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from django_fcs.tools.bell import Bell

__all__ = ["ReadyQueue"]

T = TypeVar("T", bound=Hashable)


class ReadyQueue(Generic[T]):
    """Things that callbacks and other tasks leave for one task.

    Bound: each thing waits once, however often it is added.
    """

    def __init__(self) -> None:
        self._things: dict[T, None] = {}
        self._bell = Bell()

    def add(self, thing: T) -> None:
        """Add a thing and wake the task."""
        self._things[thing] = None
        self._bell.ring()

    def wake(self) -> None:
        """Wake the task because there is something else to look at."""
        self._bell.ring()

    def take(self) -> list[T]:
        """Remove and return all things."""
        things = list(self._things)
        self._things.clear()
        return things

    async def wait(self, seconds: float) -> None:
        """Wait until the task is woken, for at most ``seconds`` (infinity: no limit)."""
        await self._bell.heard(seconds)
