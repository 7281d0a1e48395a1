"""A client of the simulator as bare as can be, and a market in which nothing happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from django_fcs.simulator import Faults, RandomWalk, Simulator

SECRET = "a-key-nobody-may-see"


class Client:
    """What it says and hears is on the wire: no code of the project is between."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def join(self, symbol: str = "FX:EURUSD", timeframe: Any = "1D") -> None:
        await self.say("join_symbol", symbol=symbol, timeframe=timeframe)

    async def hear(self) -> Any:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 60))

    async def until(self, condition: Callable[[Any], bool]) -> Any:
        while not condition(frame := await self.hear()):
            pass
        return frame

    async def price(self, mode: str | None = None) -> Any:
        """Return the next price, or the next one of a mode."""
        return await self.until(
            lambda frame: (
                frame["type"] == "price" and (mode is None or frame["prices"]["mode"] == mode)
            )
        )

    async def settle(self) -> list[Any]:
        """Return everything that comes before the answer to a ping."""
        await self.say("ping", timestamp=1)
        frames: list[Any] = []
        while (frame := await self.hear())["type"] != "pong":
            frames.append(frame)
        return frames

    async def close_code(self) -> int:
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await asyncio.wait_for(self.socket.recv(), 60)
        return caught.value.rcvd.code if caught.value.rcvd else 1006


@asynccontextmanager
async def client_of(
    simulator: Simulator, *, key: str = SECRET, welcomed: bool = True
) -> AsyncIterator[Client]:
    async with connect(f"{simulator.url}/ws?access_key={key}") as socket:
        client = Client(socket)
        if welcomed:
            assert await client.hear() == {"type": "welcome"}
        yield client


def still(**faults: Any) -> Simulator:
    """A market in which nothing happens by itself."""
    return Simulator(RandomWalk(rate=0), faults=Faults(**faults))
