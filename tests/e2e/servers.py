"""Every ASGI server of docs/servers.md, started with its line of that page, and what it does.

``python -m tests.e2e.servers`` writes the table of the page.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shlex
import tempfile
import time
import zlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.tools.tasks import running
from lab.kit.markdown import write_section
from tests.support.memory import resident
from tests.support.network import HOST, free_port
from tests.support.serving import children_of, get, python
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

PAGE = Path(__file__).parents[2] / "docs/servers.md"
SERVERS = ("Daphne", "uvicorn", "Hypercorn", "Granian", "Gunicorn")
PACKAGES = ("daphne", "uvicorn", "hypercorn", "granian", "gunicorn", "uvicorn-worker")
COLUMNS = (
    *("server", "compresses frames", "frames of 16 kB that inflate to 16 MB"),
    *("a frame of 70 kB", "close codes of the site", "SIGTERM"),
)

#: The port in the lines of the page.
DOCUMENTED_PORT = "8001"

LONG, HUGE = 5_000, 70_000
BOMB_SIZE = 16 * 1024 * 1024

#: Few where each of them counts, so that the machine has enough memory for all tests.
BOMBS, BOMBS_INFLATED = 120, 8

#: How much more memory they may take: a server keeps some frames of 64 kB, but none of 16 MB.
GROWTH_MAX = 48 * 1024 * 1024

#: How long a server has to close its sockets on SIGTERM. Daphne drops those that are younger than
#: a second.
STOP_SECONDS = 6
YOUNG_SECONDS = 1.5


class Refused(NamedTuple):
    """How a socket is closed, and what its browser was told before."""

    code: int
    reason: str
    told: str


class Seen(NamedTuple):
    """What a browser sees of a server."""

    compresses: bool
    subprotocol: str | None
    huge: int
    """The close code for a frame that is too long."""
    growth: int
    """How many bytes of memory the server needs for frames that inflate."""
    foreign: Refused
    """For a page of another site."""
    renamed: Refused
    """For a page of another host at this very host, which is none of the site's."""
    stopped: int | None
    """The close code on SIGTERM, or ``None`` if the socket stays open."""


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def line_of(server: str, port: int, *, behind_nginx: bool = False) -> list[str]:
    """Return the line that the page has for a server, at another port."""
    alone, proxied = blocks(PAGE, "sh")
    lines = (proxied if behind_nginx else alone).splitlines()
    [line] = [line for line in lines if line.startswith(f"{server.lower()} ")]
    assert DOCUMENTED_PORT in line
    return shlex.split(line.replace(DOCUMENTED_PORT, str(port)))


def write_modules(directory: Path) -> None:
    """Write the modules that the page shows: their first line names their file."""
    for block in blocks(PAGE, "python"):
        if named := re.match(r"# (mysite/\w+\.py)\n", block):
            path = directory / named[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block)


@contextlib.asynccontextmanager
async def serving(line: list[str], port: int, **env: str) -> AsyncIterator[Process]:
    """Serve the example project with a line of the page, from when it answers a request."""
    with tempfile.TemporaryDirectory() as home:
        write_modules(Path(home))
        # Gunicorn keeps a socket in the home directory.
        env = {"FCS_API_KEY": "a-key-of-the-tests", "PYTHONPATH": home, "HOME": home, **env}
        async with python("-m", *line, env=env) as process:
            await eventually(lambda: _has_a_page(port), within=60, what=f"a page of {line[0]}")
            yield process


async def _has_a_page(port: int) -> bool:
    with contextlib.suppress(OSError):
        return (await get(f"http://{HOST}:{port}/"))[0] == 200
    return False


