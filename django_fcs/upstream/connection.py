"""A client's connection of ``websockets`` that hands over what it reads by the burst."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event

from .framing import Framing, Texts

__all__ = ["SIZE_MAX", "WAITING_MAX", "Connecting", "Connection", "LastHeard"]

#: Frames that may wait to be worked off; beyond that the vendor is held up.
WAITING_MAX = 1000

#: The longest message that is taken in, in bytes.
SIZE_MAX = 1024 * 1024


class LastHeard:
    """When the other side last sent anything; until it does, when this was made."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.note()

    def note(self) -> None:
        """Take down that something came."""
        self._at = self._monotonic()

    @property
    def silence(self) -> float:
        """Return how long ago that was, in seconds."""
        return self._monotonic() - self._at


class Connecting(connect):
    """websockets' way to a ``Connection``, which raises no more than it says."""

    def __init__(self, uri: str, *, last_heard: LastHeard, **kwargs: Any) -> None:
        create = cast(type[ClientConnection], partial(Connection, last_heard=last_heard))
        super().__init__(uri, create_connection=create, **kwargs)

    async def __aenter__(self) -> ClientConnection:
        try:
            return await super().__aenter__()
        except ValueError as error:
            # A redirect to "//[::1" or to a port beyond 65535, as urllib sees it.
            raise WebSocketException(f"redirected to what is no address: {error}") from None


class Connection(ClientConnection):
    """A connection whose whole texts are cut out by the burst; the rest is websockets'.

    A frame of 330 bytes costs websockets some 15 µs, and the loop as much again.
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
        """Wait for messages, and return all that are there; raises ``ConnectionClosed``."""
        return await self._texts.take(self.transport) or [await self.recv(decode=False)]

    async def close(self, code: int = 1000, reason: str = "") -> None:
        # Unread texts would keep the other side's goodbye from coming through.
        self._texts.drop(self.transport)
        await super().close(code, reason)

    def data_received(self, data: bytes) -> None:
        self._last_heard.note()
        if self._head is not None:
            data = self._without_handshake(self._head, data)
        elif self.response is None or self.response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            super().data_received(data)
            return
        if data:
            self._framing.feed(data)
            self._texts.announce(self.transport)

    def _without_handshake(self, before: bytes, data: bytes) -> bytes:
        """Hand on the handshake; return the frames that came in one piece with it."""
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

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._fragments += event.data
        if event.fin:
            self._texts.add(bytes(self._fragments))
            self._fragments.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._texts.end()
