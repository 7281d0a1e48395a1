"""The key is nowhere: every process at its loudest, with what fails, and a careless browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.tools.tasks import running
from tests.support.leaks import CARELESS, KEY, leaks
from tests.support.network import answers, free_port
from tests.support.redis import redis_server
from tests.support.serving import get, python
from tests.support.waiting import eventually

LOUD_SERVERS = {
    "daphne": (
        *("-m", "daphne", "-v", "3", "-b", "127.0.0.1", "tests.e2e.asgi:application", "-p"),
    ),
    "uvicorn": (
        *("-m", "uvicorn", "--log-level", "trace", "--use-colors"),
        *("tests.e2e.asgi:application", "--port"),
    ),
    "runserver": ("manage.py", "runserver", "--noreload", "-v", "3", "--traceback"),
}
#: Daphne writes the addresses of pages, with the query, to a file that is no logger's.
QUERIES = {"daphne": "", "uvicorn": CARELESS, "runserver": CARELESS}
STATIC = [
    f"static/django_fcs/{name}"
    for name in (
        *("fcs-client.js", "fcs-client.min.js", "fcs-elements.js"),
        *("fcs.css", "fcs.min.css", "fcs.min.js"),
    )
]
COMMANDS = (
    *("check --deploy", "fcs_doctor", "fcs_status", "fcs_stream --check"),
    *("fcs_stream EURUSD", "fcs_watch eurusd"),
)
HOSTILE = [
    "no JSON",
    json.dumps({"type": "join_symbol", "symbol": KEY}),
    json.dumps({"type": "join_symbol", "symbol": "FX:EURUSD", "timeframe": "2h"}),
    json.dumps({"type": "join_symbol", "symbol": "NYSE:KO", "token": KEY, "api_key": KEY}),
    json.dumps({"type": "join_symbol", "symbol": "FX:EURUSD", "access_key": KEY}),
    json.dumps({"type": "subscribe", "api_key": KEY}),
    json.dumps([KEY] * 50),
    "[" * 4000 + KEY,
    KEY * 1000,
    KEY * 10_000,
]


class Overheard:
    """All that a site let somebody hear, by where."""

    def __init__(self, **env: str) -> None:
        self.texts: dict[str, list[str]] = {}
        self.env = {
            "DJANGO_SETTINGS_MODULE": "tests.e2e.loud",
            "FCS_API_KEY": KEY,
            "PYTHONASYNCIODEBUG": "1",
            "PYTHONUNBUFFERED": "1",
            **env,
        }

    def note(self, where: str, text: str) -> None:
        self.texts.setdefault(where, []).append(text)

    def said(self, where: str) -> str:
        return "".join(self.texts.get(where, ()))

    def assert_nothing_leaks(self) -> None:
        found = {where: leaks(self.said(where)) for where in self.texts}
        assert not {where: lines for where, lines in found.items() if lines}

    @contextlib.asynccontextmanager
    async def process(self, *arguments: str, where: str, **env: str) -> AsyncIterator[Process]:
        """Run Python, and hear what it writes."""
        environment = {**self.env, **env}
        async with python(*arguments, env=environment, stderr=STDOUT) as process:
            async with running(self._listen(process, where)):
                yield process
                if process.returncode is None:
                    process.terminate()
                    await asyncio.wait_for(process.wait(), 30)

    async def _listen(self, process: Process, where: str) -> None:
        assert process.stdout is not None
        while text := await process.stdout.read(65536):
            self.note(where, text.decode(errors="replace"))

    async def commands(self, *commands: str, **env: str) -> None:
        """Run commands to their ends, in one process."""
        where = f"{commands} {env}"
        module = ("-m", "tests.e2e.commands")
        async with self.process(*module, *commands, where=where, **env) as process:
            assert await asyncio.wait_for(process.wait(), 120) == 0
            await eventually(lambda: process.stdout is not None and process.stdout.at_eof())

    async def page(self, url: str) -> None:
        """Fetch a page, whatever its status."""
        try:
            status, text = await get(url)
        except OSError as error:
            # urllib's errors are answers, too.
            status, text = getattr(error, "code", 0), _text_of(error)
        self.note(url.replace(CARELESS, "?…"), f"{status}\n{text}")

    async def browser(self, url: str, **how: Any) -> None:
        """Say hostile things, and hear every frame until nothing more comes."""
        async with connect(url, **how) as socket:
            with contextlib.suppress(ConnectionClosed, asyncio.TimeoutError):
                for text in HOSTILE:
                    await socket.send(text)
                for _ in range(len(HOSTILE) + 5):
                    frame = await asyncio.wait_for(socket.recv(), 5)
                    # What it said itself comes back in the refusal of its symbol.
                    if "is not EXCHANGE:TICKER" not in str(frame):
                        self.note("frames", f"{frame!s}\n")
            self.note("frames", str(socket.close_reason or ""))


def _text_of(error: OSError) -> str:
    return error.read().decode() if hasattr(error, "read") else str(error)


@contextlib.asynccontextmanager
async def vendor() -> AsyncIterator[tuple[Simulator, set[str]]]:
    """Run a vendor; yield it and the keys that it accepts."""
    faults, keys = Faults(malformed_every=3, unknown=("FX:NO*",)), {KEY}
    async with Simulator(RandomWalk(rate=5), faults=faults, accepted_keys=keys) as simulator:
        yield simulator, keys


async def visit(site: Overheard, port: int, *, query: str = CARELESS) -> None:
    """Do on the site what careless and hostile visitors do."""
    http, socket = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws/fcs/{CARELESS}"
    for path in ("watch/FX:EURUSD/1D/", "fcs/health/", "fcs/metrics/", *STATIC):
        await site.page(f"{http}/{path}{query}")
    # Django's own page on an error repeats the query to anyone who sent it.
    await site.page(f"{http}/watch/eurusd/1D/")
    await site.browser(socket)
    await site.browser(socket, subprotocols=[Subprotocol("fcs.merge.v1")])
    await site.browser(socket, origin=Origin("https://evil.example"))
    with contextlib.suppress(Exception):
        await site.browser(socket.replace("/ws/fcs/", "/nowhere/"))


@pytest.mark.parametrize("server", LOUD_SERVERS)
async def test_a_web_process_tells_nobody(server: str) -> None:
    """It streams by itself, from a vendor who then wants the key no more."""
    port = free_port()
    async with vendor() as (simulator, keys):
        site = Overheard(FCS_URL=simulator.url)
        async with site.process(*LOUD_SERVERS[server], str(port), where=server):
            await eventually(lambda: answers(port), within=60)
            await visit(site, port, query=QUERIES[server])
            await simulator.drop_all()
            await eventually(lambda: "upstream lost" in site.said(server))
            keys.clear()
            await simulator.drop_all()
            await eventually(lambda: "refused FCS_API_KEY" in site.said(server), within=30)
            await visit(site, port, query=QUERIES[server])
    assert "/ws/fcs/" in site.said(server)
    assert "welcome" in site.said("frames")
    site.assert_nothing_leaks()


async def test_a_stream_tells_nobody_while_all_around_it_fails(tmp_path: Path) -> None:
    ports, recording = [free_port() for _ in range(3)], tmp_path / "recording.jsonl"
    redis = f"redis://127.0.0.1:{ports[0]}/0"
    arguments = ("FX:EURUSD", "FX:NONE", "--record", str(recording), "--metrics-port")
    async with vendor() as (simulator, _):
        site = Overheard(FCS_URL=simulator.url, FCS_REDIS_URL=redis)
        stream = ("manage.py", "fcs_stream", *arguments, str(ports[1]), "-v", "3")
        web = (*LOUD_SERVERS["daphne"], str(ports[2]))
        async with redis_server(ports[0], tmp_path):
            async with (
                site.process(*web, where="daphne"),
                site.process(*stream, where="fcs_stream") as process,
            ):
                await eventually(lambda: answers(ports[1]) and answers(ports[2]), within=60)
                await visit(site, ports[2], query="")
                await _fail(site, simulator, redis)
                await site.page(f"http://127.0.0.1:{ports[1]}/metrics{CARELESS}")
                doctor = f"fcs_doctor --url http://127.0.0.1:{ports[2]}"
                await site.commands("fcs_status --json", "fcs_stream --check", doctor)
                process.terminate()
                await asyncio.wait_for(process.wait(), 30)
            site.note("Redis", await _kept(redis))
    site.note("recording", recording.read_text())
    assert "FX:EURUSD" in site.said("recording") and "EURUSD" in site.said("Redis")
    site.assert_nothing_leaks()


async def _fail(site: Overheard, simulator: Simulator, redis: str) -> None:
    """Let the vendor and Redis drop all connections."""
    # A Redis that is new lends the lease to nobody for the first seconds.
    await eventually(lambda: "upstream welcomed" in site.said("fcs_stream"), within=60)
    await simulator.drop_all()
    await eventually(lambda: "upstream lost" in site.said("fcs_stream"))
    client = Redis.from_url(redis)
    for kind in ("normal", "pubsub"):
        await client.client_kill_filter(_type=kind)
    await eventually(lambda: "channel layer failed" in site.said("fcs_stream"), within=30)
    await client.aclose()
    await simulator.push("FX:EURUSD", "1D", mode="candle", t=60, o=1, h=1, l=1, c=1)


async def _kept(redis: str) -> str:
    """Return all that is kept in Redis, in the databases of the layer and of the cache."""
    kept: list[object] = []
    for database in (0, 8):
        client = Redis.from_url(f"{redis.rpartition('/')[0]}/{database}")
        keys = [key async for key in client.scan_iter()]
        kept += [await client.get(key) for key in keys if await client.type(key) == b"string"]
        kept += keys
        await client.aclose()
    return "\n".join(map(str, kept))


async def test_commands_that_fail_tell_nobody() -> None:
    """Neither where nothing answers, nor where the address holds the key as well."""
    site = Overheard(FCS_URL=f"ws://127.0.0.1:9/ws?access_key={KEY}")
    async with Simulator(RandomWalk(rate=0), accepted_keys=set()) as refusing:
        await asyncio.gather(
            site.commands(*COMMANDS, FCS_REDIS_URL="redis://127.0.0.1:9"),
            site.commands(*COMMANDS, FCS_URL=refusing.url),
            site.commands(*COMMANDS, FCS_URL=f"https://me:{KEY}@127.0.0.1:9/?access_key={KEY}"),
        )
    for where in site.texts:
        said = site.said(where)
        assert "System check identified" in said
        assert said.count("\ndjango.core.management.base.CommandError: ") == len(COMMANDS) - 1
    site.assert_nothing_leaks()


async def test_the_terminal_and_the_simulator_tell_nobody() -> None:
    port = free_port()
    site = Overheard()
    url = f"ws://127.0.0.1:{port}/{CARELESS}"
    simulator = ("manage.py", "fcs_simulator", "--port", str(port), "-v", "3")
    watch = ("manage.py", "fcs_watch", "FX:EURUSD", "-v", "3")
    async with site.process(*simulator, where="fcs_simulator"):
        await eventually(lambda: answers(port), within=60)
        async with site.process(*watch, where="fcs_watch", FCS_URL=url):
            await eventually(lambda: "EURUSD" in site.said("fcs_watch"), within=60)
        await site.browser(url)
    site.assert_nothing_leaks()