async def visit(server: str) -> Seen:
    """Do to a server what good and bad browsers do, then stop it."""
    port = free_port()
    async with (
        Simulator(RandomWalk(rate=20)) as simulator,
        serving(line_of(server, port), port, FCS_URL=simulator.url) as process,
        browser_socket(
            *(port, ("FX:EURUSD", "1D")), merge=True, origin=f"http://{HOST}:{port}"
        ) as viewer,
    ):
        await sees_prices(viewer)
        opened = time.monotonic()
        compresses = is_compressed(viewer.socket)
        foreign = await _refused(port, "https://another.example")
        renamed = await _refused(port, f"http://evil.com:{port}", host="evil.com")
        huge = await _closed_for_a_huge_frame(port)
        growth = await _bombed(port, process, BOMBS_INFLATED if compresses else BOMBS)
        await viewer.until(lambda viewer: time.monotonic() > opened + YOUNG_SECONDS)
        await sees_prices(viewer)
        process.terminate()
        try:
            stopped = await viewer.how_it_ends(within=STOP_SECONDS)
        except AssertionError:
            stopped = None
    return Seen(compresses, viewer.socket.subprotocol, huge, growth, foreign, renamed, stopped)


def is_compressed(socket: ClientConnection) -> bool:
    """Tell whether a server agreed to compress, which all browsers ask for."""
    assert socket.response
    return "Sec-WebSocket-Extensions" in socket.response.headers


async def sees_prices(viewer: Viewer) -> None:
    """Wait until a viewer has been sent some more prices."""
    number = len(viewer.messages)
    await viewer.until(
        lambda viewer: [it["type"] for it in viewer.messages[number:]].count("price") > 2
    )


async def _refused(port: int, origin: str, *, host: str = HOST) -> Refused:
    """Open a socket that the site refuses."""
    url = f"ws://{host}:{port}/ws/fcs/"
    async with connect(url, origin=Origin(origin), host=HOST, port=port) as socket:
        refusal = json.loads(await socket.recv())
        assert refusal["short"] == "refused"
        await asyncio.wait_for(socket.wait_closed(), 20)
        return Refused(socket.close_code or 1006, socket.close_reason or "", refusal["message"])


async def _closed_for_a_huge_frame(port: int) -> int:
    async with connect(f"ws://{HOST}:{port}/ws/fcs/", compression=None) as socket:
        assert '"welcome"' in str(await socket.recv())
        await socket.send("x" * LONG)
        assert '"bad_message"' in str(await socket.recv())
        await socket.send("x" * HUGE)
        return await _closing(socket)


async def _bombed(port: int, process: Process, number: int) -> int:
    """Send frames that inflate; return how much memory the server needs for them."""
    before = peak = _memory(process)

    async def weigh() -> None:
        nonlocal peak
        while True:
            peak = max(peak, _memory(process))
            await asyncio.sleep(0.002)

    async with (
        running(weigh()),
        connect(f"ws://{HOST}:{port}/ws/fcs/", max_queue=None) as socket,
    ):
        assert '"welcome"' in str(await socket.recv())
        # Of a server that does not compress, the bit for compression breaks the protocol.
        socket.transport.write(_bomb() * number)
        await _closing(socket)
    return peak - before


def _bomb() -> bytes:
    """Return a compressed text frame, masked with zeros."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    data = deflate.compress(b"a" * BOMB_SIZE) + deflate.flush(zlib.Z_SYNC_FLUSH)
    data = data.removesuffix(b"\x00\x00\xff\xff")
    return b"\xc1\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data


async def _closing(socket: ClientConnection) -> int:
    with contextlib.suppress(ConnectionClosed):
        await asyncio.wait_for(socket.wait_closed(), 30)
    return socket.close_code or 1006


def _memory(process: Process) -> int:
    return sum(map(resident, [process.pid, *children_of(process)]))


def row(server: str, seen: Seen) -> str:
    """Return the line of the table."""
    cells = (
        *(server, "yes" if seen.compresses else "no"),
        "are refused" if seen.growth < GROWTH_MAX else "**take the memory**",
        f"closed with {seen.huge}",
        "arrive with the reason" if seen.foreign.reason else "arrive without the reason",
        f"closes sockets with {seen.stopped}" if seen.stopped else "**waits for the browsers**",
    )
    assert seen.foreign.code == 4503
    return f"| {' | '.join(cells)} |"


async def main() -> None:
    """Visit all of them and write the table."""
    rows = [row(server, await visit(server)) for server in SERVERS]
    head = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    write_section(PAGE, "servers", "\n".join([*head, *rows, "", f"Seen with {versions}."]))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    asyncio.run(main())
