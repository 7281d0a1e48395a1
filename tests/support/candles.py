"""What browsers on the wire ask about candles, and what they get."""

from __future__ import annotations

from typing import Any

from django_fcs.rooms import Room
from tests.support.wire import Viewer

__all__ = ["ask", "names", "pages"]


async def ask(viewer: Viewer, *rooms: Room, limit: int = 200, **where: int) -> None:
    """Ask for candles of rooms that were joined."""
    for symbol, timeframe in names(*rooms):
        await viewer.send(type="candles", symbol=symbol, timeframe=timeframe, limit=limit, **where)


def names(*rooms: Room) -> list[tuple[str, str]]:
    """Return rooms as ``browser_socket`` takes them."""
    return [(room.symbol, room.timeframe) for room in rooms]


def pages(viewer: Viewer, *rooms: Room) -> list[dict[str, Any]]:
    """Return the messages with candles that came, of all rooms or of these."""
    found = [message for message in viewer.messages if message["type"] == "candles"]
    return [it for it in found if not rooms or Room(it["symbol"], it["timeframe"]) in rooms]
