"""The client of the vendor's socket: joins, and its heartbeat."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from django_fcs.exceptions import BadSymbol
from django_fcs.protocol import Join, Leave, Ping, Pong, Price
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.tools.metrics import counts
from django_fcs.upstream import Status, Timing, UpstreamClient
from tests.support.upstreams import (
    EURUSD,
    QUICK,
    USDJPY,
    Vendor,
    joins,
    price,
    vendor,
    watching,
    welcoming,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- the short way, as the module's own example


async def test_prices_of_the_rooms_come_one_by_one(simulator: Simulator) -> None:
    async with UpstreamClient("test", rooms=["FX:EURUSD"], url=simulator.url) as client:
        heard = [(one.symbol, one.mode) async for one in first(client, 1)]

    assert heard == [("FX:EURUSD", "initial")]


async def first(client: UpstreamClient, count: int) -> AsyncIterator[Price]:
    async for one in client:
        yield one
        count -= 1
        if not count:
            return


async def test_a_loop_can_be_left_in_the_middle(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    async with UpstreamClient("a-key", rooms=["FX:EURUSD"], url=simulator.url) as client:
        async for price in client:
            assert price.symbol == "FX:EURUSD"
            break
    gc.collect()
    await eventually(lambda: simulator.connections == 0)

    assert "exception was never retrieved" not in caplog.text


async def test_leaving_the_client_hangs_up(simulator: Simulator) -> None:
    async with UpstreamClient("test", rooms=["FX:EURUSD"], url=simulator.url) as client:
        async for _ in client:
            break
        assert simulator.connections == 1

    await eventually(lambda: simulator.connections == 0)


async def test_the_goodbye_at_a_clean_end_tells_of_no_error() -> None:
    async with vendor(welcoming) as server:
        async with watching(server.url) as watch:
            await eventually(lambda: watch.statuses)

        await eventually(lambda: server.socket.close_code == 1000)


async def test_a_client_that_was_never_iterated_is_left_in_peace() -> None:
    async with UpstreamClient("test"):
        pass


# -- joins


async def test_nothing_is_joined_before_the_welcome() -> None:
    async def late(server: Vendor) -> None:
        listening = asyncio.ensure_future(server.listen())
        await server.say({"type": "ping"})
        await eventually(lambda: server.heard)
        assert [one["type"] for one in server.heard] == ["pong"]
        await server.say({"type": "welcome"})
        await listening

    async with vendor(late) as server, watching(server.url, EURUSD) as watch:
        await eventually(server.joins)

        assert server.joins() == ["FX:EURUSD"]
        assert watch.statuses == [Status(online=True)]


async def test_a_slow_welcome_is_waited_for() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(welcome_after=0.1))
    async with simulator, watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: simulator.rooms)

        assert watch.statuses == [Status(online=True)]
        assert counts().get("upstream_lost") is None


async def test_a_welcome_that_never_comes_is_waited_for_no_longer_than_said() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(welcome_after=1e9))
    timing = replace(QUICK, welcome=0.2)
    async with simulator, watching(simulator.url, EURUSD, timing=timing) as watch:
        await eventually(
            lambda: any(reason.endswith("sent no welcome in 0.2 s") for reason in watch.reasons)
        )
        simulator.faults = Faults()
        await eventually(lambda: simulator.rooms)


async def test_a_server_that_does_not_answer_is_left_and_tried_again() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, watching(url, timing=replace(QUICK, welcome=0.05)) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.reasons[0].endswith("did not answer in 0.05 s")


async def test_rooms_are_joined_in_the_order_in_which_they_are_wanted(
    simulator: Simulator,
) -> None:
    rooms = [Room("FX:USDJPY", "1D"), Room("BINANCE:BTCUSDT", "60"), Room("FX:EURUSD", "1D")]
    async with watching(simulator.url, *rooms):
        await eventually(lambda: len(simulator.rooms) == 3)

        assert joins(simulator) == rooms


async def test_what_is_wanted_can_change_at_any_time(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: EURUSD in watch.client.joined)

        watch.client.want([USDJPY, "BINANCE:BTCUSDT_60"])

        wanted = {USDJPY, Room("BINANCE:BTCUSDT", "60")}
        await eventually(lambda: watch.client.joined == watch.client.wanted == wanted)
        assert set(simulator.rooms) == wanted
        left = [one.message for one in simulator.received if isinstance(one.message, Leave)]
        assert left == [Leave(symbol="FX:EURUSD", timeframe="1D")]


def test_a_wanted_room_must_be_one() -> None:
    with pytest.raises(BadSymbol, match="eurusd"):
        UpstreamClient("test", rooms=["eurusd"])


async def test_all_wanted_rooms_are_joined_again_after_every_reconnect(
    simulator: Simulator,
) -> None:
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(20)]
    async with watching(simulator.url, *rooms) as watch:
        for connection in (1, 2, 3):
            await eventually(lambda n=connection: len(joins(simulator, n)) == len(rooms))
            await eventually(lambda: watch.client.joined == set(rooms))

            assert joins(simulator, connection) == rooms
            assert await simulator.drop_all() == 1


async def test_a_set_rebuilt_from_bare_confirmations_would_lose_rooms(
    simulator: Simulator,
) -> None:
    """The same ticker on two exchanges and in two timeframes: a confirmation's symbol is one."""
    rooms = {
        Room("BINANCE:BTCUSDT", "1D"),
        Room("BINANCE:BTCUSDT", "60"),
        Room("OKX:BTCUSDT", "1D"),
    }
    async with watching(simulator.url, *rooms) as watch:
        await eventually(lambda: watch.client.joined == rooms)
        confirmed = {
            message["symbol"]
            for message in map(json.loads, watch.texts)
            if message.get("short") == "joined_room"
        }
        assert confirmed == {"BTCUSDT"}

        await simulator.drop_all()

        await eventually(lambda: set(simulator.rooms) == rooms)
        await eventually(lambda: watch.client.joined == rooms)
        assert watch.client.wanted == rooms


