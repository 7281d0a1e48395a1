"""The clients of the simulator, and which rooms they have joined."""

from __future__ import annotations

import asyncio
from collections import Counter

from websockets.asyncio.server import ServerConnection

from django_fcs.rooms import Room
from django_fcs.tools.tasks import limited

from .outbox import Outbox

__all__ = ["Audience", "Client"]


class Client:
    """One connection."""

    def __init__(self, number: int, socket: ServerConnection) -> None:
        self.number = number
        self.socket = socket
        self.outbox = Outbox()
        self.rooms: dict[Room, str] = {}  # room → timeframe as the client spells it
        self.welcomed = asyncio.Event()
        self.gone = asyncio.Event()
        self.sent = 0


class Audience:
    """The clients in each room, in the order in which they joined."""

    def __init__(self) -> None:
        self._rooms: dict[Room, dict[Client, None]] = {}
        self._awaited: dict[Room, asyncio.Event] = {}

    def add(self, room: Room, client: Client) -> None:
        """Put a client into a room; wake the tasks that wait for this."""
        self._rooms.setdefault(room, {})[client] = None
        if awaited := self._awaited.pop(room, None):
            awaited.set()

    def remove(self, room: Room, client: Client) -> bool:
        """Take a client out of a room; return whether the room is empty now."""
        del self._rooms[room][client]
        if self._rooms[room]:
            return False
        del self._rooms[room]
        return True

    def of(self, room: Room) -> tuple[Client, ...]:
        """Return the clients in a room."""
        return tuple(self._rooms.get(room, ()))

    def sizes(self) -> Counter[Room]:
        """Return the rooms, with the number of clients in each."""
        return Counter({room: len(clients) for room, clients in self._rooms.items()})

    async def wait_for_client(self, room: Room, seconds: float) -> None:
        """Wait until a client is in the room, or raise ``TimeoutError``."""
        if room in self._rooms:
            return
        awaited = self._awaited.setdefault(room, asyncio.Event())
        try:
            await limited(awaited.wait(), seconds)
        except asyncio.TimeoutError:
            raise TimeoutError(f"nobody joined {room} in {seconds:g} s") from None
