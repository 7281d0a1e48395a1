"""Whole sites in processes of their own: servers, a stream, Redis and sockets to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from django_fcs.tools.tasks import end
from tests.support.network import answers
from tests.support.serving import python
from tests.support.waiting import eventually

#: What serves an ASGI application, as people start it; the port comes last.
SERVERS = {
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "tests.e2e.asgi:application", "-p"),
    "uvicorn": ("-m", "uvicorn", "--log-level", "warning", "tests.e2e.asgi:application", "--port"),
    "runserver": ("manage.py", "runserver", "--noreload"),
}


class Site:
    """What all processes of one site have in common."""

    def __init__(self, upstream: str, **env: str) -> None:
        self.env = {
            "DJANGO_SETTINGS_MODULE": "tests.e2e.settings",
            "FCS_URL": upstream,
            "FCS_API_KEY": "a-key-of-the-tests",
            **env,
        }

    @contextlib.asynccontextmanager
    async def web(self, port: int, server: str = "daphne") -> AsyncIterator[Process]:
        """Serve the site until it answers."""
        async with python(*SERVERS[server], str(port), env=self.env) as process:
            await eventually(lambda: answers(port), within=30, what=f"{server} answers")
            yield process

    @contextlib.asynccontextmanager
    async def stream(self, *arguments: str) -> AsyncIterator[Process]:
        """Run ``fcs_stream``."""
        async with python("manage.py", "fcs_stream", *arguments, env=self.env) as process:
            yield process


@contextlib.asynccontextmanager
async def browser_socket(
    port: int, *rooms: tuple[str, str], merge: bool = False
) -> AsyncIterator[Viewer]:
    """Open a socket as a browser would, and join rooms."""
    protocols = [Subprotocol("fcs.merge.v1")] if merge else None
    async with connect(f"ws://127.0.0.1:{port}/ws/fcs/", subprotocols=protocols) as socket:
        viewer = Viewer(socket)
        for symbol, timeframe in rooms:
            await viewer.send(type="join_symbol", symbol=symbol, timeframe=timeframe)
        yield viewer


class Viewer:
    """One socket and the last price of each symbol that came through it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.prices: dict[str, dict[str, Any]] = {}
        self.states: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def until(self, condition: Any, *, within: float = 20) -> None:
        """Read on until the condition holds; a machine that stands still is waited for."""
        reading = asyncio.ensure_future(self._until(condition))
        try:
            await eventually(reading.done, within=within, what="what a viewer waits for")
        finally:
            await end(reading)
        reading.result()

    async def _until(self, condition: Any) -> None:
        while not condition(self):
            frame = json.loads(await self.socket.recv())
            for message in frame if isinstance(frame, list) else [frame]:
                self._take(message)
                if message["type"] == "ping":
                    await self.send(type="pong")

    def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "price" and message["prices"]["mode"] != "profile":
            self.prices[message["symbol"]] = message
        elif message["type"] == "state":
            self.states[message["symbol"]] = message["state"]
