"""A fast subscriber at Redis, which counts prices and measures their age.

It is controlled by JSON lines on its standard input: ``start``, ``stop``, and ``listen``
for further connections that subscribe as well. Its arguments are the port of Redis, the
pattern of the channels, and the format of the time of sending: ``text`` or ``msgpack``.
"""

from __future__ import annotations

import asyncio
import re
import struct
import sys
import time
from array import array
from typing import Any, cast

from lab.kit.statistics import percentiles
from lab.kit.worker import answer_commands

__all__ = ["Watcher"]

_STAMPS = {
    "text": re.compile(rb'"update":([0-9.]+)'),
    "msgpack": re.compile(rb"\xa6update\xcb(.{8})", re.DOTALL),
}

#: A timestamp may be split between chunks, so this many bytes at the end are scanned again.
_TAIL = 64


class _Listener(asyncio.Protocol):
    """A connection that subscribes and ignores what it receives."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        command = b"*2\r\n$10\r\nPSUBSCRIBE\r\n$%d\r\n%s\r\n"
        pattern = self._pattern.encode()
        cast(asyncio.Transport, transport).write(command % (len(pattern), pattern))


class Watcher(_Listener):
    """A connection that subscribes and scans what it receives without parsing it."""

    def __init__(self, port: int, pattern: str, form: str) -> None:
        super().__init__(pattern)
        self._port = port
        self._is_text = form == "text"
        self._stamps = _STAMPS[form]
        self._tail = b""
        self._ages = array("d")

    def data_received(self, data: bytes) -> None:
        now = time.time()
        data, scanned = self._tail + data, 0
        for found in self._stamps.finditer(data):
            if self._is_text and found.end() == len(data):
                break  # More of its digits may follow.
            scanned = found.end()
            sent = float(found[1]) if self._is_text else struct.unpack(">d", found[1])[0]
            self._ages.append(now - sent)
        self._tail = data[max(scanned, len(data) - _TAIL) :]

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Start to count, return the counts, or open further connections."""
        if command["do"] == "start":
            del self._ages[:]
        if command["do"] == "listen":
            for _ in range(command["more"]):
                await connected(_Listener(self._pattern), self._port)
        return {"prices": len(self._ages), **percentiles(self._ages)}


async def connected(listener: _Listener, port: int) -> None:
    """Connect a listener to Redis at this port."""
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: listener, "127.0.0.1", port)


async def main() -> None:
    """Watch until the standard input ends."""
    port = int(sys.argv[1])
    watcher = Watcher(port, sys.argv[2], sys.argv[3])
    await connected(watcher, port)
    await answer_commands(watcher.obey)


if __name__ == "__main__":
    asyncio.run(main())
