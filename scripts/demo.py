"""Serve the example project with live prices until Ctrl-C or SIGTERM.

The prices come from the simulator, started here as a child, unless ``FCS_API_KEY`` is set and
not empty: then from the vendor.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 5


class Demo:
    """Child processes that end together: at a signal, or as soon as one of them ends."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        self._children: list[Process] = []
        self._over = asyncio.Event()
        self._is_asked_to_end = False
        self._watchers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Demo:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for child in reversed(self._children):
            await end(child)
        await asyncio.gather(*self._watchers)

    async def start(self, *arguments: str, port: int) -> bool:
        """Run Python with these arguments; say whether it answers on its port."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env=self._env,
            stdout=DEVNULL,
            preexec_fn=leave_interrupts_to_the_demo,
        )
        self._children.append(child)
        self._watchers.append(asyncio.create_task(self._watch(child)))
        return await self._answers(port)

    async def over(self) -> None:
        await self._over.wait()

    @property
    def status(self) -> int:
        """The exit code: 0 where a signal ended it, 1 where a child did."""
        return 0 if self._is_asked_to_end else 1

    def _end(self) -> None:
        self._is_asked_to_end = True
        self._over.set()

    async def _watch(self, child: Process) -> None:
        await child.wait()
        self._over.set()

    async def _answers(self, port: int) -> bool:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not self._over.is_set() and asyncio.get_running_loop().time() < deadline:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return True
        return False


def leave_interrupts_to_the_demo() -> None:
    """Ignore Ctrl-C, which a terminal sends to all: a server still starting would complain."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


async def end(child: Process) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except asyncio.TimeoutError:
        child.kill()
        await child.wait()


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose old connections still fade away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def serve(port: int) -> int:
    is_simulated = not os.environ.get("FCS_API_KEY")
    feed_port = free_port()
    # One process that streams by itself: Redis would want a stream beside it.
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "example_project.settings", "FCS_REDIS_URL": ""}
    if is_simulated:
        env["FCS_URL"] = f"ws://{HOST}:{feed_port}"
    simulator = ("manage.py", "fcs_simulator", "--port", str(feed_port))
    server = ("-m", "daphne", "-v", "0", "-b", HOST, "-p", str(port))
    async with Demo(env) as demo:
        if is_simulated and not await demo.start(*simulator, port=feed_port):
            return demo.status
        if not await demo.start(*server, "example_project.asgi:application", port=port):
            return demo.status
        source = "the simulator" if is_simulated else "the vendor"
        print(f"http://{HOST}:{port}/ with prices from {source}. Ctrl-C ends it.", flush=True)
        await demo.over()
        return demo.status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port: int = parser.parse_args().port
    if not port_is_free(port):
        print(f"Port {port} is taken: try PORT={port + 1} make demo", file=sys.stderr)
        return 2
    try:
        return asyncio.run(serve(port))
    except KeyboardInterrupt:  # before the demo listens for signals
        return 0


if __name__ == "__main__":
    sys.exit(main())
