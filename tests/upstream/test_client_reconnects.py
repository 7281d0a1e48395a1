"""The client of the vendor's socket, where the connection or the key fails."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from django_fcs.exceptions import FailureKind, KeyRefused
from django_fcs.protocol import RemoveAll
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.simulator.server import BAD_KEY
from django_fcs.tools.metrics import counts
from django_fcs.upstream import Status, Timing, UpstreamClient
from tests.support.network import free_port
from tests.support.upstreams import (
    EURUSD,
    QUICK,
    REFUSALS,
    USDJPY,
    Dice,
    Vendor,
    joins,
    vendor,
    watching,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- losing the connection


async def test_it_tries_for_ever_with_full_jitter_below_a_ceiling_that_doubles_to_a_cap() -> None:
    port, dice = free_port(), Dice()
    url = f"ws://127.0.0.1:{port}"
    async with watching(url, EURUSD, timing=replace(Timing(), welcome=5), rng=dice) as watch:
        await eventually(lambda: len(dice.asked) >= 30)

        assert dice.asked[:8] == [(0, b) for b in (1, 2, 4, 8, 16, 32, 60, 60)]
        assert set(dice.asked[6:]) == {(0, 60)}
        assert watch.reasons[0].startswith(f"cannot reach FCS_URL at 127.0.0.1:{port}: ")
        async with Simulator(RandomWalk(rate=0), port=port) as simulator:
            await eventually(lambda: simulator.rooms)
            assert watch.statuses[-1] == Status(online=True)


async def test_a_connection_that_held_for_a_while_makes_the_next_retry_a_first_one(
    simulator: Simulator,
) -> None:
    dice = Dice()
    timing = replace(Timing(), settled=0.0, joins_per_second=10_000)
    async with watching(simulator.url, EURUSD, timing=timing, rng=dice):
        for tries in range(1, 4):
            await eventually(lambda: simulator.rooms)
            await simulator.drop_all()
            await eventually(lambda tries=tries: len(dice.asked) >= tries)

    assert set(dice.asked) == {(0, 1)}


async def test_a_lost_connection_is_told_and_counted(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: simulator.rooms)
        await simulator.drop_all()
        await eventually(lambda: len(watch.statuses) == 3)

    place = simulator.url.removeprefix("ws://")
    welcomed, lost, again = watch.statuses
    assert welcomed == again == Status(online=True)
    assert not lost.online
    assert lost.reason == f"{place} closed the connection with code 1006"
    assert lost.public == "no connection to the feed"
    assert lost.error is not None
    assert (lost.error.__traceback__, lost.error.__context__) == (None, None)
    assert (lost.error.kind, lost.error.place, lost.error.code) == (
        FailureKind.CLOSED,
        place,
        1006,
    )
    assert counts()["upstream_lost"] == 1
    assert f"upstream lost reason={lost.reason} retry_in=" in caplog.text


async def test_the_close_code_of_the_vendor_is_told() -> None:
    async def goodbye(server: Vendor) -> None:
        await server.say({"type": "welcome"})
        await server.socket.close(1013)

    async with vendor(goodbye) as server, watching(server.url) as watch:
        await eventually(lambda: watch.reasons)

        assert watch.reasons[0].endswith("closed the connection with code 1013")


async def test_other_statuses_than_a_refusal_are_tried_again() -> None:
    simulator = Simulator(
        RandomWalk(rate=0), faults=Faults(refusal="http", http_status=503), accepted_keys=set()
    )
    async with simulator, watching(simulator.url, patient=False) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.reasons[0].endswith("answered with HTTP 503")
        assert watch.error is None


async def test_a_server_that_speaks_no_websocket_is_told_as_such() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, watching(f"ws://127.0.0.1:{port}") as watch:
        await eventually(lambda: watch.reasons)

        assert watch.reasons[0].startswith(f"cannot reach FCS_URL at 127.0.0.1:{port}: ")


# -- refused keys


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_key_that_is_refused_at_once_is_an_error(how: str) -> None:
    faults, reason = REFUSALS[how]
    async with Simulator(RandomWalk(rate=0), faults=faults) as simulator:
        client = UpstreamClient(BAD_KEY, url=simulator.url)
        with pytest.raises(KeyRefused, match="refused FCS_API_KEY") as caught:
            async with client, aclosing(client.events()) as events:
                async for _ in events:
                    pass

    assert reason in str(caught.value)


@pytest.mark.parametrize("how", REFUSALS)
async def test_a_key_that_was_welcome_once_is_tried_again_ever_more_rarely(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    keys = {"test"}
    timing = replace(QUICK, refused_first=0.1, refused_cap=0.2)
    simulator = Simulator(RandomWalk(rate=0), faults=REFUSALS[how][0], accepted_keys=keys)
    async with simulator, watching(simulator.url, EURUSD, timing=timing, patient=False) as watch:
        await eventually(lambda: simulator.rooms)
        keys.clear()
        await simulator.drop_all()
        await eventually(lambda: len(watch.reasons) >= 4)
        keys.add("test")
        await eventually(lambda: simulator.rooms)

    assert watch.error is None
    refused = [line for line in caplog.messages if "refused FCS_API_KEY" in line]
    assert [line.rpartition("retry_in=")[2] for line in refused[:3]] == ["0.1", "0.2", "0.2"]


async def test_where_nobody_waits_for_an_end_the_key_is_tried_again_from_the_first() -> None:
    keys: set[str] = set()
    simulator = Simulator(RandomWalk(rate=0), accepted_keys=keys)
    timing = replace(QUICK, refused_first=0.01)
    async with simulator, watching(simulator.url, EURUSD, timing=timing) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)
        keys.add("test")
        await eventually(lambda: simulator.rooms)

        assert watch.error is None


async def test_a_close_code_of_a_refusal_means_none_after_the_welcome() -> None:
    async def goodbye(server: Vendor) -> None:
        await server.say({"type": "welcome"})
        await server.socket.close(4001)

    async with vendor(goodbye) as server, watching(server.url, patient=False) as watch:
        await eventually(lambda: len(watch.reasons) >= 2)

        assert watch.reasons[0].endswith("closed the connection with code 4001")


# -- leaving


async def test_who_goes_leaves_all_rooms_and_closes(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD, USDJPY) as watch:
        await eventually(lambda: len(watch.client.joined) == 2)
    await eventually(lambda: not simulator.connections)

    assert isinstance(simulator.received[-1].message, RemoveAll)


async def test_a_connection_that_is_cut_is_gone_without_goodbye_and_replaced(
    simulator: Simulator,
) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        watch.client.cut()
        await eventually(lambda: watch.client.joined)
        watch.client.cut()
        await eventually(lambda: len(joins(simulator)) == 2)

        assert not [one for one in simulator.received if isinstance(one.message, RemoveAll)]
        assert watch.reasons[0].endswith("closed the connection with code 1006")
