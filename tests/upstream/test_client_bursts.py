"""What the vendor sends in one piece, in many pieces, or faster than it is worked off."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing

import pytest
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from django_fcs.upstream import Arrival, Status, UpstreamClient, client as module, connection
from django_fcs.upstream.connection import WAITING_MAX
from tests.support.upstreams import QUICK, Vendor, price, vendor, watching
from tests.support.waiting import eventually

pytestmark = pytest.mark.versions

ROOM = "FX:EURUSD_1D"


async def test_fragments_and_binary_frames_come_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def conduct(server: Vendor) -> None:
        await server.say({"type": "welcome"}, price(c=1.0))
        text = json.dumps(price(c=2.0))
        await server.socket.send([text[:20], text[20:40], text[40:]])
        await server.say(price(c=3.0))
        await server.socket.send(json.dumps(price(c=4.0)).encode())
        await server.socket.ping()
        await server.say(price(c=5.0))
        await server.listen()

    async with vendor(conduct) as server, watching(server.url, ROOM) as watch:
        await eventually(lambda: len(watch.prices) == 5)

        assert [one.c for one in watch.prices] == [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_frames_may_come_in_one_piece_with_the_handshake_or_byte_by_byte(size: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        [request] = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        for message in ({"type": "welcome"}, price(c=1.0), price(c=2.0)):
            protocol.send_text(json.dumps(message).encode())
        data = b"".join(protocol.data_to_send())
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with watching(f"ws://127.0.0.1:{port}/", ROOM) as watch:
            await eventually(lambda: len(watch.prices) == 2)

            assert [one.c for one in watch.prices] == [1.0, 2.0]


async def test_what_came_meanwhile_is_handed_over_by_the_burst() -> None:
    async def conduct(server: Vendor) -> None:
        await server.say({"type": "welcome"}, *(price(c=float(n)) for n in range(1, 500)))
        await server.listen()

    async with vendor(conduct) as server:
        client = UpstreamClient("test", url=server.url, rooms=[ROOM], timing=QUICK)
        closes: list[float | None] = []
        sizes = []
        async with client, aclosing(client.batches()) as batches:
            async for batch in batches:
                item = [one for event in batch if isinstance(event, Arrival) for one in event.items]
                closes += [getattr(message, "c", None) for _, message in item]
                sizes.append(len(batch))
                if len(closes) == 499:
                    break
                await asyncio.sleep(0.01)

    assert closes == [float(n) for n in range(1, 500)]
    assert max(sizes) <= module.BATCH_MAX + 1
    assert len(sizes) < 250


async def test_what_came_before_the_end_is_read_where_a_ping_can_be_answered_no_more() -> None:
    is_asked = asyncio.Event()

    async def conduct(server: Vendor) -> None:
        await server.say({"type": "welcome"}, {"type": "ping", "timestamp": 1})
        await is_asked.wait()
        await server.say(price(c=2.0))

    async with vendor(conduct) as server:
        client = UpstreamClient("test", url=server.url, rooms=[ROOM], timing=QUICK)
        heard: list[str] = []
        async with client, aclosing(client.batches()) as batches:
            async for batch in batches:
                heard += [event.text for event in batch if isinstance(event, Arrival)]
                if any(isinstance(event, Status) and not event.online for event in batch):
                    break
                if any("ping" in text for text in heard):
                    is_asked.set()
                    await eventually(lambda: has_ended(client))

    assert [json.loads(text)["type"] for text in heard] == ["welcome", "ping", "price"]


def has_ended(client: UpstreamClient) -> bool:
    return client._socket is None or client._socket.state is State.CLOSED


async def test_a_vendor_that_floods_is_held_up_and_left_without_delay() -> None:
    sent = 0

    async def conduct(server: Vendor) -> None:
        nonlocal sent
        await server.say({"type": "welcome"})
        padded = json.dumps({**price(), "x": "x" * 10_000})
        while True:
            await server.say(padded)
            sent += 1

    async with vendor(conduct) as server:
        client = UpstreamClient("test", url=server.url, rooms=[ROOM], timing=QUICK)
        async with client, aclosing(client.batches()) as batches:
            async for _ in batches:
                break
            before = -1

            async def is_held_up() -> bool:
                nonlocal before
                before, known = sent, before
                await asyncio.sleep(0.05)
                return sent == known

            await eventually(is_held_up)
            assert sent < 3 * WAITING_MAX


async def test_a_frame_beyond_all_measure_ends_the_connection() -> None:
    async def conduct(server: Vendor) -> None:
        await server.say({"type": "welcome"}, price(), "x" * (connection.SIZE_MAX + 1))
        await server.listen()

    async with vendor(conduct) as server, watching(server.url, ROOM) as watch:
        await eventually(lambda: watch.reasons)

        assert len(watch.prices) >= 1
        assert "closed the connection" in watch.reasons[0]
