"""Two streams on one Redis, killed, stopped, paused and started in real processes."""

from __future__ import annotations

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from redis.asyncio import Redis

from django_fcs.protocol import RemoveAll
from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.tools.tasks import running
from tests.e2e.site import Site, answering, season
from tests.support.network import free_port
from tests.support.proxy import Proxy
from tests.support.redis import redis_server
from tests.support.stalls import Stalls
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

LEASE, WAITING = "asgi:{fcs}:lease", "asgi:{fcs}:waiting"
CORE = "channels_redis.core.RedisChannelLayer"

#: The lease of the tests that do not measure how long a takeover takes.
SHORT = {"FCS_LEASE_SECONDS": "2"}


class Scene:
    """A vendor, a web process, a browser, and as many streams as a test starts."""

    def __init__(
        self, simulator: Simulator, site: Site, redis: str, port: int, stack: AsyncExitStack
    ) -> None:
        self.simulator = simulator
        self.redis = redis
        self.port = port
        self.most = 0
        self.stalls = Stalls()
        self._site = site
        self._stack = stack

    async def stream(self) -> Process:
        return await self._stack.enter_async_context(self._site.stream())

    async def pair(self) -> tuple[Process, Process]:
        """Start one that leads, then one that waits for the lease."""
        leader = await self.stream()
        await eventually(lambda: self.simulator.connections, within=30)
        async with Redis.from_url(self.redis) as client:
            # The leader has waited itself, where Redis has not run for long.
            await client.delete(WAITING)
            standby = await self.stream()
            await eventually(lambda: client.exists(WAITING), within=30, what="one stands by")
        return leader, standby

    async def browser(self) -> Viewer:
        """Open a browser, and wait until it shows a live price."""
        await answering(self.port)
        viewer = await self._stack.enter_async_context(
            browser_socket(self.port, ("FX:EURUSD", "1D"), merge=True)
        )
        await viewer.until(is_live, within=30)
        self.stalls.begin()
        return viewer

    async def count_connections(self) -> None:
        while True:
            self.most = max(self.most, self.simulator.connections)
            await asyncio.sleep(0.002)


@asynccontextmanager
async def scene(redis: str, **env: str) -> AsyncIterator[Scene]:
    async with Simulator(RandomWalk(rate=20)) as simulator, AsyncExitStack() as stack:
        site, port = Site(simulator.url, FCS_REDIS_URL=redis, **env), free_port()
        # It starts while the streams do: nobody asks it before there is a browser. uvicorn takes
        # two thirds of the time that Daphne takes to start.
        await stack.enter_async_context(site.starting_web(port, "uvicorn"))
        it = Scene(simulator, site, redis, port, stack)
        await stack.enter_async_context(running(it.count_connections()))
        await stack.enter_async_context(running(it.stalls.watch()))
        yield it


def seqs(viewer: Viewer) -> list[int]:
    return [one["seq"] for one in viewer.messages if one["type"] == "price" and "seq" in one]


def next_leader(viewer: Viewer) -> Any:
    """A condition: a price of another leader than until now has come."""
    last = seqs(viewer)[-1]
    # Within one leader's time seq rises by one a price, between two by a thousand a millisecond.
    return lambda viewer: seqs(viewer)[-1] - last > 100_000


def never_backwards(viewer: Viewer) -> bool:
    said = seqs(viewer)
    return all(one < other for one, other in zip(said, said[1:], strict=False))


def is_live(viewer: Viewer) -> bool:
    return viewer.states.get("FX:EURUSD") == "live" and "FX:EURUSD" in viewer.prices


def unwell(viewer: Viewer) -> list[dict[str, Any]]:
    return [one for one in viewer.messages if one.get("state") in ("offline", "stale")]


async def left_well(process: Process, stalls: Stalls) -> None:
    """Wait until it has ended, with 0 and within the seconds that it has for that."""
    began = time.monotonic()
    await eventually(lambda: process.returncode is not None, within=60, what="it has ended")
    assert process.returncode == 0
    assert time.monotonic() - began < 5 + stalls.excuse


async def test_a_killed_leader_is_followed_within_five_seconds(redis: str) -> None:
    async with scene(redis) as it:
        leader, _ = await it.pair()
        viewer = await it.browser()
        followed, began = next_leader(viewer), time.monotonic()
        leader.kill()
        await viewer.until(followed, within=30)

        assert time.monotonic() - began < 5 + it.stalls.excuse
        assert never_backwards(viewer)
        assert not unwell(viewer) or it.stalls.is_held_up
        assert it.most == 1 or it.stalls.is_held_up


async def test_a_leader_that_is_stopped_is_followed_at_once(redis: str) -> None:
    async with scene(redis) as it:
        leader, _ = await it.pair()
        viewer = await it.browser()
        followed, began = next_leader(viewer), time.monotonic()
        leader.terminate()
        await viewer.until(followed, within=30)

        await left_well(leader, it.stalls)
        assert time.monotonic() - began < 5 + it.stalls.excuse
        assert never_backwards(viewer)
        assert not unwell(viewer) or it.stalls.is_held_up
        assert it.most == 1 or it.stalls.is_held_up
        assert RemoveAll() in [one.message for one in it.simulator.received if one.connection == 1]


