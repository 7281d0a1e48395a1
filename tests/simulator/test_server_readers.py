"""The simulator before readers that are fast, slow or gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from django_fcs.recording import read
from django_fcs.rooms import Room
from django_fcs.simulator import Replay, Simulator
from django_fcs.simulator.market import Prices
from django_fcs.simulator.outbox import QUEUE_MAX
from django_fcs.simulator.sources import History, Opening, Tick, Window
from tests.simulator.fcs_client import Client, client_of, still
from tests.support.recordings import DATA
from tests.support.waiting import eventually


async def test_a_replay_without_waits_arrives_whole() -> None:
    path = DATA / "fx-eurusd-2020-01-01.jsonl"
    recorded = [json.loads(frame.text) for frame in read(path)]
    async with Simulator(Replay(read(path), speed=0)) as simulator:
        async with client_of(simulator) as client:
            await client.join(timeframe="1")

            assert [await client.hear() for _ in recorded] == recorded
            assert await client.settle() == []

        async with client_of(simulator) as late:
            await late.join(timeframe="1")
            _, _, initial = await late.settle()
            assert initial["prices"]["c"] == recorded[-1]["prices"]["c"]
            assert initial["prices"]["a"] == recorded[-1]["prices"]["a"]


class Pushed:
    """A source that waits for nobody and leaves all prices to ``push``."""

    lossless = False

    def open(self, room: Room, now: float) -> Opening:
        return Opening(None, None, [])

    def close(self, room: Room) -> None:
        pass

    def due(self) -> float | None:
        return None

    def advance(self, now: float) -> list[Tick]:
        return []

    def history(self, room: Room, now: float, window: Window) -> History | None:
        return None


def sized(number: int) -> Prices:
    return {"mode": "candle", "t": 60, "c": number, "padding": "x" * 20_000}


@asynccontextmanager
async def deaf_client_of(simulator: Simulator) -> AsyncIterator[Client]:
    """A client that reads nothing before its test does."""
    address = f"{simulator.url}/?access_key=x"
    async with connect(address, max_queue=1, close_timeout=0.1) as socket:
        client = Client(socket)
        await client.hear()
        await client.join()
        await client.hear()
        yield client


async def test_the_oldest_live_price_gives_way_to_a_reader_that_is_slow() -> None:
    async with Simulator(Pushed()) as simulator, deaf_client_of(simulator) as client:
        pushed = 0
        while not simulator.dropped:
            pushed += 1
            await simulator.push("FX:EURUSD", "1D", **sized(pushed))
            await asyncio.sleep(0)

        heard = [(await client.price())["prices"]["c"]]
        while heard[-1] != pushed:
            heard.append((await client.price())["prices"]["c"])

        assert heard == sorted(heard)
        assert len(heard) == pushed - simulator.dropped
        assert len(heard) >= QUEUE_MAX


async def test_a_replay_waits_for_a_reader_that_is_slow() -> None:
    count = 3 * QUEUE_MAX
    texts = (
        json.dumps({"type": "price", "symbol": "FX:EURUSD", "timeframe": "1D", "prices": sized(n)})
        for n in range(count)
    )
    replay = Replay(((float(n), text) for n, text in enumerate(texts)), speed=0)
    async with Simulator(replay) as simulator, deaf_client_of(simulator) as client:
        heard = [(await client.price())["prices"]["c"] for _ in range(count)]

        assert heard == list(range(count))
        assert simulator.dropped == 0


async def test_a_reader_that_goes_holds_no_replay_up() -> None:
    texts = [
        json.dumps({"type": "price", "symbol": "FX:EURUSD", "timeframe": "1D", "prices": sized(n)})
        for n in range(3 * QUEUE_MAX)
    ]
    replay = Replay(((float(n), text) for n, text in enumerate(texts)), speed=0)
    async with Simulator(replay) as simulator:
        async with deaf_client_of(simulator):
            assert replay.due() is not None
            await simulator.drop_all()

        await eventually(lambda: replay.due() is None)


async def test_a_client_that_asks_before_it_reads_gets_every_answer() -> None:
    count = 2 * QUEUE_MAX
    async with still() as simulator, client_of(simulator) as client:
        client.socket.transport.pause_reading()
        for _ in range(count):
            await client.join()
        client.socket.transport.resume_reading()

        kinds = [(await client.hear())["type"] for _ in range(3 * count)]

        assert kinds == ["message", "price", "price"] * count


async def test_a_source_that_fails_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Pushed):
        def due(self) -> float | None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with Simulator(Broken()):
            await eventually(lambda: "stopped streaming" in caplog.text)
