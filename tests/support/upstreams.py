"""Vendors and clients for the tests of the upstream client."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from django_fcs.protocol import Join, Price, ProfileUpdate
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, Simulator
from django_fcs.tools.servers import stop_accepting
from django_fcs.tools.tasks import end
from django_fcs.upstream import Arrival, Status, Timing, UpstreamClient

EURUSD = Room("FX:EURUSD", "1D")
USDJPY = Room("FX:USDJPY", "1D")

#: Impatient where a user would be patient, and as fast as the machine.
QUICK = Timing(retry_first=0.01, retry_cap=0.02, joins_per_second=10_000, welcome=120, pong=120)


class Dice(random.Random):
    """Dice that always show the lowest number, and tell what was asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.asked.append((a, b))
        return a


class Watch:
    """A client that runs, and everything that came of it."""

    def __init__(self, client: UpstreamClient) -> None:
        self.client = client
        self.events: list[Arrival | Status] = []
        self.error: Exception | None = None

    async def run(self) -> None:
        try:
            async with self.client, aclosing(self.client.events()) as events:
                async for event in events:
                    self.events.append(event)
        except Exception as error:
            self.error = error

    @property
    def statuses(self) -> list[Status]:
        return [event for event in self.events if isinstance(event, Status)]

    @property
    def reasons(self) -> list[str]:
        return [status.reason for status in self.statuses if not status.online]

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Arrival)]

    @property
    def items(self) -> list[tuple[Room, Price | ProfileUpdate]]:
        return [item for event in self.events if isinstance(event, Arrival) for item in event.items]

    @property
    def prices(self) -> list[Price]:
        return [item for _, item in self.items if isinstance(item, Price)]


@asynccontextmanager
async def watching(
    url: str,
    *rooms: Room | str,
    key: str = "test",
    timing: Timing = QUICK,
    patient: bool = True,
    rng: random.Random | None = None,
) -> AsyncIterator[Watch]:
    """Run a client beside the test; a patient one takes no refusal of its key for an end."""
    client = UpstreamClient(
        key, rooms=rooms, url=url, timing=timing, give_up_on_refusal=not patient, rng=rng
    )
    watch = Watch(client)
    task = asyncio.ensure_future(watch.run())
    try:
        yield watch
    finally:
        await end(task)


class Vendor:
    """A server that does what its test says: ``conduct`` serves each connection."""

    def __init__(self, conduct: Callable[[Vendor], Awaitable[None]]) -> None:
        self._conduct = conduct
        self.socket: Any = None
        self.heard: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.url = ""

    async def say(self, *messages: Any) -> None:
        """Send each as one frame; text as it is."""
        for message in messages:
            await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def listen(self) -> None:
        """Take in what the client says, until it goes."""
        with suppress(ConnectionClosed):
            async for text in self.socket:
                self.heard.append(json.loads(text))

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self.socket = socket
        await self._conduct(self)

    def joins(self) -> list[str]:
        return [one["symbol"] for one in self.heard if one["type"] == "join_symbol"]


@asynccontextmanager
async def vendor(conduct: Callable[[Vendor], Awaitable[None]]) -> AsyncIterator[Vendor]:
    server = Vendor(conduct)
    silent = logging.Logger("vendor")  # noqa: LOG001 - it would tell the key that it hears
    silent.disabled = True
    async with serve(server.serve, "127.0.0.1", 0, logger=silent) as listening:
        port = next(iter(listening.sockets)).getsockname()[1]
        server.url = f"ws://127.0.0.1:{port}/ws"
        try:
            yield server
        finally:
            await stop_accepting(listening.sockets)


async def welcoming(server: Vendor) -> None:
    await server.say({"type": "welcome"})
    await server.listen()


def price(symbol: str = "FX:EURUSD", timeframe: str = "1D", c: float = 1.5) -> dict[str, Any]:
    prices = {"mode": "candle", "t": 60, "o": c, "h": c, "l": c, "c": c}
    return {"type": "price", "symbol": symbol, "timeframe": timeframe, "prices": prices}


def joins(simulator: Simulator, connection: int = 0) -> list[Room]:
    """Rooms that clients asked for, in order; of one connection or of all."""
    return [
        Room.parse(one.message.symbol, one.message.timeframe)
        for one in simulator.received
        if isinstance(one.message, Join) and connection in (0, one.connection)
    ]


REFUSALS = {
    "message": (Faults(refusal="message"), "Invalid access_key"),
    "close": (Faults(refusal="close", close_code=4003), "close code 4003"),
    "http 401": (Faults(refusal="http", http_status=401), "HTTP 401"),
}