async def test_joins_are_sent_no_faster_than_agreed_also_after_a_reconnect(
    simulator: Simulator,
) -> None:
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(10)]
    began = time.monotonic()
    async with watching(simulator.url, *rooms, timing=replace(QUICK, joins_per_second=100)):
        for _ in range(2):
            await eventually(lambda: len(simulator.rooms) == len(rooms))
            await simulator.drop_all()

    # A bound from below: a slow machine cannot break it.
    assert time.monotonic() - began >= (2 * len(rooms) - 1) / 100


def test_joins_are_50_a_second_and_pauses_as_the_manual_says_unless_told_otherwise() -> None:
    timing = Timing()

    assert timing.joins_per_second == 50
    assert timing.heartbeat == 25
    assert (timing.refused_first, timing.retry_first, timing.retry_cap) == (60, 1, 60)


async def test_a_join_without_an_answer_is_sent_again_ever_more_rarely_and_counted() -> None:
    timing = replace(QUICK, confirm=0.02)
    async with vendor(welcoming) as server, watching(server.url, EURUSD, timing=timing) as watch:
        began = time.monotonic()
        await eventually(lambda: len(server.joins()) == 4)

        # 1, 2 and 4 times what the first waits for.
        assert time.monotonic() - began >= 7 * 0.02 - 0.02
        assert counts()["upstream_join_retries"] >= 3
        assert not watch.client.joined

        await server.say(price())
        await eventually(lambda: watch.client.joined == {EURUSD})


async def test_a_confirmation_ends_the_asking_and_so_does_a_price(simulator: Simulator) -> None:
    async with watching(
        simulator.url, EURUSD, USDJPY, timing=replace(QUICK, confirm=0.02)
    ) as watch:
        await eventually(lambda: len(watch.client.joined) == 2)
        asked = watch.client._subscriptions.next_at()

        assert asked is None


async def test_many_joins_sent_again_are_all_counted() -> None:
    timing = replace(QUICK, confirm=0.02, joins_per_second=1e9)
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(8)]
    async with vendor(welcoming) as server, watching(server.url, *rooms, timing=timing) as watch:
        await eventually(lambda: len(server.joins()) >= 16)

        assert counts()["upstream_join_retries"] == watch.client._subscriptions.retries


# -- heartbeat


async def test_a_json_ping_goes_out_at_every_beat(simulator: Simulator) -> None:
    async with watching(simulator.url, timing=replace(QUICK, heartbeat=0.02)):
        await eventually(lambda: len(pings(simulator)) >= 3)

    assert abs((pings(simulator)[0].timestamp or 0) / 1000 - time.time()) < 60


def pings(simulator: Simulator) -> list[Ping]:
    return [one.message for one in simulator.received if isinstance(one.message, Ping)]


async def test_the_heart_beats_beside_the_joins() -> None:
    """Joins that are due all the time hold no beat back."""
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(pong=False))
    rooms = [Room(f"FX:PAIR{n}", "1D") for n in range(20)]
    timing = replace(QUICK, heartbeat=0.02, joins_per_second=100)
    async with simulator, watching(simulator.url, *rooms, timing=timing):
        await eventually(lambda: len(simulator.rooms) == len(rooms))

    kinds = [type(one.message) for one in simulator.received]
    assert kinds.index(Ping) < len(kinds) - 1 - kinds[::-1].index(Join)


async def test_a_ping_is_answered_with_the_clients_time() -> None:
    simulator = Simulator(RandomWalk(rate=0), faults=Faults(ping_seconds=0.01))
    async with simulator, watching(simulator.url):
        await eventually(lambda: len(pongs(simulator)) >= 2)

    assert abs((pongs(simulator)[0].timestamp or 0) / 1000 - time.time()) < 60


def pongs(simulator: Simulator) -> list[Pong]:
    return [one.message for one in simulator.received if isinstance(one.message, Pong)]
