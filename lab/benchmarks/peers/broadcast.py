"""A server with ``broadcast()``, the fastest way to send in the ``websockets`` library."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

from .upstream import Rooms, read_source

__all__: list[str] = []


async def main() -> None:
    """Serve until killed."""
    rooms: Rooms[ServerConnection] = Rooms()

    async def deliver(room: str, text: str) -> None:
        broadcast(rooms.of(room), text)

    async def handle(socket: ServerConnection) -> None:
        try:
            async for text in socket:
                rooms.join(socket, str(text))
        finally:
            rooms.forget(socket)

    async with serve(handle, "127.0.0.1", int(sys.argv[1]), compression=None):
        await read_source(rooms, deliver)


if __name__ == "__main__":
    asyncio.run(main())
