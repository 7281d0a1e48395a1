"""Code that the peers without Redis share: members of rooms, and reading the source."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

from websockets.asyncio.client import connect

__all__ = ["SOURCE", "Rooms", "read_source"]

SOURCE = os.environ.get("LAB_SOURCE", "")

T = TypeVar("T")


class Rooms(Generic[T]):
    """The sockets in each room, and the rooms to join at the source."""

    def __init__(self) -> None:
        self.new: asyncio.Queue[str] = asyncio.Queue()
        self._members: dict[str, dict[T, None]] = {}

    def of(self, room: str) -> Collection[T]:
        """Return the members of a room."""
        return self._members.get(room, ())

    def join(self, member: T, text: str) -> None:
        """Add a socket to the room that its message joins."""
        wish = json.loads(text)
        if wish["type"] != "join_symbol":
            return
        if wish["symbol"] not in self._members:
            self._members[wish["symbol"]] = {}
            self.new.put_nowait(text)
        self._members[wish["symbol"]][member] = None

    def forget(self, member: T) -> None:
        """Remove a socket from all rooms."""
        for members in self._members.values():
            members.pop(member, None)


async def read_source(rooms: Rooms[T], deliver: Callable[[str, str], Awaitable[None]]) -> None:
    """Join the rooms that browsers ask for, and deliver each price when it arrives."""
    async with connect(SOURCE, compression=None) as source:
        joining = asyncio.create_task(_join(rooms, source.send))
        try:
            async for text in source:
                message = json.loads(text)
                if message["type"] == "price":
                    await deliver(message["symbol"], str(text))
        finally:
            joining.cancel()


async def _join(rooms: Rooms[T], send: Callable[[str], Awaitable[None]]) -> None:
    while True:
        await send(await rooms.new.get())
