"""The complete setup of one peer: source, Redis, feeder, web processes, browsers."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from lab.kit.machine import processor_ticks
from lab.kit.places import BUILD
from lab.kit.processes import Failed, Process, Worker, wait_until
from lab.kit.site import STREAM, environment
from tests.support.network import free_port
from tests.support.redis import redis_command

from .feed import JOIN_TIMEFRAME, symbol
from .table_of_peers import Peer, command_of

__all__ = ["STOLEN_MAX", "Rig", "calmest", "row"]

_JOIN_SECONDS = 60

#: If the host of a virtual machine took more than this share of processor time from a window,
#: it is measured again after a pause, up to ``_ATTEMPTS`` times. The window with the least
#: stolen time counts.
STOLEN_MAX = 0.04
_ATTEMPTS = 5
_PAUSE_SECONDS = 2


class Rig:
    """All processes of one measurement, which run within the ``with`` block.

    Args:
        peer: The peer to measure.
        rooms: Number of rooms; the feeder joins all of them before the first browser connects.
        web_processes: Number of servers that share the browsers.
        redis_hosts: Number of Redis servers that share the rooms.
        environment: Additional variables for the web processes.
    """

    def __init__(
        self,
        peer: Peer,
        rooms: int,
        *,
        web_processes: int = 1,
        redis_hosts: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.peer = peer
        self.rooms = rooms
        self.ports = [free_port() for _ in range(web_processes)]
        self.redis_ports = [free_port() for _ in range(redis_hosts)]
        self._stack = ExitStack()
        self._source_port = free_port()
        self._more = environment or {}

    def __enter__(self) -> Rig:
        with self._stack:
            self.source = self._worker("source", str(self._source_port))
            wait_until(self._source_port, self.source)
            self.redis = [self._redis(port) for port in self.redis_ports if self.peer.feeder]
            self.feeder = self._feeder() if self.peer.feeder else None
            self.servers = [self._server(port) for port in self.ports]
            self.browsers = self._worker("browsers")
            for port, server in zip(self.ports, self.servers, strict=True):
                wait_until(port, server)
            if self.feeder:
                self.wait_for_rooms()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def redis_url(self) -> str:
        """The address of the first Redis."""
        return f"redis://127.0.0.1:{self.redis_ports[0]}"

    def _worker(self, module: str, *arguments: str) -> Worker:
        return self._stack.enter_context(Worker(f"lab.benchmarks.{module}", *arguments))

    def _redis(self, port: int) -> Process:
        command = redis_command(port, BUILD)
        redis = self._stack.enter_context(Process("redis", command))
        wait_until(port, redis)
        return redis

    def _environment(self, rooms: Sequence[str] = ()) -> dict[str, str]:
        return environment(self.redis_ports, f"ws://127.0.0.1:{self._source_port}/ws", rooms)

    def _feeder(self) -> Process:
        publisher = [sys.executable, "-m", "lab.benchmarks.peers.publisher"]
        command = STREAM if self.peer.feeder == "stream" else publisher
        rooms = [f"{symbol(number)}_{JOIN_TIMEFRAME}" for number in range(self.rooms)]
        process = Process(self.peer.feeder, command, self._environment(rooms))
        return self._stack.enter_context(process)

    def _server(self, port: int) -> Process:
        environment = {**self._environment(), "LAB_NODE_MODULES": str(BUILD), **self._more}
        process = Process(self.peer.server, command_of(self.peer, port), environment)
        return self._stack.enter_context(process)

    def wait_for_rooms(self) -> None:
        """Wait until all rooms are joined at the source."""
        deadline = time.monotonic() + _JOIN_SECONDS
        while (joined := self.source.ask(do="count")["rooms"]) < self.rooms:
            if time.monotonic() > deadline:
                words = self.feeder.last_output() if self.feeder else ""
                raise Failed(f"{joined} of {self.rooms} rooms joined in time: {words}")
            time.sleep(0.05)

    def rate(self, updates_per_second: float) -> None:
        """Set the rate of the source."""
        self.source.ask(do="rate", updates_per_second=updates_per_second)

    def cpu(self) -> dict[str, int]:
        """Return the processor time so far of all servers, of Redis and so on, in nanoseconds."""
        server = sum(process.cpu_ns() for process in self.servers)
        redis = sum(process.cpu_ns() for process in self.redis)
        feeder = self.feeder.cpu_ns() if self.feeder else 0
        return {
            "server": server,
            "redis": redis,
            "feeder": feeder,
            "pipeline": server + redis + feeder,
            "load": self.browsers.cpu_ns(),
            "source": self.source.cpu_ns(),
        }

    def measure(self, seconds: float, merge_rate: float | None = None) -> dict[str, Any]:
        """Measure a window with little stolen time; ``row`` describes the result.

        At most ``merge_rate`` prices per second are due for each room of a browser.
        """
        return calmest(lambda: self._window(seconds, merge_rate))

    def _window(self, seconds: float, merge_rate: float | None) -> dict[str, Any]:
        cpu, sent = self.cpu(), self.source.ask(do="count")
        self.browsers.ask(do="start")
        time.sleep(seconds)
        counted = self.browsers.ask(do="stop")
        cpu_after, sent_after = self.cpu(), self.source.ask(do="count")
        spent = {name: cpu_after[name] - cpu[name] for name in cpu}
        elapsed = sent_after["at"] - sent["at"]
        updates = (sent_after["sent"] - sent["sent"]) / elapsed
        a_room = min(updates / self.rooms, merge_rate or math.inf)
        due = a_room * counted["rooms_joined"]
        return {"updates_per_second": updates, **row(counted, spent, due)}


def calmest(window: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Repeat a window until little time is stolen; add the stolen share as ``stolen``."""
    rows: list[dict[str, Any]] = []
    while not rows or (rows[-1]["stolen"] > STOLEN_MAX and len(rows) < _ATTEMPTS):
        if rows:
            time.sleep(_PAUSE_SECONDS)
        before = processor_ticks()
        figures = window()
        after = processor_ticks()
        stolen = (after[0] - before[0]) / max(1, after[1] - before[1])
        rows.append({**figures, "stolen": stolen})
    return min(rows, key=lambda row: float(row["stolen"]))


def row(counted: dict[str, Any], spent: dict[str, int], due: float) -> dict[str, Any]:
    """Return the figures of a window; ``due`` is the number of prices per second for all browsers.

    The figures are prices per second and their share of what was due, processor time in
    microseconds per delivered price and in seconds per second, and latency in milliseconds.
    """
    seconds, prices = counted["seconds"], max(counted["prices"], 1)
    return {
        "delivered_per_second": counted["prices"] / seconds,
        "frames_per_second": counted["frames"] / seconds,
        "share": counted["prices"] / seconds / due if due else None,
        "bytes_per_price": counted["bytes"] / prices,
        "server_us": spent["server"] / 1000 / prices,
        "pipeline_us": spent["pipeline"] / 1000 / prices,
        "load_us": spent["load"] / 1000 / prices,
        "server_load": spent["server"] / 1e9 / seconds,
        "pipeline_load": spent["pipeline"] / 1e9 / seconds,
        "redis_load": spent["redis"] / 1e9 / seconds,
        "feeder_load": spent["feeder"] / 1e9 / seconds,
        "closed": counted["closed"],
        **{name: counted[name] for name in ("p50_ms", "p99_ms", "max_ms", "timed")},
    }
