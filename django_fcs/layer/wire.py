"""One connection to a Redis server, used in bursts: many commands per write, many
replies per read.

redis-py awaits several times per reply, which is most of the cost of a single message.
redis-py opens the connection (address, TLS, Sentinel, password), and this module then
reads everything from it until it ends. RESP2 and RESP3:
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any, cast

__all__ = ["Parser", "Reply", "Wire", "WireError", "close_sentinels", "command"]

#: How much is read at once, in bytes.
READ_SIZE = 256 * 1024

#: The longest string that Redis sends by default, in bytes (``proto-max-bulk-len``).
LONGEST = 512 * 1024 * 1024

_CLOSED = "the server closed the connection"

Reply = bytes | list["Reply"] | None


class WireError(ConnectionError):
    """The server refused a command, closed the connection, or sent data that is not RESP."""


class Parser:
    """Split the data of a connection into replies, however it is chopped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that are complete now; raises ``WireError``."""
        data, at = self._rest + data if self._rest else data, 0
        replies: list[Reply] = []
        try:
            while at < len(data):
                reply, at = _read_message(data, at) or _read(data, at)
                replies.append(reply)
        except _Incomplete:
            pass
        except (ValueError, OverflowError, RecursionError):
            raise WireError("the server sent data that is not RESP") from None
        self._rest = data[at:]
        return replies


class Wire:
    """Commands to one connection, and its replies; the owner closes it.

    Wait for replies with ``receive``. Once ``tap`` was called, they are passed to a
    callback as they come: a single message then wakes one task instead of two.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = Parser()

    async def send(self, commands: Iterable[bytes]) -> None:
        """Write commands, each made by ``command``; waits while the server is busy.

        Raises ``WireError`` if the connection is already lost.
        """
        if self._writer.is_closing():
            # In Python 3.12 asyncio would raise a TypeError.
            raise WireError("the connection is lost")
        self._writer.writelines(commands)
        await self._writer.drain()

    def abort(self) -> None:
        """Close at once: a dead connection never takes what waits to be written."""
        self._writer.transport.abort()

    async def receive(self) -> list[Reply]:
        """Wait for replies, and return all that are there; raises ``WireError`` at the end."""
        replies: list[Reply] = []
        while not replies:
            data = await self._reader.read(READ_SIZE)
            if not data:
                raise WireError(_CLOSED)
            replies = self._parser.feed(data)
        return replies

    def tap(
        self, heard: Callable[[list[Reply]], None], failed: Callable[[Exception], None]
    ) -> asyncio.Transport:
        """Pass replies to ``heard`` as they come, and to ``failed`` why no more will come."""
        transport = self._writer.transport
        transport.set_protocol(_Tap(transport.get_protocol(), self._parser, heard, failed))
        # Its type allows only writing; uvloop's transport is no subclass of asyncio's.
        return cast(asyncio.Transport, transport)


class _Tap(asyncio.Protocol):
    """Takes what comes in, and informs the previous protocol of what a writer has to know."""

    def __init__(
        self,
        before: asyncio.BaseProtocol,
        parser: Parser,
        heard: Callable[[list[Reply]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._before = before
        self._parser = parser
        self._heard = heard
        self._failed = failed

    def pause_writing(self) -> None:
        self._before.pause_writing()

    def resume_writing(self) -> None:
        self._before.resume_writing()

    def data_received(self, data: bytes) -> None:
        try:
            self._heard(self._parser.feed(data))
        except WireError as error:
            self._failed(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._failed(WireError(str(exc or _CLOSED)))
        self._before.connection_lost(exc)


def command(*words: bytes) -> bytes:
    """Return a command as bytes."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


async def close_sentinels(pool: Any) -> None:
    """Close what a redis-py ``ConnectionPool`` keeps open to Sentinels, which it never closes."""
    manager = getattr(pool, "sentinel_manager", None)
    for sentinel in manager.sentinels if manager is not None else ():
        await sentinel.connection_pool.disconnect()


#: No channel of a layer has a line break in its name.
_MESSAGE = re.compile(rb"[*>]3\r\n\$7\r\nmessage\r\n\$([0-9]+)\r\n([^\r\n]*)\r\n\$([0-9]+)\r\n")


class _Incomplete(Exception):
    pass


def _read_message(data: bytes, at: int) -> tuple[Reply, int] | None:
    """Read a published message in a fifth of the time; None if it is another reply."""
    head = _MESSAGE.match(data, at)
    if head is None:
        return None
    length, channel, size = head.groups()
    text_at = head.end()
    text_end = text_at + int(size)
    if len(channel) != int(length) or text_end - text_at > LONGEST:
        raise ValueError
    if len(data) < text_end + 2:
        raise _Incomplete
    return [b"message", channel, data[text_at:text_end]], text_end + 2


def _read(data: bytes, at: int) -> tuple[Reply, int]:
    """Read the reply that starts at ``at``; return it and where the next one starts."""
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    kind, head, at = data[at], data[at + 1 : end], end + 2
    if kind == 0x24:  # $, a string
        length = int(head)
        if length < 0:
            return None, at
        if length > LONGEST:
            raise ValueError
        if len(data) < at + length + 2:
            raise _Incomplete
        return data[at : at + length], at + length + 2
    if kind in b"*>":  # an array, or a push
        items: list[Reply] = []
        for _ in range(int(head)):
            item, at = _read(data, at)
            items.append(item)
        return items, at
    if kind == 0x2D:  # -, an error
        raise WireError(head.decode(errors="replace"))
    if kind in b"+:_#,":
        return head, at
    raise ValueError
