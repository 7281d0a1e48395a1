"""The wire that the fault tests hurt: it has to hurt as a real one does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.proxy import Proxy
from tests.support.waiting import eventually


@asynccontextmanager
async def echo(prefix: bytes = b"") -> AsyncIterator[int]:
    """Answer every line with itself."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(prefix + line)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Caller:
    """Somebody who says a line and waits for the answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, line: bytes = b"hello\n") -> bytes:
        self.writer.write(line)
        return await self.reader.readline()


@asynccontextmanager
async def caller(proxy: Proxy) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()


async def test_a_whole_wire_carries_both_ways() -> None:
    async with echo() as port, Proxy(port) as proxy, caller(proxy) as one:
        assert await one.ask() == b"hello\n"
        assert (proxy.accepted, proxy.connections) == (1, 1)
        one.writer.write_eof()
        assert await one.reader.read() == b""
        await eventually(lambda: proxy.connections == 0)


async def test_a_wire_may_be_slow() -> None:
    async with echo() as port, Proxy(port) as proxy, caller(proxy) as one:
        proxy.delay = 0.05
        asked = asyncio.get_running_loop().time()
        assert await one.ask() == b"hello\n"
        assert asyncio.get_running_loop().time() - asked >= 0.1


async def test_a_reset_is_an_error_and_no_end() -> None:
    async with echo() as port, Proxy(port) as proxy, caller(proxy) as one:
        await one.ask()
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await one.ask()
        async with caller(proxy) as another:
            assert await another.ask() == b"hello\n"


async def test_of_what_breaks_off_half_arrives() -> None:
    async with echo(b"." * 1000) as port, Proxy(port) as proxy, caller(proxy) as one:
        await one.ask()
        proxy.truncate()
        one.writer.write(b"hello\n")
        with pytest.raises(ConnectionResetError):
            while await one.reader.read(1):
                pass


async def test_while_it_is_down_nobody_gets_through() -> None:
    async with echo() as port, Proxy(port) as proxy, caller(proxy) as one:
        await one.ask()
        with proxy.down():
            with pytest.raises(ConnectionResetError):
                await one.ask()
            async with caller(proxy) as another:
                with pytest.raises(ConnectionResetError):
                    await another.ask()
        async with caller(proxy) as another:
            assert await another.ask() == b"hello\n"


async def test_what_a_black_hole_caught_stays_dead_and_nobody_is_told() -> None:
    async with echo() as port, Proxy(port) as proxy, caller(proxy) as one:
        await one.ask()
        with proxy.black_hole():
            async with caller(proxy) as another:
                answers = [asyncio.ensure_future(it.ask()) for it in (one, another)]
                await eventually(lambda: proxy.connections == 2)
        async with caller(proxy) as third:
            assert await third.ask() == b"hello\n"
        assert not answers[0].done()
        answers[0].cancel()
        await asyncio.gather(*answers, return_exceptions=True)
