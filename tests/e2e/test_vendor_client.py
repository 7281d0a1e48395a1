"""The vendor's Python client, unmodified from its registry, against our site."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import Process
from typing import Any

import pytest

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import Site
from tests.support.network import free_port
from tests.support.serving import python

ROOMS = {("FX:EURUSD", "1H"), ("BINANCE:BTCUSDT", "1D")}


async def heard(client: Process) -> Any:
    assert client.stdout is not None
    line = await asyncio.wait_for(client.stdout.readline(), 30)
    assert line, "the client ended"
    return json.loads(line)


async def until_live(client: Process) -> dict[tuple[str, str], list[str]]:
    """Read until every room has sent its initial and a live price; the modes of each."""
    modes: dict[tuple[str, str], list[str]] = {}
    while not (
        modes.keys() >= ROOMS
        and all("initial" in seen and {"candle", "askbid"} & {*seen} for seen in modes.values())
    ):
        message = (await heard(client)).get("message", {})
        if message.get("type") == "price":
            room = message["symbol"], message["timeframe"]
            modes.setdefault(room, []).append(message["prices"]["mode"])
    return modes


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_the_vendors_client_gets_prices_and_its_rooms_again_after_a_restart(
    server: str,
) -> None:
    port = free_port()
    arguments = [text for room in sorted(ROOMS) for text in room]
    async with Simulator(RandomWalk(rate=20)) as simulator:
        site = Site(simulator.url)
        script = ("tests/e2e/vendor_client.py", f"ws://127.0.0.1:{port}/ws/fcs/", *arguments)
        async with site.web(port, server) as web, python(*script) as client:
            before = await until_live(client)
            assert before.keys() == ROOMS
            for modes in before.values():
                assert next(mode for mode in modes if mode != "profile") == "initial"
            web.kill()
            await web.wait()
            async with site.web(port, server):
                while not (await heard(client)).get("reconnected"):
                    pass
                assert (await until_live(client)).keys() == ROOMS
