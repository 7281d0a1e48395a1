"""A queue between tasks that read and one that processes what they read, in bursts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

__all__ = ["Inbox"]

T = TypeVar("T")


class Inbox(Generic[T]):
    """What came in and is not processed yet.

    Bound: ``limit`` things, and what is added in one call. Policy: a task that has filled
    it waits, and so does the sender that this task reads from.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._things: list[T] = []
        self._error: Exception | None = None
        self._came = asyncio.Event()
        self._held_up: list[Callable[[], None]] = []

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be added before it is emptied."""
        return len(self._things) >= self._limit

    def add(self, things: Iterable[T]) -> None:
        """Add things; if it is full afterwards, the caller has to wait, see ``when_taken``."""
        self._things += things
        if self._things:
            self._came.set()

    def when_taken(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, when the inbox is empty again."""
        if callback not in self._held_up:
            self._held_up.append(callback)

    async def put(self, things: Iterable[T]) -> None:
        """Add things, and wait until there is room for more."""
        self.add(things)
        if self.is_full:
            emptied = asyncio.Event()
            self.when_taken(emptied.set)
            await emptied.wait()

    def fail(self, error: Exception) -> None:
        """Note that nothing more will come; the first error is kept."""
        self._error = self._error or error
        self._came.set()

    async def take(self) -> list[T]:
        """Wait for the first thing, and return all; after the last one, raise the error."""
        while not self._things:
            if self._error is not None:
                raise self._error
            self._came.clear()
            await self._came.wait()
        taken, self._things = self._things, []
        held_up, self._held_up = self._held_up, []
        for callback in held_up:
            callback()
        return taken
