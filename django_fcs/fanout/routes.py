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
    """Of the timeframe: ``1D`` and ``D`` are one room."""


class Reader(Protocol):
    """Whatever takes in the messages of a room."""

    def put(self, key: Hashable, update: Update) -> None:
        """Take a price, or a newer one in its place."""

    def describe(self, key: Hashable, text: str) -> None:
        """Take a room's profile."""

    def tell(self, key: Hashable, text: str) -> None:
        """Take a room's state, or a newer one in its place."""


class Routes(Generic[R]):
    """Readers by room; a key is a room in the spelling in which it was joined."""

    def __init__(self) -> None:
        self._readers: dict[Hashable, dict[R, None]] = {}

    def add(self, key: Hashable, reader: R) -> None:
        """Let a reader follow a room."""
        self._readers.setdefault(key, {})[reader] = None

    def discard(self, key: Hashable, reader: R) -> None:
        """Let it follow the room no more; harmless where it never did."""
        readers = self._readers.get(key, {})
        readers.pop(reader, None)
        if not readers:
            self._readers.pop(key, None)

    def of(self, key: Hashable) -> Collection[R]:
        """Return who follows a room."""
        return self._readers.get(key, ())
