"""A whole site in processes of its own, whose every wire can be hurt, and its viewers."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from itertools import count
from pathlib import Path
from types import TracebackType
from urllib.error import HTTPError

from django_fcs.rooms import Room
from django_fcs.simulator import Faults, Simulator
from django_fcs.tools.tasks import running
from tests.e2e.site import SERVERS
from tests.faults import rows
from tests.faults.clocks import WallClock
from tests.faults.figures import Figures, figures, recovered_at
from tests.faults.market import Market
from tests.support.network import answers, free_port
from tests.support.pages import DEAD_SECONDS, Page
from tests.support.proxy import Proxy
from tests.support.redis import redis_server
from tests.support.serving import get, python
from tests.support.stalls import Stalls
from tests.support.waiting import eventually

__all__ = ["KEY", "ROOMS", "Fault", "Stage"]

KEY = "the-secret-key-of-the-faults"

#: Their market never closes.
ROOMS = tuple(Room(f"BINANCE:{coin}USDT", "1D") for coin in ("BTC", "ETH", "SOL", "XRP"))

#: How long things may take that take seconds on a machine which has nothing else to do.
START_SECONDS = 120
RECOVERY_SECONDS = 120
OFFLINE_AFTER_SECONDS = 10.0

#: How long an outdated price may be shown as live, and what timers may be late.
LIMIT_SECONDS = OFFLINE_AFTER_SECONDS + DEAD_SECONDS
LATE_SECONDS = 1.0

#: How soon a standby follows.
TAKEOVER_SECONDS = 5.0


class Fault:
    """A fault under way, and then what it did."""

    def __init__(self, note: str) -> None:
        self.note = note
        """What the table says beside the figures."""
        self.began = self.ended = time.monotonic()
        self.figures: Figures | None = None

    @property
    def states(self) -> list[str]:
        """What rooms were said to be after its beginning, in the order of first times."""
        return list(dict.fromkeys(state for state, _ in self.changes))

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The same with the reasons."""
        assert self.figures is not None
        return [(state, reason) for state, reason, *_ in self.figures.changes]


def _newest_epoch(log: str) -> int:
    return max(map(int, re.findall(r"leading epoch=(\d+)", log)), default=0)


async def _page(url: str) -> str:
    """Fetch a page; nothing while it says 503, as health may until the next beat is heard."""
    try:
        _, text = await get(url)
    except HTTPError as error:
        if error.code != 503:
            raise
        return ""
    return text


