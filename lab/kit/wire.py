"""Fast reading and writing of WebSocket frames (RFC 6455), without fragments or extensions."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

__all__ = [
    "CLOSE",
    "PING",
    "PONG",
    "TEXT",
    "accept_key",
    "client_frame",
    "frames",
    "server_frame",
    "unmasked",
]

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: bytes) -> bytes:
    """Return the ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


def server_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a payload as a server's frame."""
    return _head(opcode, len(payload), 0) + payload


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a payload as a client's frame.

    Its mask is zero, which is as much work for the server as any other mask.
    """
    return _head(opcode, len(payload), 0x80) + b"\0\0\0\0" + payload


def _head(opcode: int, size: int, mask: int) -> bytes:
    if size < 126:
        return bytes((0x80 | opcode, mask | size))
    if size < 65536:
        return bytes((0x80 | opcode, mask | 126)) + size.to_bytes(2, "big")
    return bytes((0x80 | opcode, mask | 127)) + size.to_bytes(8, "big")


def frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Iterate over the complete frames: opcode, start and end of the payload.

    The mask is included in the payload; ``unmasked`` removes it.
    """
    at, end = 0, len(data)
    while end - at >= 2:
        mask, size, start = data[at + 1] & 0x80, data[at + 1] & 0x7F, at + 2
        if size == 126:
            start += 2
        elif size == 127:
            start += 8
        if start > end:
            return
        if size > 125:
            size = int.from_bytes(data[at + 2 : start], "big")
        stop = start + size + (4 if mask else 0)
        if stop > end:
            return
        yield data[at] & 0x0F, start, stop
        at = stop


def unmasked(payload: bytes) -> bytes:
    """Return a client's payload without the mask that precedes it."""
    mask = payload[:4]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload[4:]))
