"""Browsers on the wire: real WebSockets to a site that runs in processes of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from django_fcs.tools.tasks import end
from tests.support.network import HOST
from tests.support.waiting import eventually

__all__ = ["Viewer", "browser_socket"]

#: A machine that stands still answers no handshake.
OPEN_SECONDS = 60


class Viewer:
    """One socket and what came through it.

    It reads in ``until``, as far as it has to, or else in the background: from ``read_on``
    until ``stop``.

    Args:
        socket: An open socket of a site.
        answers: Whether it answers the pings of the site.
    """

    def __init__(self, socket: ClientConnection, *, answers: bool = True) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self.prices: dict[str, dict[str, Any]] = {}
        """The last price of each symbol, profiles apart."""
        self.closes: dict[tuple[str, str], float] = {}
        """The last close of each symbol and timeframe."""
        self.states: dict[str, str] = {}
        self.pings = 0
        self.size = 0
        """How much it has read, in characters."""
        self._answers = answers
        self._reading: asyncio.Future[None] | None = None

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def until(self, condition: Callable[[Viewer], Any], *, within: float = 20) -> None:
        """Read on until the condition holds; a machine that stands still is waited for."""
        reading = asyncio.ensure_future(self._read(condition))
        try:
            await eventually(reading.done, within=within, what="what a viewer waits for")
        finally:
            await end(reading)
        reading.result()

    def read_on(self) -> None:
        """Read in the background from now on."""
        self._reading = asyncio.ensure_future(self._read(lambda viewer: False))

    async def stop(self) -> None:
        """Read in the background no more."""
        if self._reading is not None:
            await end(self._reading)

    async def how_it_ends(self, *, within: float = 120) -> int:
        """Read up to the end of the socket, and answer nothing; the code of its close."""
        reading = asyncio.ensure_future(self._read_to_the_end())
        try:
            await eventually(reading.done, within=within, what="the end of a socket")
        finally:
            await end(reading)
        reading.result()
        return self.socket.close_code or 1006

    async def _read(self, condition: Callable[[Viewer], Any]) -> None:
        while not condition(self):
            frame = await self.socket.recv()
            self.size += len(frame)
            messages = json.loads(frame)
            for message in messages if isinstance(messages, list) else [messages]:
                self._take(message)
                if message["type"] == "ping" and self._answers:
                    await self.send(type="pong")

    async def _read_to_the_end(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.socket.recv()

    def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "ping":
            self.pings += 1
        elif message["type"] == "state":
            self.states[message["symbol"]] = message["state"]
        elif message["type"] == "price":
            self._take_price(message)

    def _take_price(self, message: dict[str, Any]) -> None:
        prices = message["prices"]
        if prices["mode"] != "profile":
            self.prices[message["symbol"]] = message
        if "c" in prices:
            self.closes[message["symbol"], message["timeframe"]] = prices["c"]


@contextlib.asynccontextmanager
async def browser_socket(
    port: int, *rooms: tuple[str, str], merge: bool = False, answers: bool = True, **how: Any
) -> AsyncIterator[Viewer]:
    """Open a socket as a browser would, and join rooms; ``how`` goes to ``connect``."""
    how = {"open_timeout": OPEN_SECONDS, **how}
    protocols = [Subprotocol("fcs.merge.v1")] if merge else None
    async with connect(f"ws://{HOST}:{port}/ws/fcs/", subprotocols=protocols, **how) as socket:
        viewer = Viewer(socket, answers=answers)
        for symbol, timeframe in rooms:
            await viewer.send(type="join_symbol", symbol=symbol, timeframe=timeframe)
        try:
            yield viewer
        finally:
            await viewer.stop()
