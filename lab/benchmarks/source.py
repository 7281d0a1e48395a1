"""The vendor of the benchmarks: an FCS v4 server that sends prices at a set rate.

It is a separate process, controlled by JSON lines on its standard input::

    {"do": "rate", "updates_per_second": 50}    over all joined rooms, evenly spaced
    {"do": "count"}                             what was sent, to all connections

Each price contains the time at which it was written. If the socket is full, prices are
skipped and counted instead of queued, so that a slow reader never gets a price that became
old in this process. The system's send buffer is limited for the same reason.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from typing import Any, cast

from lab.kit.wire import CLOSE, PING, PONG, accept_key, frames, server_frame, unmasked
from lab.kit.worker import answer_commands

from .feed import PriceText, confirmation

__all__ = ["Connection", "Source"]

#: The system's send buffer of one connection, in bytes (the system doubles the figure).
SEND_BUFFER = 128 * 1024

#: Updates that are due within this time are sent in one write.
PACE_SECONDS = 0.001


class Connection(asyncio.Protocol):
    """The connection of one client."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rooms: dict[str, PriceText] = {}
        self.order: list[PriceText] = []
        self.writable = True
        self._next = 0
        self._received = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=0)
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.source.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.source.connections.discard(self)

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            self._upgrade()
            return
        stop = 0
        for opcode, start, stop in frames(self._received):
            self._read(opcode, unmasked(self._received[start:stop]))
        self._received = self._received[stop:]

    def _upgrade(self) -> None:
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        key = {name.lower(): value for name, value in headers.items()}[b"sec-websocket-key"]
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key) + b"\r\n\r\n"
        )
        self._upgraded, self._received = True, b""
        self.transport.write(server_frame(b'{"type":"welcome"}'))
        if rest:
            self.data_received(rest)

    def _read(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.transport.write(server_frame(payload, PONG))
        elif opcode == CLOSE:
            self.transport.write(server_frame(payload, CLOSE))
            self.transport.close()
        elif opcode != PONG:
            self._obey(json.loads(payload))

    def _obey(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            pong = json.dumps({"type": "pong", "timestamp": int(time.time() * 1000)})
            self.transport.write(server_frame(pong.encode()))
        elif message["type"] == "join_symbol":
            name, timeframe = message["symbol"], message["timeframe"]
            text = self.rooms.setdefault(name, PriceText(name, timeframe))
            self.order = list(self.rooms.values())
            self.transport.write(server_frame(confirmation(name, timeframe)))
            self.transport.write(server_frame(text.next("initial", time.time())))
        elif message["type"] == "leave_symbol":
            self.rooms.pop(message["symbol"], None)
            self.order = list(self.rooms.values())

    def send(self, updates: int) -> int:
        """Send the prices of the next rooms in one write; return how many were sent."""
        if not self.order or not self.writable:
            return 0
        now = time.time()
        written = bytearray()
        for _ in range(updates):
            self._next = (self._next + 1) % len(self.order)
            written += server_frame(self.order[self._next].next("candle", now))
        self.transport.write(written)
        return updates


class Source:
    """All connections, which share one rate."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self._rate = 0.0
        self._changed = asyncio.Event()
        self._sent = self._skipped = 0

    async def stream(self) -> None:
        """Send what is due, for ever."""
        while True:
            self._changed.clear()
            if not self._rate:
                await self._changed.wait()
            began, done = time.perf_counter(), 0
            while not self._changed.is_set():
                due = int((time.perf_counter() - began) * self._rate) - done
                if due > 0:
                    done += due
                    self._send(due)
                next_at = began + (done + 1) / self._rate
                await asyncio.sleep(max(PACE_SECONDS, next_at - time.perf_counter()))

    def _send(self, updates: int) -> None:
        for connection in tuple(self.connections):
            sent = connection.send(updates)
            self._sent += sent
            self._skipped += updates - sent if connection.order else 0

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Execute a command from the standard input."""
        if command["do"] == "rate":
            self._rate = command["updates_per_second"]
            self._changed.set()
        return {
            "at": time.time(),
            "sent": self._sent,
            "skipped": self._skipped,
            "rooms": len({name for each in self.connections for name in each.rooms}),
            "connections": len(self.connections),
        }


async def main() -> None:
    """Serve until the standard input ends."""
    source = Source()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(source), "127.0.0.1", int(sys.argv[1]))
    async with server:
        streaming = asyncio.create_task(source.stream())
        try:
            await answer_commands(source.obey)
        finally:
            streaming.cancel()


if __name__ == "__main__":
    asyncio.run(main())