async def test_the_last_that_is_stopped_says_so(redis: str) -> None:
    async with scene(redis, **SHORT) as it:
        stream = await it.stream()
        viewer = await it.browser()
        stream.terminate()
        await viewer.until(unwell, within=30)

        assert unwell(viewer)[0]["reason"] == "the stream has stopped"
        await left_well(stream, it.stalls)
        async with Redis.from_url(redis) as client:
            assert not await client.exists(LEASE)


async def test_a_leader_that_slept_wakes_up_without_a_word(redis: str) -> None:
    async with scene(redis) as it:
        leader, _ = await it.pair()
        viewer = await it.browser()
        followed, began = next_leader(viewer), time.monotonic()
        leader.send_signal(signal.SIGSTOP)
        await viewer.until(followed, within=30)
        await asyncio.sleep(max(0.0, 6 - (time.monotonic() - began)))
        assert it.simulator.connections == 2, "the kernel keeps the one of the sleeper"
        async with Redis.from_url(redis) as client, client.pubsub() as groups:
            await groups.psubscribe("asgi__group__*")
            heard, epoch = len(it.simulator.received), newest_epoch(viewer)
            leader.send_signal(signal.SIGCONT)
            await eventually(lambda: it.simulator.connections == 1, within=20)
            published = [message async for message in said(groups, seconds=2)]

        after = list(it.simulator.received)[heard:]
        assert not [one for one in after if one.connection == 1]
        assert {one["epoch"] for one in published if "epoch" in one} == {epoch}
        assert never_backwards(viewer)
        leader.terminate()
        await left_well(leader, it.stalls)


def newest_epoch(viewer: Viewer) -> int:
    """That of the last price: under it less than a thousand have come yet."""
    return seqs(viewer)[-1] // 1000


async def said(groups: Any, *, seconds: float) -> AsyncIterator[dict[str, Any]]:
    """What goes over the layer in the next seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        message = await groups.get_message(ignore_subscribe_messages=True, timeout=0.1)
        if message is not None:
            yield msgpack.unpackb(message["data"])


async def test_of_two_that_start_at_once_one_connects(redis: str) -> None:
    async with scene(redis, **SHORT) as it:
        await asyncio.gather(it.stream(), it.stream())
        await it.browser()
        async with Redis.from_url(redis) as client:
            await eventually(lambda: client.exists(WAITING), within=30, what="one stands by")

        assert it.most == 1


async def test_a_redis_that_loses_its_data_never_makes_two_leaders(tmp_path: Path) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(redis_server(port, tmp_path))
        it = await stack.enter_async_context(scene(f"redis://127.0.0.1:{port}/0", **SHORT))
        await it.pair()
        viewer = await it.browser()
        followed = next_leader(viewer)
        server.kill()
        await server.wait()
        await stack.enter_async_context(redis_server(port, tmp_path))
        await viewer.until(followed, within=30)

        assert it.most == 1
        assert never_backwards(viewer)


async def test_a_redis_that_forgets_who_hears_what_is_told_again(redis: str) -> None:
    async with scene(redis, E2E_LAYER=CORE, **SHORT) as it:
        await it.stream()
        viewer = await it.browser()
        async with Redis.from_url(redis) as client:
            groups = [key async for key in client.scan_iter("asgi:group:*")]
            assert await client.delete(*groups) == len(groups) >= 3
        last = seqs(viewer)[-1]
        await viewer.until(lambda viewer: seqs(viewer)[-1] > last + 50, within=30)

        assert never_backwards(viewer)
        assert it.most == 1


@pytest.mark.parametrize("layer", [{}, {"E2E_LAYER": CORE}], ids=["pubsub", "core"])
@pytest.mark.parametrize("what", ["redis", "vendor", "both"])
async def test_it_ends_in_time_whoever_does_not_answer(
    what: str, layer: dict[str, str], tmp_path: Path
) -> None:
    port, stalls = free_port(), Stalls()
    env = {"FCS_REDIS_URL": f"redis://127.0.0.1:{port}/0", "FCS_ROOMS": "FX:EURUSD", **SHORT}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(stalls.watch()))
        redis = await stack.enter_async_context(redis_server(port, tmp_path))
        await season(port)
        simulator = await stack.enter_async_context(Simulator(RandomWalk(rate=50)))
        vendor = await stack.enter_async_context(Proxy(int(simulator.url.rpartition(":")[2])))
        site = Site(f"ws://127.0.0.1:{vendor.port}", **env, **layer)
        async with site.stream() as stream, Redis(port=port, db=8) as client:
            await eventually(lambda: client.keys("*:fcs:*:fcs.*"), within=30, what="a last value")
            with ExitStack() as silence:
                if what != "vendor":
                    silence.enter_context(stopped(redis))
                if what != "redis":
                    silence.enter_context(vendor.black_hole())
                stream.terminate()
                await left_well(stream, stalls)


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(("server", "code"), [("daphne", 4001), ("uvicorn", 1012)])
async def test_a_web_process_that_is_stopped_tells_its_browsers_to_come_back(
    server: str, code: int, redis: str
) -> None:
    port = free_port()
    site = Site("ws://127.0.0.1:9", FCS_REDIS_URL=redis)
    async with site.web(port, server) as web, browser_socket(port) as viewer:
        await viewer.until(lambda viewer: viewer.messages)
        # Until it has cleaned up, each second, Daphne stumbles over the request that
        # became a socket, and cancels nobody.
        await asyncio.sleep(2.5)
        web.terminate()
        assert await viewer.how_it_ends(within=60) == code
