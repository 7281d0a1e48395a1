"""RESP in bulk, however its bytes are chopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.layer.wire import Reply, Wire, WireError, command

pytestmark = pytest.mark.versions

SAID = (
    b":5\r\n+PONG\r\n$-1\r\n$0\r\n\r\n$7\r\na\r\nb\x00\xffc\r\n_\r\n"
    b"*3\r\n$7\r\nmessage\r\n$3\r\nfcs\r\n$4\r\n\r\n\r\n\r\n>2\r\n$4\r\npong\r\n*0\r\n"
)
HEARD: list[Reply] = [
    *(b"5", b"PONG", None, b"", b"a\r\nb\x00\xffc", b""),
    [b"message", b"fcs", b"\r\n\r\n"],
    [b"pong", []],
]


async def heard(data: bytes, sizes: list[int]) -> list[Reply]:
    """Return all replies before the end of the stream."""
    reader = asyncio.StreamReader()
    nobody: Any = None
    wire = Wire(reader, nobody)
    replies: list[Reply] = []
    for size in [*sizes, len(data)]:
        reader.feed_data(data[:size])
        data = data[size:]
        waiting = asyncio.ensure_future(wire.receive())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if waiting.done():
            replies += waiting.result()
        else:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    return replies


@given(st.lists(st.integers(1, 30), max_size=12))
@settings(deadline=None)
def test_however_the_bytes_come_the_same_replies_are_read(sizes: list[int]) -> None:
    assert asyncio.run(heard(SAID, sizes)) == HEARD


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH Authentication required."),
        (b"HTTP/1.1 400 Bad Request\r\n", "that is not RESP"),
        (b"$x\r\n", "that is not RESP"),
        (b"*1\r\n" * 100_000, "that is not RESP"),
        (b"*3\r\n$7\r\nmessage\r\n$" + b"9" * 20 + b"\r\nfcs\r\n", "that is not RESP"),
        (b"*3\r\n$7\r\nmessage\r\n$1\r\nfcs\r\n$1\r\nx\r\n", "that is not RESP"),
        (b"*3\r\n$7\r\nmessage\r\n$3\r\nfcs\r\n$" + b"9" * 20 + b"\r\n", "that is not RESP"),
    ],
)
async def test_an_error_or_nonsense_ends_a_wire(said: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        await heard(said, [])


async def test_the_end_of_a_connection_is_an_error() -> None:
    reader = asyncio.StreamReader()
    reader.feed_eof()
    nobody: Any = None
    with pytest.raises(WireError, match="closed the connection"):
        await Wire(reader, nobody).receive()


def test_a_command_is_written_with_the_length_of_each_word() -> None:
    assert command(b"PUBLISH", b"a", b"\r\n") == b"*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$2\r\n\r\n\r\n"


async def test_who_writes_to_a_connection_that_is_lost_is_told_so() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
        wire.abort()
        with pytest.raises(WireError, match="lost"):
            await wire.send([command(b"PING")])
