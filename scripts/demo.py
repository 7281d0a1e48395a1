"""Serve the example project with live prices until Ctrl-C or SIGTERM.

If ``FCS_API_KEY`` is set and not empty, the prices come from the vendor. Otherwise prices and
history come from the simulator, which this script starts as a child process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 5

#: History costs nothing here. Of a month that nothing is known of, the part up to today counts as
#: spent, so on its last day a small number of credits would be none.
HISTORY = {
    "FCS_REST_KEY": "demo",
    "FCS_REST_REQUESTS_PER_MINUTE": "60",
    "FCS_REST_CREDITS_PER_MONTH": "1000000000",
}


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

    async def start_simulator(self) -> bool:
        """Run the simulator on free ports, for the server to use; return whether it is up.

        The simulator prints its addresses in one line.
        """
        child = await self._start("manage.py", "fcs_simulator", "--port", "0", stdout=PIPE)
        assert child.stdout is not None
        line = (await self._line(child.stdout)).decode()
        found = dict(re.findall(r"(FCS_\w*URL)=(\S+)", line))
        self._env |= {**HISTORY, **found}
        return bool(found)

    async def start_server(self, port: int) -> bool:
        """Run Daphne; return whether it answers."""
        options = ("-v", "0", "-b", HOST, "-p", str(port))
        await self._start("-m", "daphne", *options, "example_project.asgi:application")
        return await self._answers(port)

    async def over(self) -> None:
        await self._over.wait()

    @property
    def status(self) -> int:
        """The exit code: 0 if a signal ended the demo, 1 if a child process did."""
        return 0 if self._is_asked_to_end else 1

    def _end(self) -> None:
        self._is_asked_to_end = True
        self._over.set()

    async def _start(self, *arguments: str, stdout: int = DEVNULL) -> Process:
        """Run Python with these arguments."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env=self._env,
            stdout=stdout,
            preexec_fn=leave_interrupts_to_the_demo,
        )
        self._children.append(child)
        self._watchers.append(asyncio.create_task(self._watch(child)))
        return child

    async def _watch(self, child: Process) -> None:
        await child.wait()
        self._over.set()

    async def _line(self, stream: asyncio.StreamReader) -> bytes:
        """Return the next line, or nothing if the demo ends first or the line takes too long."""
        reading = asyncio.create_task(stream.readline())
        over = asyncio.create_task(self._over.wait())
        try:
            done, _ = await asyncio.wait(
                (reading, over), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            return reading.result() if reading in done else b""
        finally:
            for task in (reading, over):
                task.cancel()

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
    """Ignore Ctrl-C, which a terminal sends to all: a starting server would print an error."""
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
        # As the servers do: a port with old connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


async def serve(port: int) -> int:
    is_simulated = not os.environ.get("FCS_API_KEY")
    # One process that streams by itself: with Redis, fcs_stream would have to run as well.
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "example_project.settings", "FCS_REDIS_URL": ""}
    async with Demo(env) as demo:
        if is_simulated and not await demo.start_simulator():
            return demo.status
        if not await demo.start_server(port):
            return demo.status
        source = "the simulator" if is_simulated else "the vendor"
        print(f"http://{HOST}:{port}/ with prices from {source}. Stop with Ctrl-C.", flush=True)
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
