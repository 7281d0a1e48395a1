"""A client connection of ``websockets`` that returns all frames that it has read at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from inspect import signature
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any, Protocol, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from django_fcs.tools.fallbacks import warn_once
from django_fcs.tools.tasks import end, running

from .framing import Framing, Texts

__all__ = ["SIZE_MAX", "WAITING_MAX", "Connection", "LastHeard", "connecting", "missing_names"]

#: Frames that may wait to be processed. Beyond it the socket is not read.
WAITING_MAX = 1000

#: The longest message that is accepted, in bytes.
SIZE_MAX = 1024 * 1024

#: The kernel's receive buffer, in bytes (it allocates twice that, for its own needs).
#: By default it grows to several MB, which in a flood are most of a second old.
RECEIVE_BUFFER = 512 * 1024

_DATA = (Opcode.CONT, Opcode.TEXT, Opcode.BINARY)

#: What ``BurstConnection`` overrides or calls. Only the first two are promised, by asyncio.
_METHODS = ("connection_made", "connection_lost", "data_received", "process_event")
_PARAMETER = "create_connection"


class Connection(Protocol):
    """What the client needs of a connection to the vendor."""

    @property
    def state(self) -> State:
        """Whether the connection is open."""

    async def texts(self) -> list[bytes]:
        """Wait for messages and return all that have arrived. Raises ``ConnectionClosed``."""

    async def send(self, message: str) -> None:
        """Send a message. Raises ``ConnectionClosed``."""

    async def close(self) -> None:
        """Close with code 1000 and wait until the connection is closed."""

    def abort(self) -> None:
        """Close at once, without a close frame."""


class LastHeard:
    """When the other side last sent anything; before that, when this object was made."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.note()

    def note(self) -> None:
        """Record that data has arrived."""
        self._at = self._monotonic()

    @property
    def silence(self) -> float:
        """Return how long ago that was, in seconds."""
        return self._monotonic() - self._at


def missing_names() -> list[str]:
    """Return the names that this module needs and the installed websockets does not have."""
    kinds = [kind for kind in ClientConnection.__mro__ if kind.__module__.startswith("websockets.")]
    missing = [name for name in _METHODS if not any(name in vars(kind) for kind in kinds)]
    if _PARAMETER not in signature(connect).parameters:
        missing.append(_PARAMETER)
    return missing


@asynccontextmanager
async def connecting(
    uri: str, *, last_heard: LastHeard, ping_interval: float, **options: Any
) -> AsyncIterator[Connection]:
    """Connect, and close the connection at the end.

    ``options`` are those of ``websockets.asyncio.client.connect``. Raises ``OSError``,
    ``WebSocketException`` and ``asyncio.TimeoutError``.
    """
    options["ping_interval"] = ping_interval
    if missing := missing_names():
        warn_once("websockets", *missing)
        stock = StockConnection(await _connected(uri, options), last_heard)
        async with stock.kept(ping_interval):
            yield stock
    else:
        options[_PARAMETER] = partial(BurstConnection, last_heard=last_heard)
        async with await _connected(uri, options) as socket:
            yield cast(BurstConnection, socket)


async def _connected(uri: str, options: dict[str, Any]) -> ClientConnection:
    try:
        return await connect(uri, **options)
    except ValueError:
        # urllib rejects "//[::1" or a port beyond 65535. Its text may contain a part of the
        # password of a proxy.
        text = "the server redirects to an invalid address, or that of the proxy is invalid"
        raise WebSocketException(text) from None
    except ImportError as error:  # For a SOCKS proxy.
        raise WebSocketException(str(error)) from None


class BurstConnection(ClientConnection):
    """Cuts whole text frames out of what it reads. ``websockets`` handles everything else.

    A frame of 330 bytes costs websockets some 15 µs, and the event loop as much again.
    """

    def __init__(self, *args: Any, last_heard: LastHeard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._last_heard = last_heard
        self._texts = Texts(limit=WAITING_MAX)
        self._framing = Framing(
            text=self._texts.add, other=super().data_received, size_max=SIZE_MAX
        )
        self._fragments = bytearray()
        self._head: bytes | None = b""

    async def texts(self) -> list[bytes]:
        return await self._texts.take(self._line) or [await self.recv(decode=False)]

    async def close(self, code: int = 1000, reason: str = "") -> None:
        # While texts are unread, the socket is paused and the close frame cannot arrive.
        self._texts.drop(self._line)
        await super().close(code, reason)

    def abort(self) -> None:
        self._line.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._line = cast(asyncio.Transport, transport)
        _limit_buffer(self._line)

    def data_received(self, data: bytes) -> None:
        self._last_heard.note()
        if self._head is not None:
            data = self._without_handshake(self._head, data)
        elif self.response is None or self.response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            super().data_received(data)
            return
        if data:
            self._framing.feed(data)
            self._texts.announce(self._line)

    def _without_handshake(self, before: bytes, data: bytes) -> bytes:
        """Pass the handshake to websockets, then process the frames that arrived with it."""
        head = before + data
        end = head.find(b"\r\n\r\n") + 4
        if end < 4:
            self._head = head
            super().data_received(data)
            return b""
        self._head = None
        super().data_received(data[: end - len(before)])
        rest = data[end - len(before) :]
        if rest:
            self.data_received(rest)
        return b""

    def process_event(self, event: Any) -> None:
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
            return
        self._fragments += event.data
        if event.fin:
            self._texts.add(bytes(self._fragments))
            self._fragments.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._texts.end()


class StockConnection:
    """A connection of ``websockets`` that is used through its documented calls only.

    It returns one message at a time. It learns only from messages and from the answers to
    its own pings that the other side is alive.
    """

    def __init__(self, socket: ClientConnection, last_heard: LastHeard) -> None:
        self._socket = socket
        self._last_heard = last_heard
        self._closing: asyncio.Future[None] | None = None
        # It is not documented, but nothing else limits the buffer or closes at once.
        self._line: asyncio.Transport | None = getattr(socket, "transport", None)
        if self._line is not None:
            _limit_buffer(self._line)

    @property
    def state(self) -> State:
        return self._socket.state

    async def texts(self) -> list[bytes]:
        text = await self._socket.recv(decode=False)
        self._last_heard.note()
        return [text]

    async def send(self, message: str) -> None:
        await self._socket.send(message)

    async def close(self) -> None:
        await self._socket.close()

    def abort(self) -> None:
        if self._line is not None:
            self._line.abort()
        elif self._closing is None and self.state is not State.CLOSED:
            # The close frame then takes ``close_timeout`` at most.
            self._closing = asyncio.ensure_future(self._socket.close())

    @asynccontextmanager
    async def kept(self, ping_interval: float) -> AsyncIterator[None]:
        """Ping the other side, and close the connection at the end."""
        async with running(self._ping(ping_interval)):
            try:
                yield
            finally:
                await self._finish()

    async def _ping(self, interval: float) -> None:
        """Note each answer to a ping until the connection is closed."""
        with suppress(ConnectionClosed):
            while True:
                await (await self._socket.ping())
                self._last_heard.note()
                await asyncio.sleep(interval)

    async def _finish(self) -> None:
        try:
            await self._socket.close()
        finally:
            if self._closing is not None:
                await end(self._closing)


def _limit_buffer(line: asyncio.Transport) -> None:
    line.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER)
