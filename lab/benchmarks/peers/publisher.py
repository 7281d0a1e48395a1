"""The feeder of the tutorial's consumers, with one awaited ``group_send`` per update."""

from __future__ import annotations

import asyncio
import json
import os

from channels.layers import get_channel_layer
from websockets.asyncio.client import connect

from .tutorial import group_of

__all__: list[str] = []


async def main() -> None:
    """Join the rooms that the environment lists, and publish each price."""
    layer = get_channel_layer()
    async with connect(os.environ["LAB_SOURCE"], compression=None) as source:
        for room in os.environ["LAB_ROOMS"].split(","):
            symbol, _, timeframe = room.rpartition("_")
            wish = {"type": "join_symbol", "symbol": symbol, "timeframe": timeframe}
            await source.send(json.dumps(wish))
        async for text in source:
            message = json.loads(text)
            if message["type"] == "price":
                event = {"type": "price.update", "price": message}
                await layer.group_send(group_of(message["symbol"]), event)


if __name__ == "__main__":
    asyncio.run(main())
