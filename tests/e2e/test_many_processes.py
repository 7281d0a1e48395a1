"""One stream, two web processes, one Redis: what people run in production."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from websockets.asyncio.client import connect

from django_fcs.layer.bus import DEMAND, HUBS
from django_fcs.rooms import Room
from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import SETTINGS, Site, answering
from tests.support.network import free_port
from tests.support.redis import redis_server
from tests.support.serving import python
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

EURUSD, BTCUSDT = Room("FX:EURUSD", "1D"), Room("BINANCE:BTCUSDT", "1D")


@asynccontextmanager
async def simulated(
    redis: str, *, rate: float = 5, **env: str
) -> AsyncIterator[tuple[Simulator, Site]]:
    async with Simulator(RandomWalk(rate=rate)) as simulator:
        yield simulator, Site(simulator.url, FCS_REDIS_URL=redis, FCS_LINGER_SECONDS="1", **env)


def has(symbol: str) -> Any:
    return lambda viewer: symbol in viewer.prices


def is_in(state: str) -> Any:
    return lambda viewer: viewer.states.get("FX:EURUSD") == state


async def test_two_web_processes_show_the_same_prices(redis: str) -> None:
    first, second = free_port(), free_port()
    async with simulated(redis, rate=0) as (simulator, site), AsyncExitStack() as stack:
        webs = site.starting_web(first), site.starting_web(second, "uvicorn")
        for starting in (site.stream(), *webs):
            await stack.enter_async_context(starting)
        await answering(first, second)
        viewers = [
            await stack.enter_async_context(browser_socket(port, ("FX:EURUSD", "1D")))
            for port in (first, second)
        ]
        await asyncio.gather(*(viewer.until(has("FX:EURUSD")) for viewer in viewers))
        await simulator.push("FX:EURUSD", "1D", mode="candle", **_candle(1.23456))
        await asyncio.gather(*(viewer.until(_shows(1.23456)) for viewer in viewers))
        one, other = (viewer.prices["FX:EURUSD"] for viewer in viewers)
        one["prices"].pop("mode"), other["prices"].pop("mode")
        assert one == other
        assert simulator.connections == 1


def _candle(close: float) -> dict[str, float]:
    return {"t": int(time.time()) // 86_400 * 86_400, "o": 1.2, "h": 1.3, "l": 1.1, "c": close}


def _shows(close: float) -> Any:
    return lambda viewer: viewer.prices.get("FX:EURUSD", {}).get("prices", {}).get("c") == close


async def test_a_room_that_nobody_watches_is_left_after_the_linger(redis: str) -> None:
    port = free_port()
    async with simulated(redis, FCS_ROOMS="BINANCE:BTCUSDT") as (simulator, site):
        async with site.stream(), site.web(port):
            async with browser_socket(port, ("FX:EURUSD", "1D")) as viewer:
                await viewer.until(has("FX:EURUSD"))
                assert simulator.rooms.keys() == {EURUSD, BTCUSDT}
            await eventually(lambda: simulator.rooms.keys() == {BTCUSDT})


async def test_a_killed_web_process_keeps_no_room_joined(redis: str) -> None:
    port = free_port()
    async with simulated(redis) as (simulator, site), site.stream():
        async with site.web(port) as web:
            async with browser_socket(port, ("FX:EURUSD", "1D")) as viewer:
                await viewer.until(has("FX:EURUSD"))
                web.send_signal(signal.SIGKILL)
                await web.wait()
                assert simulator.rooms.keys() == {EURUSD}
                await eventually(lambda: not simulator.rooms, within=30)


async def test_two_browsers_that_join_at_once_are_served_by_a_fresh_process(redis: str) -> None:
    port = free_port()
    async with simulated(redis) as (_, site), site.stream(), site.web(port):

        async def watch(symbol: str) -> Viewer:
            async with browser_socket(port, (symbol, "1D")) as viewer:
                await viewer.until(has(symbol))
                return viewer

        await asyncio.gather(watch("FX:EURUSD"), watch("FX:EURUSD"), watch("BINANCE:BTCUSDT"))


async def test_all_rooms_flow_again_after_the_upstream_was_killed(redis: str) -> None:
    port, upstream = free_port(), free_port()
    site = Site(f"ws://127.0.0.1:{upstream}", FCS_REDIS_URL=redis)
    rooms = [("FX:EURUSD", "1D"), ("BINANCE:BTCUSDT", "60"), ("NASDAQ:AAPL", "5")]
    vendor = ("manage.py", "fcs_simulator", "--port", str(upstream), "--rate", "5")
    async with AsyncExitStack() as stack:
        # Before the stream, whose pauses between retries would grow to a minute meanwhile.
        process = await stack.enter_async_context(python(*vendor, env=SETTINGS))
        for running in (site.stream(), site.web(port)):
            await stack.enter_async_context(running)
        viewer = await stack.enter_async_context(browser_socket(port, *rooms))
        for _ in range(2):
            await viewer.until(lambda viewer: len(viewer.prices) == 3, within=60)
            process.kill()
            await process.wait()
            viewer.prices.clear()
            process = await stack.enter_async_context(python(*vendor, env=SETTINGS))
        await viewer.until(lambda viewer: len(viewer.prices) == 3, within=60)


async def test_prices_flow_again_after_redis_was_killed_and_nothing_is_left_behind(
    tmp_path: Path,
) -> None:
    port, redis = free_port(), free_port()
    url = f"redis://127.0.0.1:{redis}/0"
    async with simulated(url) as (_, site), AsyncExitStack() as stack:
        server = await stack.enter_async_context(redis_server(redis, tmp_path))
        for running in (site.stream(), site.web(port)):
            await stack.enter_async_context(running)
        viewer = await stack.enter_async_context(
            browser_socket(port, ("FX:EURUSD", "1D"), merge=True)
        )
        await viewer.until(is_in("live"))
        server.kill()
        await server.wait()
        await viewer.until(is_in("offline"), within=30)
        await stack.enter_async_context(redis_server(redis, tmp_path))
        viewer.prices.clear()
        await viewer.until(has("FX:EURUSD"), within=40)
        await viewer.until(is_in("live"))
        async with Redis.from_url(url) as client:
            for group in (HUBS, DEMAND, EURUSD.group):
                [(_, members)] = await client.pubsub_numsub(f"asgi__group__{group}")
                assert members == 1, group


async def test_a_consumer_of_the_site_gets_prices_and_nothing_else(redis: str) -> None:
    port = free_port()
    async with simulated(redis, FCS_ROOMS="FX:EURUSD") as (simulator, site):
        async with site.web(port), connect(f"ws://127.0.0.1:{port}/ws/own/") as own:
            for _ in range(2):  # it also outlives the stream
                async with site.stream():
                    seqs = [json.loads(await own.recv())["seq"] for _ in range(10)]
                    assert seqs == sorted(seqs)
                    await eventually(lambda: EURUSD in simulator.rooms)
            await (await own.ping())
