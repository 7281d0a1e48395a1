"""What browsers ask for of candles, and what they have."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple, Protocol

from django_fcs.candles import Candles
from django_fcs.layer.events import Wish
from django_fcs.rooms import Room

from .routes import Key

__all__ = ["Asker", "Follower", "Question", "Read", "Request", "Wisher", "alike", "is_whole"]

Question = tuple[Room, int, int | None]
"""A room, how many candles, and before which time they open."""


class Read(Protocol):
    """Returns candles from the store: ``django_fcs.candles.aget_candles``."""

    async def __call__(self, room: Room, /, *, limit: int, before: int | None) -> Candles: ...


class Asker(Hashable, Protocol):
    """What the desk uses of a ``Subscriber``."""

    joined: dict[Key, None]

    def reply(self, text: str) -> None:
        """Answer the browser with one message."""


class Wisher(Protocol):
    """What the desk uses of a bus."""

    async def wish(self, *wishes: Wish) -> None:
        """Send wishes to the stream."""


class Request(NamedTuple):
    subscriber: Asker
    key: Key
    limit: int
    before: int | None

    @property
    def wish(self) -> Wish:
        return Wish(self.key.room, limit=self.limit, before=self.before)


class Follower(NamedTuple):
    """What a browser has of a room."""

    limit: int
    """How many candles it asked for at most."""
    oldest: int
    """It has all candles from here on, in unix seconds; 0 if it waits for older ones."""


def alike(requests: Iterable[Request]) -> dict[Question, list[Request]]:
    """Return requests by their question: those with the same share one read."""
    found: dict[Question, list[Request]] = {}
    for one in requests:
        found.setdefault((one.key.room, one.limit, one.before), []).append(one)
    return found


def is_whole(candles: Candles, limit: int) -> bool:
    """Tell whether the stream could add nothing."""
    has_all = len(candles) >= limit or not (candles.more or candles.unread)
    return has_all and not candles.missing
