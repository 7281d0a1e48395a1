"""A connection without a network: the bytes that a scripted vendor sends."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from lab.kit.wire import accept_key

__all__ = ["ACCEPT", "Line"]

#: A placeholder for the value of ``Sec-WebSocket-Accept``, which depends on the client's key;
#: both have the same length.
ACCEPT = b"{accept}".ljust(28, b"=")


class _Socket:
    def setsockopt(self, *_: Any) -> None:
        pass


class Line(asyncio.Transport):
    """The client's transport; it passes the input's data to the client unless it is paused."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Any, case: dict[str, Any]):
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._case = case
        self._data: bytes = case["data"]
        self._cuts = deque([*case["cuts"], (len(self._data), 0.0)])
        self._sent = 0
        self._request = b""
        self._is_asked = False
        self._is_closing = self._is_paused = self._is_held_up = False
        self.is_lost = False
        self.written = 0

    # -- called by the client

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += len(data)
        if self._is_asked:
            return
        self._request += bytes(data)
        if b"\r\n\r\n" in self._request:
            self._is_asked = True
            key = self._request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
            self._data = self._data.replace(ACCEPT, accept_key(key))
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Send the next piece and schedule the one after it."""
        if self._is_closing:
            return
        if self._is_paused:
            self._is_held_up = True
            return
        if not self._cuts:
            self._end()
            return
        stop, pause = self._cuts.popleft()
        piece, self._sent = self._data[self._sent : stop], stop
        if piece:
            self._protocol.data_received(piece)
        self._loop.call_later(pause, self._go_on)

    def _end(self) -> None:
        if self._case["end"] == "close":
            self._protocol.eof_received()
            self.close()
        elif self._case["end"] == "reset":
            self._lose(ConnectionResetError(104, "Connection reset by peer"))

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        if self._is_held_up:
            self._is_held_up = False
            self._loop.call_soon(self._go_on)

    def is_reading(self) -> bool:
        return not self._is_paused

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._lose(None)

    def abort(self) -> None:
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._has_lost, error)

    def _has_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        self._protocol.connection_lost(error)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return _Socket() if name == "socket" else default

    # -- bounds

    def assert_bounds(self, size_max: int, waiting_max: int) -> None:
        """Check that what the connection keeps is bounded."""
        one = self._protocol
        assert len(one._framing._rest) <= size_max + 14
        assert len(one._fragments) <= size_max
        assert len(one._texts._texts) <= waiting_max + len(self._data) // 2
