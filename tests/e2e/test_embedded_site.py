"""One process that does everything, as in development."""

from __future__ import annotations

import os
from asyncio.subprocess import Process

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import Site, answering
from tests.support.network import free_port
from tests.support.serving import ROOT, children_of, python
from tests.support.waiting import eventually
from tests.support.wire import browser_socket


async def test_nothing_connects_to_the_vendor_before_the_first_join() -> None:
    port = free_port()
    async with Simulator(RandomWalk(rate=5)) as simulator, Site(simulator.url).web(port):
        async with browser_socket(port) as viewer:
            await viewer.until(lambda viewer: viewer.messages)
            assert simulator.connections == 0
            await viewer.send(type="join_symbol", symbol="FX:EURUSD", timeframe="1D")
            await viewer.until(lambda viewer: "FX:EURUSD" in viewer.prices)
            assert simulator.connections == 1


def reloaded(parent: Process, children: list[int]) -> bool:
    """Touch a file until the reloader, which looks once a second, has seen it."""
    if children_of(parent) == children:
        os.utime(ROOT / "tests" / "e2e" / "pages.py")
    return children_of(parent) not in (children, [])


async def test_streaming_survives_the_autoreload_of_runserver() -> None:
    port = free_port()
    async with Simulator(RandomWalk(rate=5)) as simulator:
        command = ("manage.py", "runserver", str(port))
        async with python(*command, env=Site(simulator.url).env) as parent:
            await answering(port)
            children = children_of(parent)
            async with browser_socket(port, ("FX:EURUSD", "1D")) as viewer:
                await viewer.until(lambda viewer: viewer.prices)
            await eventually(lambda: reloaded(parent, children), within=60)
            await answering(port)
            async with browser_socket(port, ("FX:EURUSD", "1D")) as viewer:
                await viewer.until(lambda viewer: viewer.prices)
            await eventually(lambda: simulator.connections == 1)
