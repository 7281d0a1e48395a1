"""The floor: an ASGI application without Django or Redis, with a loop over ``send``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .upstream import Rooms, read_source

__all__ = ["application"]

Event = dict[str, Any]
Send = Callable[[Event], Awaitable[None]]

_sends: Rooms[Send] = Rooms()
_reading: list[asyncio.Task[None]] = []


async def _deliver(room: str, text: str) -> None:
    event = {"type": "websocket.send", "text": text}
    for send in tuple(_sends.of(room)):
        await send(event)


async def application(scope: Event, receive: Callable[[], Awaitable[Event]], send: Send) -> None:
    """Serve one socket; every message that it sends is taken as a join."""
    if scope["type"] != "websocket":
        return
    if not _reading:  # Daphne has no lifespan.
        _reading.append(asyncio.create_task(read_source(_sends, _deliver)))
    try:
        while (event := await receive())["type"] != "websocket.disconnect":
            if event["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
            else:
                _sends.join(send, event["text"])
    finally:
        _sends.forget(send)
