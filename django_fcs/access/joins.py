"""The joins of one socket that wait for an answer, so that its other messages need not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from typing import NamedTuple

from django_fcs.fanout.routes import Key
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.tasks import end

from .authorizer import Answer

__all__ = ["Answered", "Joins"]

#: How many rooms of one socket are asked for at the same time.
JOINS_AT_ONCE = 10


class Answered(NamedTuple):
    """What the site said about a room."""

    key: Key
    answer: Answer
    token: str | None
    """The token of the join; ``None`` also for a room that has been joined before."""


class Joins:
    """What one socket wants to join, and what it has joined but may no longer have.

    Joins are asked for in order, ``at_once`` at a time. ``answers`` yields their answers, and those
    given to ``end``. The caller limits how many joins wait, since rooms that are joined count, too.

    Args:
        ask: Returns the site's answer for a room; it raises no error.
        joined: The rooms that the socket has joined; the hub adds and removes them.
    """

    def __init__(
        self,
        ask: Callable[[Room], Awaitable[Answer]],
        joined: Mapping[Key, None],
        *,
        at_once: int = JOINS_AT_ONCE,
    ) -> None:
        self._ask = ask
        self._joined = joined
        self._at_once = at_once
        self._tokens: dict[Key, str | None] = {}
        """All joins that have no answer yet, with their tokens."""
        self._waiting: dict[Key, None] = {}
        self._calls: dict[asyncio.Future[Answer], Key | None] = {}
        """The calls that run; ``None`` in place of a room that the browser has left meanwhile."""
        self._ended: dict[Room, Answer] = {}
        self._changed = Bell()

    def __len__(self) -> int:
        """Count the joins that have no answer yet."""
        return len(self._tokens)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._tokens)

    def __contains__(self, key: object) -> bool:
        return key in self._tokens

    def add(self, key: Key, token: str | None = None) -> None:
        """Ask for a room. It is asked for once while it waits."""
        if key not in self:
            self._waiting[key] = None
            self._changed.ring()
        self._tokens[key] = token

    def discard(self, symbol: str, spelling: str) -> None:
        """Forget a join, because the browser has left the room."""
        for key in list(self._tokens):
            if (key.room.symbol, key.spelling) == (symbol, spelling):
                self._forget(key)

    def clear(self) -> None:
        """Forget all joins."""
        for key in list(self._tokens):
            self._forget(key)

    def rooms(self) -> dict[Room, None]:
        """Return the rooms that the socket has joined, and those being asked for."""
        return {key.room: None for key in self._joined_or_asked()}

    def end(self, room: Room, answer: Answer) -> None:
        """Make ``answers`` yield this answer for a room in ``rooms``.

        A call for this room is cancelled: it may have begun before the answer changed.
        """
        self._ended[room] = answer
        self._changed.ring()

    async def answers(self) -> AsyncGenerator[Answered, None]:
        """Ask for rooms, and yield the answers as they come, for ever."""
        try:
            while True:
                self._call_next()
                await self._changed.heard()
                for answered in [*self._answers_that_end(), *self._answers_to_joins()]:
                    yield answered
        finally:
            await end(*self._calls)

    def _forget(self, key: Key) -> None:
        del self._tokens[key]
        self._waiting.pop(key, None)
        for call, asked in self._calls.items():
            if asked == key:
                self._calls[call] = None
                call.cancel()

    def _call_next(self) -> None:
        while self._waiting and len(self._calls) < self._at_once:
            key = next(iter(self._waiting))
            del self._waiting[key]
            call = asyncio.ensure_future(self._ask(key.room))
            call.add_done_callback(lambda _: self._changed.ring())
            self._calls[call] = key

    def _answers_that_end(self) -> list[Answered]:
        ended, self._ended = self._ended, {}
        keys = [key for key in self._joined_or_asked() if key.room in ended]
        for key in keys:
            if key not in self._waiting and key in self._tokens:
                self._forget(key)
        return [Answered(key, ended[key.room], None) for key in keys]

    def _joined_or_asked(self) -> dict[Key, None]:
        asked = [key for key in self._calls.values() if key is not None]
        return dict.fromkeys([*self._joined, *asked])

    def _answers_to_joins(self) -> list[Answered]:
        done = {call: self._calls.pop(call) for call in list(self._calls) if call.done()}
        return [
            Answered(key, call.result(), self._tokens.pop(key))
            for call, key in done.items()
            if key is not None
        ]
