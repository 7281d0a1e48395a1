"""An FCS v4 server for development, demos and tests; ``docs/simulator.md`` shows its use.

Prices flow over a socket, history is answered over HTTP.
It behaves like the vendor's published samples; ``Faults`` changes that, also while it runs.
What a client has not read yet waits in its ``Outbox``. A replay waits for its slowest reader.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, suppress
from typing import Any, NamedTuple

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from django_fcs.exceptions import ProtocolError, RoomError
from django_fcs.protocol import (
    Join,
    Leave,
    Message,
    Ping,
    Pong,
    Refusal,
    RemoveAll,
    Welcome,
    parse,
    serialise,
)
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.redaction import SILENT
from django_fcs.tools.servers import stop_accepting
from django_fcs.tools.tasks import running

from .audience import Audience, Client
from .door import Door
from .faults import Faults
from .history import Desk
from .keys import BAD_KEY
from .market import Prices
from .outbox import QUEUE_MAX
from .rest import RestServer
from .sources import Opening, Source, filled, merged, opened_at

__all__ = ["BAD_KEY", "Received", "Simulator"]

logger = logger_of(__name__)

RECEIVED_MAX = 10_000

#: Prices that are due within this time are sent together, in seconds.
_PACE = 0.002
_CLOSE_SECONDS = 2.0
_MALFORMED = '{"type":"price","symbol":'


class Received(NamedTuple):
    """One message of a client; connections are numbered from 1."""

    at: float
    connection: int
    message: Message


class Simulator:
    """An FCS v4 server that runs within an ``async with`` block.

    Args:
        source: The source of prices, ``RandomWalk`` or ``Replay``.
        host, port: Where to listen; port 0 selects a free one.
        rest_port: Where to answer requests for history; port 0 selects a free one.
        faults: Differences from the vendor's samples; may be replaced at any time.
        accepted_keys: The keys to accept; ``None`` for any except ``bad_key`` and "".
        clock: Unix time, for candles and timestamps of messages.

    Entering the block raises ``OSError`` if it cannot listen.
    """

    def __init__(
        self,
        source: Source,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int = 0,
        faults: Faults | None = None,
        accepted_keys: Collection[str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.faults = faults or Faults()
        self.received: deque[Received] = deque(maxlen=RECEIVED_MAX)
        """The last ``RECEIVED_MAX`` messages of clients, oldest first."""
        self.dropped = 0
        """Prices dropped because a client did not read."""
        self._source = source
        self._host = host
        self._port = port
        self._door = Door(accepted_keys, lambda: self.faults)
        self._clock = clock
        self._clients: set[Client] = set()
        self._accepted = 0
        self._audience = Audience()
        self._last: dict[Room, Prices] = {}
        self._wakes = Bell()
        self._up = AsyncExitStack()
        desk = Desk(source, faults=lambda: self.faults, keys=accepted_keys, clock=clock)
        self.asked = desk.asked
        """The last ``ASKED_MAX`` requests for history, oldest first."""
        self._rest = RestServer(desk.answer, host=host, port=rest_port)

    async def __aenter__(self) -> Simulator:
        async with AsyncExitStack() as up:
            up.enter_context(self._rest.running())
            await up.enter_async_context(running(self._stream()))
            server = await up.enter_async_context(
                serve(
                    self._handle,
                    self._host,
                    self._port,
                    process_request=self._door.answer_upgrade,
                    compression=None,
                    close_timeout=_CLOSE_SECONDS,
                    logger=SILENT,
                )
            )
            up.push_async_callback(stop_accepting, server.sockets)
            self._port = next(iter(server.sockets)).getsockname()[1]
            self._up = up.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._up.aclose()

    @property
    def url(self) -> str:
        """The address for ``FCS_URL``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}"

    @property
    def rest_url(self) -> str:
        """The address for ``FCS_REST_URL``."""
        return self._rest.url

    @property
    def connections(self) -> int:
        """The number of clients that are connected with an accepted key."""
        return len(self._clients)

    @property
    def rooms(self) -> Counter[Room]:
        """The rooms that clients have joined, with the number of clients."""
        return self._audience.sizes()

    async def joined(
        self, symbol: str, timeframe: str | None = None, *, seconds: float = 10
    ) -> None:
        """Wait until a client has joined the room; from then on, ``push`` reaches it.

        Raises ``TimeoutError`` after ``seconds``.
        """
        await self._audience.wait_for_client(Room.parse(symbol, timeframe), seconds)

    async def drop_all(self) -> int:
        """Cut every connection without a close frame (1006); return their number."""
        clients = list(self._clients)
        for client in clients:
            client.socket.transport.abort()
        for client in clients:
            await client.gone.wait()
        return len(clients)

    async def push(self, symbol: str, timeframe: str, **prices: Any) -> int:
        """Send one price to all clients in a room; return their number.

        The mode is ``candle`` by default. ``filled`` completes fields that are missing.
        """
        room = Room.parse(symbol, timeframe)
        last = self._last.get(room, {})
        await self._deliver(room, filled(last, {"mode": "candle", **prices}))
        return len(self._audience.of(room))

    async def _stream(self) -> None:
        try:
            while True:
                await self._until_due()
                for room, prices in self._source.advance(self._clock()):
                    await self._deliver(room, prices)
        except Exception:
            # Log it now, because the task may not be awaited for a long time.
            logger.exception("simulator stopped streaming")
            raise

    async def _until_due(self) -> None:
        due = self._source.due()
        delay = None if due is None else due - self._clock()
        if delay is not None and delay <= 0:
            await asyncio.sleep(0)
            return
        await self._wakes.heard(math.inf if delay is None else max(delay, _PACE))

    async def _deliver(self, room: Room, prices: Prices) -> None:
        last = self._last.get(room, {})
        if prices.get("mode") != "profile":
            self._last[room] = merged(last, prices)
        if self.faults.closed or self.faults.silences(room):
            return
        if self.faults.emit_close and last and opened_at(prices) > opened_at(last):
            await self._broadcast(room, {"mode": "close", **last})
        await self._broadcast(room, prices)

    async def _broadcast(self, room: Room, prices: Prices) -> None:
        texts: dict[str, str] = {}
        for client in self._audience.of(room):
            if self._source.lossless:
                await client.outbox.wait_for_space()
            spelling = client.rooms.get(room)
            if spelling is None:
                continue
            text = texts.get(spelling)
            if text is None:
                text = texts[spelling] = self.faults.price(room, spelling, prices)
            if not client.outbox.append(text, live=True):
                self.dropped += 1

    async def _handle(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            if socket.request is None or not self._door.admits(socket.request.path):
                await self._door.refuse(socket)
                return
            self._accepted += 1
            await self._attend(Client(self._accepted, socket))

    async def _attend(self, client: Client) -> None:
        self._clients.add(client)
        try:
            async with (
                running(self._watch(client)),
                running(self._write(client)),
                running(self._greet(client)),
            ):
                async for text in client.socket:
                    await self._read(client, text)
        except ConnectionClosed:
            return
        except Exception:
            logger.exception("connection failed connection=%d", client.number)
        finally:
            self._forget(client)

    def _forget(self, client: Client) -> None:
        client.outbox.close()
        for room in tuple(client.rooms):
            self._leave(client, room)
        self._clients.discard(client)
        client.gone.set()

    async def _watch(self, client: Client) -> None:
        """When the connection ends, wake tasks that wait: only reading would notice the end."""
        await client.socket.wait_closed()
        client.outbox.close()
        client.welcomed.set()

    async def _write(self, client: Client) -> None:
        with suppress(ConnectionClosed):
            while True:
                texts = await client.outbox.take(QUEUE_MAX if self.faults.arrays else 1)
                await client.socket.send(f"[{','.join(texts)}]" if self.faults.arrays else texts[0])
                client.sent += 1
                if self.faults.malformed_every and client.sent % self.faults.malformed_every == 0:
                    await client.socket.send(_MALFORMED)
                if self.faults.drop_after and client.sent >= self.faults.drop_after:
                    client.socket.transport.abort()

    async def _greet(self, client: Client) -> None:
        await asyncio.sleep(self.faults.welcome_after)
        client.outbox.append(serialise(Welcome()))
        client.welcomed.set()
        while True:
            seconds = self.faults.ping_seconds
            await asyncio.sleep(seconds or 1)
            if seconds:
                await self._reply(client, Ping(timestamp=self._timestamp()))

    async def _reply(self, client: Client, message: Message) -> None:
        await client.outbox.wait_for_space()
        client.outbox.append(serialise(message))

    def _timestamp(self) -> int:
        return int(self._clock() * 1000)

    async def _read(self, client: Client, text: str | bytes) -> None:
        try:
            messages = parse(text)
        except ProtocolError as error:
            await self._reply(client, Refusal(short="bad_message", message=str(error)))
            return
        for message in messages:
            self.received.append(Received(self._clock(), client.number, message))
            await self._obey(client, message)

    async def _obey(self, client: Client, message: Message) -> None:
        if isinstance(message, Join):
            await self._join(client, message)
        elif isinstance(message, Leave):
            # The vendor's samples show no answer to a leave or a remove_all.
            with suppress(RoomError):
                self._leave(client, Room.parse(message.symbol, message.timeframe or ""))
        elif isinstance(message, RemoveAll):
            for room in tuple(client.rooms):
                self._leave(client, room)
        elif isinstance(message, Ping) and self.faults.pong:
            await self._reply(client, Pong(timestamp=self._timestamp()))

    async def _join(self, client: Client, message: Join) -> None:
        if not client.welcomed.is_set():
            if self.faults.drop_early_joins:
                return
            await client.welcomed.wait()
        await client.outbox.wait_for_space()
        if client.outbox.closed:
            return
        # No await from here on, so that no price overtakes the confirmation.
        try:
            room = Room.parse(message.symbol, message.timeframe or "")
        except RoomError as error:
            self._deny(client, str(error))
            return
        opening = self._source.open(room, self._clock()) if self.faults.knows(room) else None
        if opening is None:
            self._deny(client, f"no such symbol: {room}")
            return
        spelling = room.timeframe if self.faults.echo == "canonical" else message.timeframe
        self._open(client, room, spelling or room.timeframe, opening)

    def _deny(self, client: Client, reason: str) -> None:
        if self.faults.unknown_reply == "error":
            client.outbox.append(serialise(Refusal(short="unknown_symbol", message=reason)))

    def _open(self, client: Client, room: Room, spelling: str, opening: Opening) -> None:
        """Confirm a join, also a repeated one, and send profile and price."""
        logger.info("joined room=%s connection=%d", room, client.number)
        client.rooms[room] = spelling
        self._audience.add(room, client)
        self._wakes.ring()
        client.outbox.append(serialise(self.faults.confirmation(room, spelling)))
        if self.faults.silences(room):
            return
        if opening.profile is not None:
            session = {"current_session": "out_of_session"} if self.faults.closed else {}
            profile = {"mode": "profile", "profile": {**opening.profile, **session}}
            client.outbox.append(self.faults.price(room, spelling, profile))
        if opening.initial is not None:
            self._last[room] = merged(self._last.get(room, {}), opening.initial)
            history = {"history": opening.history} if self.faults.history else {}
            initial = {**opening.initial, **history}
            client.outbox.append(self.faults.price(room, spelling, initial))

    def _leave(self, client: Client, room: Room) -> None:
        if client.rooms.pop(room, None) is None:
            return
        if self._audience.remove(room, client):
            self._last.pop(room, None)
            self._source.close(room)
