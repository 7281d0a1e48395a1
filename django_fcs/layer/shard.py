"""One Redis server of the pub/sub layer: publish and subscribe, many messages at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from .inbox import Inbox
from .streams import wire_of
from .wire import Reply, Wire, close_sentinels, command

__all__ = ["Shard"]


class Shard:
    """Publishes on one connection and subscribes on another. Each is opened when needed.

    Args:
        pool: A ``ConnectionPool`` of redis-py. Only its ``make_connection`` is used, and
            of a connection only its streams: redis-py reconnects by itself, which would
            hide that messages were lost.
        inbox: Receives what others publish. If the connection fails, the inbox and all
            calls that wait for an answer fail too. A ``Shard`` does not recover: make a
            new one.
    """

    def __init__(self, pool: Any, inbox: Inbox[bytes]) -> None:
        self._pool = pool
        self._inbox = inbox
        self._connections: list[Any] = []
        self._publishing = asyncio.Lock()
        self._out: Wire | None = None
        self._in: Wire | None = None
        self._transport: asyncio.Transport | None = None
        self._answers: deque[asyncio.Future[None]] = deque()
        self._error: Exception | None = None

    async def publish(self, commands: list[bytes]) -> None:
        """Send all commands in one write and wait until the server has executed them."""
        async with self._publishing:
            if self._out is None:
                self._out = await self._connected()
            await self._out.send(commands)
            left = len(commands)
            while left > 0:
                # A list is a push message of RESP3, not an answer.
                left -= sum(not isinstance(reply, list) for reply in await self._out.receive())

    async def change(self, joining: list[bytes], leaving: list[bytes]) -> None:
        """Subscribe and unsubscribe, and wait for the server.

        Without channels it only finds out whether the server answers.
        """
        if self._in is None:
            if not joining:
                return
            self._in = await self._connected()
            self._transport = self._in.tap(self._hear, self._fail)
        if self._error is not None:
            raise self._error
        commands = [command(b"SUBSCRIBE", *joining)] if joining else []
        commands += [command(b"UNSUBSCRIBE", *leaving)] if leaving else []
        answer = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        await self._in.send([*commands, command(b"PING")])
        await answer

    async def _connected(self) -> Wire:
        connection = self._pool.make_connection()
        self._connections.append(connection)
        await connection.connect()
        return wire_of(connection)

    def _hear(self, replies: list[Reply]) -> None:
        messages = [message for reply in replies if (message := self._message(reply)) is not None]
        self._inbox.add(messages)
        if self._transport is not None and self._inbox.is_full:
            self._transport.pause_reading()
            self._inbox.when_taken(self._transport.resume_reading)

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._inbox.fail(error)
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(error)

    def _message(self, reply: Reply) -> bytes | None:
        """Return the payload of a published message, or None for the server's own answers."""
        kind = reply[0] if isinstance(reply, list) and reply else reply
        if kind == b"message" and isinstance(reply, list) and isinstance(reply[-1], bytes):
            return reply[-1]
        if kind in (b"pong", b"PONG") and self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_result(None)
        return None

    async def close(self) -> None:
        for wire in (self._in, self._out):
            if wire is not None:
                wire.abort()
        for connection in self._connections:
            await connection.disconnect(nowait=True)
        await close_sentinels(self._pool)
