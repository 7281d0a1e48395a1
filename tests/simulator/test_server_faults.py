"""The simulator with its switches thrown, as its clients see it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from django_fcs.rooms import Room
from django_fcs.simulator import Faults
from tests.simulator.fcs_client import client_of, still
from tests.support.waiting import eventually


async def test_timeframes_can_be_echoed_in_canonical_spelling() -> None:
    async with still(echo="canonical") as simulator, client_of(simulator) as client:
        await client.join(timeframe="1h")

        frames = await client.settle()

        assert frames[0]["room"] == "FX:EURUSD_60_0s"
        assert {frame["timeframe"] for frame in frames} == {"60"}


async def test_a_welcome_can_be_late_and_joins_before_it_count() -> None:
    simulator = still(welcome_after=0.05)
    async with simulator, client_of(simulator, welcomed=False) as client:
        await client.join()

        assert [(await client.hear())["type"] for _ in range(2)] == ["welcome", "message"]


async def test_joins_before_the_welcome_can_be_dropped() -> None:
    simulator = still(welcome_after=1.0, drop_early_joins=True)
    async with simulator, client_of(simulator, welcomed=False) as client:
        await client.join()
        assert await client.hear() == {"type": "welcome"}
        assert await client.settle() == []
        await client.join("FX:USDJPY")
        await client.settle()

        assert set(simulator.rooms) == {Room("FX:USDJPY", "1D")}


async def test_a_client_may_go_while_its_join_waits_for_the_welcome() -> None:
    async with still(welcome_after=float("inf")) as simulator:
        async with client_of(simulator, welcomed=False) as client:
            await client.join()
            await eventually(lambda: simulator.received)

        await eventually(lambda: simulator.connections == 0)
        assert not simulator.rooms


async def test_unknown_symbols_are_refused_or_met_with_silence() -> None:
    async with still(unknown=("FX:NO*",)) as simulator, client_of(simulator) as client:
        await client.join("FX:NOPE")
        assert [frame["short"] for frame in await client.settle()] == ["unknown_symbol"]

        simulator.faults = replace(simulator.faults, unknown_reply="silence")
        await client.join("FX:NOPE")
        assert await client.settle() == []


async def test_a_mute_room_is_confirmed_and_says_nothing() -> None:
    async with still(silent=("FX:EURUSD",)) as simulator, client_of(simulator) as client:
        await client.join()
        await simulator.push("FX:EURUSD", "1D", c=1.5)

        assert [frame["type"] for frame in await client.settle()] == ["message"]


async def test_a_closed_market_has_a_profile_and_a_first_price_only() -> None:
    async with still(closed=True) as simulator, client_of(simulator) as client:
        await client.join()
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        _, profile, initial = await client.settle()
        assert profile["prices"]["profile"]["current_session"] == "out_of_session"
        assert initial["prices"]["mode"] == "initial"

        simulator.faults = Faults()
        await simulator.push("FX:EURUSD", "1D", c=1.6)
        assert (await client.price())["prices"]["c"] == 1.6


async def test_an_initial_can_list_the_candles_before() -> None:
    async with still(history=True) as simulator, client_of(simulator) as client:
        await client.join()

        initial = (await client.price("initial"))["prices"]

        assert [past["t"] < initial["t"] for past in initial["history"]] == [True] * 5


async def test_a_candle_that_ended_can_be_sent_once_more() -> None:
    async with still(emit_close=True) as simulator, client_of(simulator) as client:
        await client.join()
        first = (await client.price("initial"))["prices"]
        await simulator.push("FX:EURUSD", "1D", c=1.5, h=1.6, l=1.0)
        await simulator.push("FX:EURUSD", "1D", t=first["t"] + 86400, c=1.7)

        _, last, following = [frame["prices"] for frame in await client.settle()]

        assert (last["mode"], last["t"], last["c"]) == ("close", first["t"], 1.5)
        assert (following["mode"], following["o"]) == ("candle", 1.7)


async def test_frames_can_be_arrays() -> None:
    async with still(arrays=True) as simulator, client_of(simulator, welcomed=False) as client:
        assert await client.hear() == [{"type": "welcome"}]
        await client.join()

        heard: list[Any] = []
        while len(heard) < 3:
            heard += await client.hear()

        assert [message["type"] for message in heard] == ["message", "price", "price"]


async def test_frames_that_are_not_json_come_between() -> None:
    simulator = still(malformed_every=2)
    async with simulator, client_of(simulator, welcomed=False) as client:
        await client.join()
        texts = [await asyncio.wait_for(client.socket.recv(), 60) for _ in range(6)]

    assert [is_json(text) for text in texts] == [True, True, False, True, True, False]


def is_json(text: str | bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


async def test_a_connection_can_be_cut_after_so_many_frames() -> None:
    async with still(drop_after=2) as simulator, client_of(simulator) as client:
        await client.join()

        assert await client.close_code() == 1006
        await eventually(lambda: simulator.connections == 0)