class Stage:
    """Vendor, Redis, streams, web processes and pages, up for as long as it is entered.

    Args:
        folder: For logs and what Redis writes.
        layer: ``pubsub``, ``core``, or ``memory`` for a site in one process.
        streams, webs: How many processes of each.
        rooms: What every page shows.
        rate, closed: Prices a second of each room, and when there are none.
        server: What serves the site, a name of ``tests.e2e.site.SERVERS``.
        faults: What the vendor does otherwise.
        kernel_bytes: What the kernel holds on each wire; ``None`` for its own choice.
        clock: By what the processes of the site go.
        vendor_clock: By what the vendor goes.
        env: More settings for all processes of the site.
    """

    def __init__(
        self,
        folder: Path,
        *,
        layer: str = "pubsub",
        streams: int = 1,
        webs: int = 1,
        pages: int = 1,
        rooms: Sequence[Room] = ROOMS,
        rate: float = 4.0,
        closed: tuple[float, float] = (0.0, 0.0),
        server: str = "uvicorn",
        faults: Faults | None = None,
        kernel_bytes: int | None = None,
        clock: WallClock | None = None,
        vendor_clock: Callable[[], float] = time.time,
        **env: str,
    ) -> None:
        self.layer = layer
        self.market = Market(rate=rate, closed=closed)
        self.keys = {KEY}
        """What the vendor accepts."""
        self.vendor = Simulator(
            self.market, faults=faults, accepted_keys=self.keys, clock=vendor_clock
        )
        self.rooms = tuple(rooms)
        self.streams: list[Process] = []
        self.webs: list[Process] = []
        self.pages: list[Page] = []
        self.ports: list[int] = []
        self._folder = folder
        self._counts = streams if layer != "memory" else 0, webs, pages
        self._server = server
        self._kernel_bytes = kernel_bytes
        self._more = {**env, **(clock.env if clock else {})}
        self._logs: dict[Process, Path] = {}
        self._numbers = count()
        self._stack = AsyncExitStack()
        self.stalls = Stalls()
        """Since the last fault began, or else the stage."""

    async def __aenter__(self) -> Stage:
        async with AsyncExitStack() as self._stack:
            await self._stack.enter_async_context(running(self.stalls.watch()))
            await self._stack.enter_async_context(self.vendor)
            self._vendor_port = int(self.vendor.url.rpartition(":")[2])
            self.upstream = await self.proxy(self._vendor_port)
            if self.layer != "memory":
                await self._start_redis()
            streams, webs, pages = self._counts
            await asyncio.gather(*(self.start_stream() for _ in range(streams)))
            await asyncio.gather(*(self.start_web() for _ in range(webs)))
            for _ in range(pages):
                await self.open_page()
            await eventually(self.is_live, within=START_SECONDS, what="all pages are live")
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        for log in self._logs.values():
            text = log.read_text(errors="replace")
            if error is not None:
                sys.stderr.write(f"--- {log.name}\n{text[-20_000:]}\n")
            else:
                assert KEY not in text
                assert "/django_fcs/" not in text, f"a traceback: {text[-4000:]}"

    def has_logged(self, text: str) -> bool:
        """Tell whether any process of the site has logged it."""
        return any(text in log.read_text(errors="replace") for log in self._logs.values())

    async def leader_of_two(self) -> Process:
        """Return the stream that leads, of two that were started with the stage.

        Both have waited: a Redis that runs again lends to nobody at first.
        """
        logs = [self._logs[stream] for stream in self.streams]
        await eventually(
            lambda: all("standing by" in log.read_text() for log in logs),
            within=START_SECONDS,
            what="two that have waited",
        )
        return max(self.streams, key=lambda it: _newest_epoch(self._logs[it].read_text()))

    async def _start_redis(self) -> None:
        self.redis_port = free_port()
        self.redis = await self._stack.enter_async_context(
            redis_server(self.redis_port, self._folder)
        )
        self.stream_redis, self.web_redis, self.cache = [
            await self.proxy(self.redis_port) for _ in range(3)
        ]

    async def restart_redis(self) -> None:
        """Kill Redis, which keeps nothing, and start it again in the same place."""
        self.redis.kill()
        await self.redis.wait()
        self.redis = await self._stack.enter_async_context(
            redis_server(self.redis_port, self._folder)
        )

    async def separate_ways(self) -> tuple[Proxy, Proxy]:
        """Let streams that start from now on go other ways than those there are.

        Returns those of the latter, to the vendor and to Redis. The address of the vendor stays
        the same, because streams with another address belong to another site.
        """
        ways = self.upstream, self.stream_redis
        self.upstream.stop_listening()
        self.upstream = await self.proxy(self._vendor_port, port=self.upstream.port)
        self.stream_redis = await self.proxy(self.redis_port)
        return ways

    async def proxy(self, target: int, *, port: int = 0) -> Proxy:
        """Return a way to a port of this machine that can be hurt."""
        proxy = Proxy(target, port=port, kernel_bytes=self._kernel_bytes)
        return await self._stack.enter_async_context(proxy)

    def _env(self, redis: Proxy | None) -> dict[str, str]:
        env = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "FCS_URL": f"ws://127.0.0.1:{self.upstream.port}",
            "FCS_API_KEY": KEY,
            "FAULTS_LAYER": self.layer,
        }
        if redis is not None:
            env["FCS_REDIS_URL"] = f"redis://127.0.0.1:{redis.port}/0"
            env["FAULTS_CACHE_URL"] = f"redis://127.0.0.1:{self.cache.port}/1"
        return {**env, **self._more}

    async def _start(self, name: str, *arguments: str, env: dict[str, str]) -> Process:
        path = self._folder / f"{name}-{next(self._numbers)}.log"
        with path.open("wb") as log:
            started = python(*arguments, env=env, stderr=log.fileno())
            process = await self._stack.enter_async_context(started)
        self._logs[process] = path
        return process

    async def start_stream(self, **env: str) -> Process:
        """Run one more ``fcs_stream``."""
        env = {**self._env(self.stream_redis), **env}
        process = await self._start("stream", "manage.py", "fcs_stream", env=env)
        self.streams.append(process)
        return process

    async def start_standby(self) -> Process:
        """Run one more ``fcs_stream`` beside one that leads, until it waits for its turn."""
        process = await self.start_stream()
        # Not by the key of who waits: the leader waited itself, for Redis to have run long enough.
        log = self._logs[process]
        await eventually(
            lambda: "standing by" in log.read_text(),
            within=START_SECONDS,
            what="one stands by",
        )
        return process

    async def start_web(self, port: int | None = None) -> Process:
        """Run one more web process, until it answers."""
        port = port or free_port()
        env = self._env(None if self.layer == "memory" else self.web_redis)
        process = await self._start("web", *SERVERS[self._server], str(port), env=env)
        self.webs.append(process)
        self.ports.append(port)
        await eventually(lambda: answers(port), within=START_SECONDS, what="the site answers")
        return process

    async def stop(self, process: Process, how: signal.Signals) -> None:
        """End a process that is not missed afterwards."""
        for its in (self.streams, self.webs):
            if process in its:
                its.remove(process)
        process.send_signal(how)
        await process.wait()

    async def open_page(self, *rooms: Room) -> Page:
        """Open one more page; with the stage's rooms where none are given."""
        turn = len(self.pages) % len(self.ports)
        page = Page(self.ports[turn:] + self.ports[:turn], rooms or self.rooms, key=KEY)
        self.pages.append(await self._stack.enter_async_context(page))
        return page

    async def shout(self, text: str) -> None:
        """Let the vendor say this to all its clients, whatever it is."""
        for client in self.vendor._clients:
            await client.socket.send(text)

    def seconds_since(self, at: float) -> float:
        """Return how long ago that was, on the clock of the pages."""
        return time.monotonic() - at

    def is_live(self) -> bool:
        """Tell whether every page shows every room as live."""
        return all(page.is_showing("live") for page in self.pages)

    def shows_the_newest(self) -> bool:
        """Tell whether every page shows the newest price of every room."""
        return all(
            widget.number == self.market.newest(room)
            for page in self.pages
            for room, widget in page.widgets.items()
        )

    def _sick_since(self, since: float) -> list[str]:
        """List the rooms that have not recovered from what ended then, and how they look."""
        return [
            f"{room} {widget.state} {widget.number}/{self.market.newest(room)}"
            for page in self.pages
            for room, widget in page.widgets.items()
            if recovered_at(room, widget, self.market, since) > time.monotonic()
        ]

    @asynccontextmanager
    async def fault(
        self, name: str, *, note: str = "", within: float = RECOVERY_SECONDS
    ) -> AsyncIterator[Fault]:
        """Let something break in the block; then all has to be well again by itself.

        Nothing may be restarted by hand, every room of every page has to be live with the
        newest price ``within`` so many seconds of the block's end, no price may have been
        shown as live for long after the market had moved on, and none behind a newer one.
        """
        # What stood still before, at the start of many processes, excuses nothing now.
        self.stalls.begin()
        fault = Fault(note)
        yield fault
        fault.ended = time.monotonic()
        await self._recover(name, fault.ended, within)
        fault.figures = self._figures(fault)
        self._keep(name, fault)
        self._judge(name, fault.figures)
        await self._search_for_the_key()

    async def _recover(self, name: str, ended: float, within: float) -> None:
        """Wait until all is well, and then, with a market that rests, until all is shown."""
        try:
            await eventually(lambda: not self._sick_since(ended), within=within)
        except AssertionError:
            sick = self._sick_since(ended)
            raise AssertionError(f"{name}: after {within:g} s still {sick}") from None
        self.market.stop()
        what = "the newest price in all rooms"
        await eventually(self.shows_the_newest, within=RECOVERY_SECONDS, what=what)

    async def _search_for_the_key(self) -> None:
        room = self.rooms[0]
        paths = (f"watch/{room.symbol}/{room.timeframe}/", "fcs/health/", "fcs/metrics/")
        for port in filter(answers, self.ports):
            for path in paths:
                url = f"http://127.0.0.1:{port}/{path}"
                text = await eventually(lambda url=url: _page(url), what=url)
                assert KEY not in text, path

    def _figures(self, fault: Fault) -> Figures:
        return figures(
            self.pages,
            self.market,
            began=fault.began,
            ended=fault.ended,
            now=time.monotonic(),
            limit=LIMIT_SECONDS + LATE_SECONDS,
        )

    def _keep(self, name: str, fault: Fault) -> None:
        """Leave a row for the table."""
        assert fault.figures is not None
        row = {
            **{"fault": name, "layer": "" if self.layer == "memory" else self.layer},
            **{"note": fault.note, "stalled": round(self.stalls.longest, 1)},
            **asdict(fault.figures),
        }
        rows.keep(row)

    def _judge(self, name: str, found: Figures) -> None:
        """Hold the site to the figures, and every process to its life."""
        limit = LIMIT_SECONDS + LATE_SECONDS + self.stalls.excuse
        assert found.outdated < limit, f"{name}: shown as live for too long: {found}"
        widgets = [widget for page in self.pages for widget in page.widgets.values()]
        backward = [pair for widget in widgets for pair in widget.backward]
        assert found.out_of_order == 0, backward[:5]
        for process in (*self.streams, *self.webs):
            assert process.returncode is None
