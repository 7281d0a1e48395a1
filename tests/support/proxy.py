"""A wire that can be hurt: a TCP proxy of the tests, between any two processes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

from django_fcs.tools.servers import stop_accepting
from django_fcs.tools.tasks import end, together

CHUNK = 65_536


class Heard(NamedTuple):
    """What a client said, and when that came by."""

    at: float
    data: bytes


class Proxy:
    """Forwards connections to a port of this machine, as long as it is entered.

    ``port`` is its own; 0 takes any that is free. What is done to it concerns the connections
    there are, and where it lasts, those that come meanwhile. ``kernel_bytes`` limits what the
    kernel holds on the way to clients: without it, some megabytes.
    """

    def __init__(self, target: int, *, port: int = 0, kernel_bytes: int | None = None) -> None:
        self.delay = 0.0
        """Seconds that every chunk comes later, either way."""
        self.port = port
        self.accepted = 0
        """Connections so far."""
        self.ended_at = 0.0
        """When a connection last ended, in monotonic seconds."""
        self._heard: list[Heard] | None = None
        self._target = target
        self._kernel_bytes = kernel_bytes
        self._wires: dict[_Wire, asyncio.Task[None]] = {}
        self._is_black_hole = False
        self._is_down = False

    async def __aenter__(self) -> Proxy:
        listener = self._narrowed(socket.SO_SNDBUF)
        # A successor takes the port while connections of this proxy are open.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self._server = await asyncio.start_server(self._accept, sock=listener)
        self.port = listener.getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await stop_accepting(self._server.sockets)
        self._server.close()
        await end(*self._wires.values())

    @property
    def connections(self) -> int:
        """How many are open, those into the black hole included."""
        return len(self._wires)

    def stop_listening(self) -> None:
        """Leave the port to another proxy. The connections continue."""
        self._server.close()

    def reset(self) -> None:
        """Cut every connection with RST on both sides."""
        for wire in self._wires:
            wire.reset()

    def truncate(self) -> None:
        """Let half of what comes next from the target through, then cut with RST."""
        for wire in self._wires:
            wire.is_truncating = True

    @contextlib.contextmanager
    def overheard(self) -> Iterator[list[Heard]]:
        """Write down what clients say."""
        heard: list[Heard] = []
        self._heard = heard
        try:
            yield heard
        finally:
            self._heard = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to the target."""
        own = self._narrowed(socket.SO_RCVBUF)
        try:
            await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", self._target))
        except (OSError, asyncio.CancelledError):
            own.close()
            raise
        return await asyncio.open_connection(sock=own)

    def _narrowed(self, buffer: int) -> socket.socket:
        """Return a socket, one of whose buffers is small. Accepted sockets inherit its size."""
        own = socket.socket()
        own.setblocking(False)
        if self._kernel_bytes is not None:
            own.setsockopt(socket.SOL_SOCKET, buffer, self._kernel_bytes)
            # Linux gives each sender room for ten segments at once, and a loopback's have 64 kB.
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        return own

    def hear(self, data: bytes) -> None:
        if self._heard is not None:
            self._heard.append(Heard(time.monotonic(), data))

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Cut every connection, and those that come as soon as they are there."""
        self._is_down = True
        self.reset()
        try:
            yield
        finally:
            self._is_down = False

    @contextlib.contextmanager
    def black_hole(self) -> Iterator[None]:
        """Let nothing through, and say so to nobody: packets vanish, either way.

        Connections that were caught in it stay dead when it ends, as behind a router
        that has forgotten them: each side has to find that out by itself.
        """
        self._is_black_hole = True
        for wire in self._wires:
            wire.is_dead = True
        try:
            yield
        finally:
            self._is_black_hole = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = _Wire(self, writer, is_dead=self._is_black_hole)
        task = asyncio.current_task()
        assert task is not None
        self._wires[wire] = task
        self.accepted += 1
        try:
            if not self._is_down:
                await wire.carry(reader)
        except OSError:
            pass
        finally:
            wire.reset()
            del self._wires[wire]
            self.ended_at = time.monotonic()


class _Wire:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, *, is_dead: bool) -> None:
        self.is_dead = is_dead
        self.is_truncating = False
        self._proxy = proxy
        self._writers = [client]
        self._swallowed = 0
        self._is_over = asyncio.Event()

    async def carry(self, reader: asyncio.StreamReader) -> None:
        if self.is_dead:
            await self._swallow(reader)
            return
        theirs, to_target = await self._proxy.connect()
        self._writers.append(to_target)
        await together(
            self._pump(reader, to_target),
            self._pump(theirs, self._writers[0], is_answer=True),
        )
        for writer in () if self.is_dead else self._writers:
            # What was said before the end still arrives.
            writer.close()
            await writer.wait_closed()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_answer: bool = False,
    ) -> None:
        while not self.is_dead and (data := await reader.read(CHUNK)):
            if not is_answer:
                self._proxy.hear(data)
            if self._proxy.delay:
                await asyncio.sleep(self._proxy.delay)
            if self.is_dead:
                break
            if is_answer and self.is_truncating:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                return self.reset()
            writer.write(data)
            await writer.drain()
        if self.is_dead:
            await self._swallow(reader)

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        """Read and forget; no side is told of the other's end, as that vanishes too."""
        with contextlib.suppress(OSError):
            while await reader.read(CHUNK):
                pass
        self._swallowed += 1
        if self._swallowed == len(self._writers):
            self._is_over.set()
        await self._is_over.wait()

    def reset(self) -> None:
        for writer in self._writers:
            own = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                # No lingering: what follows is RST, and not a polite FIN.
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
