"""One browser of the load."""

from __future__ import annotations

import re
import select
import socket
import time
import zlib
from array import array
from typing import Any

from lab.kit.wire import CLOSE, PING, PONG, client_frame, frames

from .feed import join

__all__ = ["Browser"]

MERGE_PROTOCOL = "fcs.merge.v1"
PATH = "/ws/fcs/"

DRAIN_SECONDS = 2

#: Less than the size at which malloc maps and unmaps memory for each call.
_RECEIVE = 64 * 1024

#: The end of a flushed stream, which no frame contains (RFC 7692, section 7.2.1).
_FLUSHED = b"\x00\x00\xff\xff"

_STAMPS = re.compile(rb'"update": ?([0-9.]+)')


class Browser:
    """A socket that joins its rooms, answers pings, and counts what it receives.

    Args:
        port: The port of the server.
        rooms: Numbers of the rooms to join.
        merge_rate: Frames per second to request on the merge protocol; ``None`` for one
            object per frame.
        deflate: Whether to ask for compressed frames (RFC 7692).
        ages: Collects the age of each price, in seconds; ``None`` to time no prices.
        receive_buffer: Size of the system's buffer in bytes; ``None`` for the default.
    """

    __slots__ = (
        *("_ages", "_deflate", "_inflater", "_merge_rate", "_port", "_receive_buffer", "_tail"),
        *("bytes", "closed", "close_code", "frames", "poll", "prices", "rooms", "socket"),
        "upgraded",
    )

    def __init__(
        self,
        port: int,
        rooms: list[int],
        *,
        merge_rate: float | None = None,
        deflate: bool = False,
        ages: array[float] | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self._port = port
        self._merge_rate = merge_rate
        self._deflate = deflate
        self._inflater: Any = None
        self._ages = ages
        self._receive_buffer = receive_buffer
        self._tail = b""
        self.rooms = rooms
        self.prices = self.frames = self.bytes = 0
        self.poll: select.epoll
        self.upgraded = self.closed = False
        self.close_code: int | None = None

    @property
    def is_prompt(self) -> bool:
        """Whether it must be read at once, because it is timed or its buffer is small."""
        return self._ages is not None or self._receive_buffer is not None

    def connect(self) -> None:
        """Connect and request the upgrade."""
        self.socket = socket.socket()
        if self._receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        self.socket.connect(("127.0.0.1", self._port))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self._deflate else ""
        merge = f"Sec-WebSocket-Protocol: {MERGE_PROTOCOL}\r\n" if self._merge_rate else ""
        self.socket.send(
            f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{merge}{deflate}Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def receive(self) -> None:
        """Receive once from the socket and process the data."""
        try:
            data = self.socket.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
            self.poll.unregister(self.socket)
            return
        self.bytes += len(data)
        if self.upgraded and not self._tail and _is_one_frame(data):
            self._read(data)
        else:
            self._read_all(self._tail + data)

    def _read_all(self, data: bytes) -> None:
        if not self.upgraded:
            data = self._upgrade(data)
        stop = 0
        for opcode, start, stop in frames(data):
            payload = data[start:stop]
            if opcode < CLOSE:
                self._read(self._inflated(payload))
            elif opcode == PING:
                self.socket.send(client_frame(payload, PONG))
            elif opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
        self._tail = data[stop:]

    def _upgrade(self, data: bytes) -> bytes:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        if not head.startswith(b"HTTP/1.1 101"):
            raise SystemExit(f"no upgrade: {head!r}")
        self.upgraded = True
        if self._deflate:
            if b"permessage-deflate" not in head:
                raise SystemExit("the server does not compress frames")
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        wishes = [join(room) for room in self.rooms]
        if self._merge_rate:
            wishes.insert(0, b'{"type":"rate","frames_per_second":%g}' % self._merge_rate)
        self.socket.send(b"".join(client_frame(wish) for wish in wishes))
        return rest

    def _inflated(self, payload: bytes) -> bytes:
        """Return what a frame says. Servers that compress frames compress all of them."""
        if self._inflater is None:
            return payload
        inflated: bytes = self._inflater.decompress(payload + _FLUSHED)
        return inflated

    def _read(self, payload: bytes) -> None:
        # This does not match `"prices"`, which has no quotation mark after the e.
        prices = payload.count(b'"price"')
        if prices:
            self.prices += prices
            self.frames += 1
            if self._ages is not None:
                now = time.time()
                for stamp in _STAMPS.findall(payload):
                    self._ages.append(now - float(stamp))
        if b'"ping"' in payload:
            pong = b'{"type":"pong","timestamp":%d}' % (time.time() * 1000)
            self.socket.send(client_frame(pong))

    def drain(self) -> dict[str, object]:
        """Read what a stuck browser has not read; return its size and the close code."""
        self.socket.settimeout(DRAIN_SECONDS)
        deadline = time.monotonic() + DRAIN_SECONDS
        read = 0
        try:
            while (data := self.socket.recv(_RECEIVE)) and time.monotonic() < deadline:
                read += len(data)
                self._read_all(self._tail + data)
        except OSError:
            pass  # The connection was reset, or there is no more data.
        return {"bytes": read, "close_code": self.close_code}


def _is_one_frame(data: bytes) -> bool:
    """Tell whether this is one whole text frame of medium size, like most frames."""
    return (
        len(data) > 4
        and data[0] == 0x81
        and data[1] == 126
        and (data[2] << 8 | data[3]) == len(data) - 4
    )
