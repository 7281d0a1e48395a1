"""A fast reader of WebSocket frames: it cuts out short texts, and leaves the rest to websockets.

https://www.rfc-editor.org/rfc/rfc6455#section-5.2
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Framing", "Texts"]

#: FIN and the opcode of a text: a whole message in one frame.
_WHOLE_TEXT = 0x81


class Framing:
    """Cuts what a server sends after its handshake into whole frames.

    The payload of a text in one frame goes to ``text``. Any other frame (control,
    fragment, binary) goes to ``other`` unchanged, with its header. From a frame that is
    invalid or longer than ``size_max``, everything that has been read goes to ``other``.
    """

    def __init__(
        self, *, text: Callable[[bytes], None], other: Callable[[bytes], None], size_max: int
    ) -> None:
        self._text = text
        self._other = other
        self._size_max = size_max
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the stream."""
        data, at = self._rest + data if self._rest else data, 0
        end = len(data)
        while end - at >= 2:
            length, start = data[at + 1], at + 2
            if length > 125:
                start += 2 if length == 126 else 8
                if end < start:
                    break
                # From 128 the frame is masked. Servers must not mask.
                length = int.from_bytes(data[at + 2 : start], "big") if length < 128 else -1
            if not 0 <= length <= self._size_max:
                self._other(data[at:])
                at = end
                break
            stop = start + length
            if stop > end:
                break
            if data[at] == _WHOLE_TEXT:
                self._text(data[start:stop])
            else:
                self._other(data[at:stop])
            at = stop
        self._rest = data[at:]


class Texts:
    """Texts between a socket and its reader, which takes all of them at once.

    Bound: ``limit`` texts, and those that arrived in the same read. Policy: beyond it
    the socket is not read, so TCP stops the sender.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._texts: list[bytes] = []
        self._came = asyncio.Event()
        self._is_paused = False
        self._is_dropping = False
        self._has_ended = False

    def add(self, text: bytes) -> None:
        """Add a text. Call ``announce`` afterwards to wake the reader."""
        if not self._is_dropping:
            self._texts.append(text)

    def announce(self, transport: asyncio.ReadTransport) -> None:
        """Wake the reader, and pause the socket if too many texts wait."""
        if self._texts:
            self._came.set()
        if len(self._texts) > self._limit and not self._is_paused:
            self._is_paused = True
            transport.pause_reading()

    def end(self) -> None:
        """Mark the end: no more texts will arrive."""
        self._has_ended = True
        self._came.set()

    async def take(self, transport: asyncio.ReadTransport) -> list[bytes]:
        """Wait for a text and return all that wait. The list is empty only after ``end``."""
        while not self._texts and not self._has_ended:
            self._came.clear()
            await self._came.wait()
        taken, self._texts = self._texts, []
        self._resume(transport)
        return taken

    def drop(self, transport: asyncio.ReadTransport) -> None:
        """Discard all texts, those that arrive later too: nobody reads them any more."""
        self._is_dropping = True
        self._texts.clear()
        self._resume(transport)

    def _resume(self, transport: asyncio.ReadTransport) -> None:
        if self._is_paused:
            self._is_paused = False
            # TLS of Python 3.10 has no transport any more when the connection is lost.
            with suppress(AttributeError):
                transport.resume_reading()
