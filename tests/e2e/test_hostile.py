"""Hostile browsers at real servers: what they send reaches nobody else, and ends their socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import Site
from tests.support.network import free_port
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

ROOMS_MAX = 20
MEGABYTE = 1024 * 1024
HOSTILE: dict[str, tuple[list[str | bytes], int]] = {
    "malformed": (["x"] * 4000, 4429),
    "nested": (["[" * 4000] * 4000, 4429),
    "binary": ([b"\\x00" * 100] * 4000, 4429),
    "arrays": ([json.dumps([{"type": "ping"}] * 200)] * 500, 4429),
    "huge": (["x" * MEGABYTE] * 20, 4513),
    "huge binary": ([b"x" * MEGABYTE] * 20, 4513),
}


async def attack(port: int, frames: list[str | bytes]) -> int | None:
    """Say it all as fast as it goes, reading what comes; the close code."""
    url = f"ws://127.0.0.1:{port}/ws/fcs/"
    async with connect(url, compression=None, max_queue=None) as socket:
        try:
            await asyncio.wait_for(_say(socket, frames), 60)
            await asyncio.wait_for(socket.wait_closed(), 60)
        except ConnectionClosed:
            pass
        return socket.close_code


async def _say(socket: ClientConnection, frames: list[str | bytes]) -> None:
    for frame in frames:
        await socket.send(frame)


def newer(viewer: Viewer) -> Any:
    seq = viewer.prices["FX:EURUSD"]["seq"]
    return lambda viewer: viewer.prices["FX:EURUSD"]["seq"] > seq + 1


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_hostile_browsers_are_closed_and_the_others_see_prices(server: str) -> None:
    port = free_port()
    async with Simulator(RandomWalk(rate=20)) as simulator:
        site = Site(simulator.url, FCS_MAX_ROOMS=str(ROOMS_MAX))
        async with site.web(port, server), browser_socket(port, ("FX:EURUSD", "1D")) as viewer:
            await viewer.until(lambda viewer: "FX:EURUSD" in viewer.prices)
            codes = {}
            for what, (frames, _) in HOSTILE.items():
                codes[what] = await attack(port, frames)
                await viewer.until(newer(viewer))
            await _fill_the_plan(port, simulator)
            await viewer.until(newer(viewer))

    # A browser that does not read may be found too slow before, and what it has sent meanwhile may
    # reset the connection before the reason arrives.
    others = (4408, CloseCode.ABNORMAL_CLOSURE)
    assert all(codes[what] in (code, *others) for what, (_, code) in HOSTILE.items()), codes


async def _fill_the_plan(port: int, simulator: Simulator) -> None:
    """Let one address ask for more rooms than the plan has; another still sees prices."""
    rooms = [(f"FX:FLOOD{number}", "1D") for number in range(5 * ROOMS_MAX)]
    # Else a close waits for what was not read.
    how: dict[str, Any] = {"max_queue": None}
    async with browser_socket(port, *rooms, local_addr=("127.0.0.2", 0), **how):
        await eventually(lambda: len(simulator.rooms) == ROOMS_MAX)
        mine = ("FX:GBPUSD", "1D")
        async with browser_socket(port, mine, local_addr=("127.0.0.3", 0), **how) as late:
            await late.until(lambda late: "FX:GBPUSD" in late.prices)
            assert len(simulator.rooms) <= ROOMS_MAX
