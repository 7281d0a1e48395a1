"""Browsers that stop reading while prices flow: what they cost, and how they end."""

from __future__ import annotations

import asyncio
import itertools
import math
import socket
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import Site, answering
from tests.support.memory import resident
from tests.support.network import HOST, free_port
from tests.support.serving import python
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

SYMBOLS = [f"FX:PAIR{number}" for number in range(30)]
ROOMS = list(itertools.product(SYMBOLS, ("1D", "1d", "D")))
STUCK = 10
COST_MAX = 256 * 1024
SLOW_SECONDS = 2

#: What is sent to one that does not read before no more goes, in bytes: a window, or
#: where it is not held to answers what the kernel and the server have room for.
WINDOW = 250_000
BUFFERS = 1_200_000


def slowest(viewer: Viewer) -> float:
    """The least recent of what it shows."""
    return min(viewer.closes.get(room, 0) for room in ROOMS)


@asynccontextmanager
async def viewing(port: int, *, answers: bool = True) -> AsyncIterator[Viewer]:
    """A browser that has joined all rooms, and reads in the background."""
    with socket.socket() as its:
        # Fixed, or the kernel would take ever more for who does not read; and room for some
        # segments, which are 64 kB here, or it would tell nobody that there is room again.
        its.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 262_144)
        its.setblocking(False)
        await asyncio.get_running_loop().sock_connect(its, (HOST, port))
        # No compression: all of it would fit into those buffers.
        async with browser_socket(
            port,
            *ROOMS,
            answers=answers,
            sock=its,
            compression=None,
            ping_interval=None,
            close_timeout=1,
        ) as viewer:
            viewer.read_on()
            yield viewer


class Flow:
    """Every room ticks again and again; the close is the number of the round."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._round = 0

    async def run(self, viewers: list[Viewer], condition: Callable[[], bool]) -> None:
        """Go on until the condition holds; each round reaches these viewers."""
        while not condition():
            self._round += 1
            for symbol in SYMBOLS:
                await self._simulator.push(symbol, "1D", c=float(self._round))
            await eventually(
                lambda: all(slowest(it) == self._round for it in viewers),
                within=15,
                what="every price at who reads",
            )


@asynccontextmanager
async def serving(site: Site, port: int, server: str) -> AsyncIterator[Process]:
    if server != "narrow uvicorn":
        async with site.web(port, server) as process:
            yield process
        return
    async with python("-m", "tests.e2e.narrow_uvicorn", str(port), env=site.env) as process:
        await answering(port)
        yield process


@pytest.mark.parametrize(
    ("server", "answers", "size"),
    [("uvicorn", True, WINDOW), ("narrow uvicorn", False, BUFFERS), ("daphne", False, WINDOW)],
)
async def test_who_stops_reading_costs_little_delays_nobody_and_is_closed(
    server: str, answers: bool, size: int
) -> None:
    """Held to its answers where it has given one, or where the server takes everything."""
    port = free_port()
    async with Simulator(RandomWalk(rate=0)) as simulator, AsyncExitStack() as stack:
        site = Site(simulator.url, FCS_SLOW_CLIENT_SECONDS=str(SLOW_SECONDS))
        web = await stack.enter_async_context(serving(site, port, server))
        flow = Flow(simulator)
        readers = [await stack.enter_async_context(viewing(port)) for _ in range(2)]
        stuck = [
            await stack.enter_async_context(viewing(port, answers=answers)) for _ in range(STUCK)
        ]
        await eventually(lambda: len(simulator.rooms) == len(SYMBOLS))
        await flow.run(readers, lambda: all(it.pings for it in (*readers, *stuck)))
        before = resident(web.pid)
        for it in stuck:
            await it.stop()
        most, enough, full_at = before, readers[0].size + size, math.inf

        def is_over() -> bool:
            nonlocal most, full_at
            most = max(most, resident(web.pid))
            if readers[0].size >= enough:
                full_at = min(full_at, time.monotonic())
            return time.monotonic() > full_at + SLOW_SECONDS + 2

        await flow.run(readers, is_over)
        codes = await asyncio.gather(*(it.how_it_ends() for it in stuck))

    assert most - before < STUCK * COST_MAX, f"{(most - before) // STUCK} bytes each"
    # A second after its close Daphne drops the connection, with what the kernel still holds.
    assert set(codes) <= ({4408, 1006} if server == "daphne" else {4408})
