"""The processes of the site under test, which can be killed and restarted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from redis import Redis
from redis.exceptions import RedisError

from lab.kit.places import BUILD
from lab.kit.processes import Process, Worker, wait_until
from lab.kit.site import APPLICATION, SERVERS, STREAM, environment, server_command
from tests.support.network import free_port
from tests.support.redis import redis_command

from .probe import ask
from .samples import LEADER, alive

__all__ = ["SYMBOLS", "Site"]

SYMBOLS = [f"BINANCE:S{number:02d}" for number in range(50)]


class Site:
    """All processes of a soak, which run within the ``with`` block.

    Args:
        seed: Seed of the vendor's market.
        updates: Prices that the vendor sends per second, over all rooms.
        streams: Number of ``fcs_stream`` processes.
    """

    def __init__(self, seed: int, updates: float, streams: int) -> None:
        self._seed = seed
        self._rate = updates / len(SYMBOLS)
        self._ports = {name: free_port() for name in ("redis", "vendor", *SERVERS)}
        self._starts: dict[str, Callable[[], Process]] = {"redis": self._redis}
        for number in range(1, streams + 1):
            self._starts[f"stream {number}"] = partial(self._stream, number)
        for name in SERVERS:
            self._starts[name] = partial(self._web, name)
        self._stack = ExitStack()
        self.to_kill = (*SERVERS, *([LEADER] * 2 if streams > 1 else []))
        """Processes to kill, once per entry; a single stream is spared: it has no standby."""
        self.processes: dict[str, Process] = {}
        """The current processes of the site, by name."""

    def __enter__(self) -> Site:
        with self._stack:
            port = str(self._ports["vendor"])
            vendor = Worker("lab.soak.vendor", port, str(self._seed), str(self._rate))
            self.vendor = self._stack.enter_context(vendor)
            wait_until(self._ports["vendor"], self.vendor)
            self.crowd = self._stack.enter_context(Worker("lab.soak.crowd"))
            self._stack.callback(self._end_all)
            for name in self._starts:
                self.start(name)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end_all(self) -> None:
        for process in self.processes.values():
            process.__exit__()

    @property
    def urls(self) -> list[str]:
        """The sockets of the web processes."""
        return [f"ws://127.0.0.1:{self._ports[name]}/ws/fcs/" for name in SERVERS]

    def start(self, name: str) -> None:
        """Start a process; if it has a port, wait until it listens."""
        self.processes[name] = process = self._starts[name]()
        if name in self._ports:
            wait_until(self._ports[name], process)

    def kill(self, name: str) -> str:
        """Kill a process, or the leader of the streams; return the name of the process."""
        name = self._leader() if name == LEADER else name
        self.processes[name].__exit__()
        return name

    def _leader(self) -> str:
        pids = {name: pid for name, pid in alive(self.processes).items() if "stream" in name}
        answers = ask(pids.values())
        leading = [name for name, pid in pids.items() if pid in answers and answers[pid].leads]
        # If no stream leads at this moment, kill one that may lead soon.
        return (leading or list(pids))[0]

    def cut_redis_clients(self) -> None:
        """Make Redis close all connections."""
        with suppress(RedisError), Redis(port=self._ports["redis"]) as redis:
            for kind in ("normal", "pubsub"):
                redis.client_kill_filter(_type=kind, skipme=True)

    def _environment(self) -> dict[str, str]:
        vendor, rooms = f"ws://127.0.0.1:{self._ports['vendor']}", [f"{it}_1D" for it in SYMBOLS]
        return {
            **environment([self._ports["redis"]], vendor, rooms),
            "LAB_APPS": "lab.soak.probe.Probe",
            # Short, so that a stalled browser is closed during its stall.
            "LAB_SLOW_CLIENT_SECONDS": "15",
        }

    def _redis(self) -> Process:
        return Process("soak-redis", redis_command(self._ports["redis"], BUILD))

    def _stream(self, number: int) -> Process:
        return Process(f"soak-stream-{number}", STREAM, self._environment())

    def _web(self, server: str) -> Process:
        command = server_command(server, APPLICATION, self._ports[server])
        return Process(f"soak-{server}", command, self._environment())
