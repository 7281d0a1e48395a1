"""The client of the vendor's socket, where a connection is up in name only."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from django_fcs.messages import Leave
from django_fcs.simulator import Simulator
from django_fcs.upstream import Status, Timing
from tests.upstreams import EURUSD, QUICK, USDJPY, joins, watching
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")


async def test_rooms_can_be_left_and_joined_again(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD, USDJPY) as watch:
        await eventually(lambda: watch.client.joined == {EURUSD, USDJPY})
        watch.client.rejoin([EURUSD])
        assert watch.client.joined == {USDJPY}
        assert watch.client.wanted == {EURUSD, USDJPY}
        await eventually(lambda: watch.client.joined == {EURUSD, USDJPY})

        left = [one.message for one in simulator.received if isinstance(one.message, Leave)]
        assert left == [Leave(symbol="FX:EURUSD", timeframe="1D")]
        assert joins(simulator) == [EURUSD, USDJPY, EURUSD]
        assert watch.statuses == [Status(online=True)]


async def test_a_connection_can_be_given_up_with_a_reason(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.client.joined)
        watch.client.reconnect("no price came")
        await eventually(lambda: len(watch.statuses) == 3)
        await eventually(lambda: simulator.connections == 1 and len(joins(simulator)) == 2)
        await simulator.drop_all()
        await eventually(lambda: len(watch.reasons) == 2)

    place = simulator.url.removeprefix("ws://")
    assert [status.online for status in watch.statuses[:3]] == [True, False, True]
    assert watch.reasons == [
        f"{place} was given up: no price came",
        f"{place} closed the connection with code 1006",
    ]


class BlackHole:
    """A way to the vendor on which at some time all packets vanish, both ways."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps = 0
        self.swallows = False

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, back]
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pumps += 1
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.swallows:
                    writer.write(data)
        self._pumps -= 1

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await eventually(lambda: not self._pumps)


async def test_a_line_that_is_cut_without_a_word_is_found_out(simulator: Simulator) -> None:
    hole = BlackHole(simulator.url)
    server = await asyncio.start_server(hole.connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    timing = replace(QUICK, ping=0.05, pong=0.1, goodbye=0.1)
    async with watching(f"ws://127.0.0.1:{port}", EURUSD, timing=timing) as watch:
        await eventually(lambda: watch.client.joined)
        hole.swallows = True
        cut_at = time.monotonic()
        await eventually(lambda: watch.reasons)
        hole.swallows = False

        assert watch.reasons[0] == f"127.0.0.1:{port} gives no sign of life"
        assert time.monotonic() - cut_at < 2
        await eventually(lambda: watch.statuses[-1].online)
    server.close()
    await hole.close()


@pytest.mark.parametrize("offline_after", [2, 10, 60])
def test_it_is_found_out_within_the_time_after_which_a_page_says_so(offline_after: float) -> None:
    timing = Timing.within(offline_after)

    assert timing.ping + timing.pong + timing.goodbye < offline_after + 5
    assert Timing.within(10) == Timing()
