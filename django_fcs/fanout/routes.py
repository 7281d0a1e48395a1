"""Which readers follow which room in this process."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, NamedTuple, Protocol, TypeVar

from django_fcs.prices.updates import Update
from django_fcs.rooms import Room

__all__ = ["Key", "Reader", "Routes"]

R = TypeVar("R", bound=Hashable)


class Key(NamedTuple):
    """A room as a browser joined it."""

    room: Room
    spelling: str
    """The timeframe as the browser wrote it; ``1D`` and ``D`` are the same room."""


class Reader(Protocol):
    """An object that takes the messages of a room."""

    def put(self, key: Key, update: Update) -> None:
        """Take a price; it replaces an older one that waits."""

    def describe(self, key: Key, text: str) -> None:
        """Take a room's profile."""

    def tell(self, key: Hashable, text: str) -> None:
        """Take a room's state; it replaces an older one that waits."""


class Routes(Generic[R]):
    """Readers by room; a key is a room with the spelling it was joined with."""

    def __init__(self) -> None:
        self._readers: dict[Key, dict[R, None]] = {}

    def add(self, key: Key, reader: R) -> None:
        """Add a reader to a room."""
        self._readers.setdefault(key, {})[reader] = None

    def discard(self, key: Key, reader: R) -> None:
        """Remove a reader from a room; does nothing if it is not there."""
        readers = self._readers.get(key, {})
        readers.pop(reader, None)
        if not readers:
            self._readers.pop(key, None)

    def of(self, key: Key) -> Collection[R]:
        """Return the readers of a room."""
        return self._readers.get(key, ())
