"""WebSocket frames by the burst: what a flood of short texts needs, and no more.

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
    """Cut what a server sends behind its handshake into whole frames.

    Payloads of whole texts go to ``text``; any other frame (control, fragment, binary)
    goes to ``other`` as it came, headers included, and so does everything from a frame
    on that is none or is longer than ``size_max``.
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
                # From 128 on it is masked, which no server may do.
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
    """Texts between a socket and its reader, who takes all at once.

    Bound: ``limit`` texts, and what the socket had read already. Policy: beyond it the
    socket is left unread, and so its sender is held up.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._texts: list[bytes] = []
        self._came = asyncio.Event()
        self._is_paused = False
        self._is_dropping = False
        self._has_ended = False

    def add(self, text: bytes) -> None:
        """Take in a text; ``announce`` then lets the reader know."""
        if not self._is_dropping:
            self._texts.append(text)

    def announce(self, transport: asyncio.ReadTransport) -> None:
        """Wake the reader, and leave the socket unread while it is behind."""
        if self._texts:
            self._came.set()
        if len(self._texts) > self._limit and not self._is_paused:
            self._is_paused = True
            transport.pause_reading()

    def end(self) -> None:
        """Say that nothing more will come."""
        self._has_ended = True
        self._came.set()

    async def take(self, transport: asyncio.ReadTransport) -> list[bytes]:
        """Wait for the first text, and hand over all; none where nothing more will come."""
        while not self._texts and not self._has_ended:
            self._came.clear()
            await self._came.wait()
        taken, self._texts = self._texts, []
        self._resume(transport)
        return taken

    def drop(self, transport: asyncio.ReadTransport) -> None:
        """Throw away what waits and what will come: there is no reader any more."""
        self._is_dropping = True
        self._texts.clear()
        self._resume(transport)

    def _resume(self, transport: asyncio.ReadTransport) -> None:
        if self._is_paused:
            self._is_paused = False
            # Of a connection that was lost, TLS of Python 3.10 has no transport any more.
            with suppress(AttributeError):
                transport.resume_reading()
