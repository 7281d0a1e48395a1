"""One connection to a Redis server, spoken by the burst: many commands a write, many
replies a read.

redis-py awaits several times a reply, which is most of what a lone message costs. A
connection that it has opened (address, TLS, Sentinel, password) is given here, and
everything that it says until its end is read here. RESP2 and RESP3:
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any, cast

__all__ = ["Parser", "Reply", "Wire", "WireError", "close_sentinels", "command"]

#: What is read at once, in bytes.
READ_SIZE = 256 * 1024

_CLOSED = "the server closed the connection"

Reply = bytes | list["Reply"] | None


class WireError(ConnectionError):
    """The server refused a command, went away, or says what is no RESP."""


class Parser:
    """Cut replies out of what a connection says, however it is chopped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that are whole by now; raises ``WireError``."""
        data, at = self._rest + data if self._rest else data, 0
        replies: list[Reply] = []
        try:
            while at < len(data):
                reply, at = _read_message(data, at) or _read(data, at)
                replies.append(reply)
        except _Incomplete:
            pass
        except (ValueError, OverflowError, RecursionError):
            raise WireError("the server sent what is no RESP") from None
        self._rest = data[at:]
        return replies


class Wire:
    """Commands to, and replies of, one connection; who owns it closes it.

    Replies are waited for with ``receive``, or, once ``tap`` was called, handed over
    as they come: a lone message then wakes one task and not two.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = Parser()

    async def send(self, commands: Iterable[bytes]) -> None:
        """Write commands, each made by ``command``; waits while the server is busy.

        Raises ``WireError`` where the connection is lost already.
        """
        if self._writer.is_closing():
            # To asyncio of Python 3.12 that is a TypeError.
            raise WireError("the connection is lost")
        self._writer.writelines(commands)
        await self._writer.drain()

    def abort(self) -> None:
        """End the connection at once: a dead one never takes what waits to be written."""
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
        """Hand over replies as they come, and at last why no more will."""
        transport = self._writer.transport
        transport.set_protocol(_Tap(transport.get_protocol(), self._parser, heard, failed))
        # It is typed as one that can only write; uvloop's is no subclass of asyncio's.
        return cast(asyncio.Transport, transport)


class _Tap(asyncio.Protocol):
    """Takes what comes in; what a writer has to know goes to the protocol before."""

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
    """Return the bytes of a command."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


async def close_sentinels(pool: Any) -> None:
    """End what a ``ConnectionPool`` of redis-py keeps open to Sentinels; it never does itself."""
    manager = getattr(pool, "sentinel_manager", None)
    for sentinel in manager.sentinels if manager is not None else ():
        await sentinel.connection_pool.disconnect()


_MESSAGE = re.compile(rb"[*>]3\r\n\$7\r\nmessage\r\n\$([0-9]+)\r\n")
_LENGTH = re.compile(rb"\r\n\$([0-9]+)\r\n")


class _Incomplete(Exception):
    pass


def _read_message(data: bytes, at: int) -> tuple[Reply, int] | None:
    """Read what somebody published, in a fifth of the time; None where it is not that."""
    head = _MESSAGE.match(data, at)
    if head is None:
        return None
    channel_at = head.end()
    channel_end = channel_at + int(head[1])
    length = _LENGTH.match(data, channel_end)
    if length is None:
        return None
    text_at, text_end = length.end(), length.end() + int(length[1])
    if len(data) < text_end + 2:
        raise _Incomplete
    return [b"message", data[channel_at:channel_end], data[text_at:text_end]], text_end + 2


def _read(data: bytes, at: int) -> tuple[Reply, int]:
    """Read the reply that starts there; return where the next one does."""
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    kind, head, at = data[at], data[at + 1 : end], end + 2
    if kind == 0x24:  # $, a string
        length = int(head)
        if length < 0:
            return None, at
        if len(data) < at + length + 2:
            raise _Incomplete
        return data[at : at + length], at + length + 2
    if kind in b"*>":  # an array, and what nobody asked for
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
