"""The command as it is typed: its addresses, its exit codes, its one line."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from websockets.asyncio.client import connect

from django_fcs.management.commands.fcs_simulator import port_after
from tests.e2e.site import SETTINGS
from tests.support.recordings import DATA
from tests.support.serving import get

ROOT = Path(__file__).parents[2]
USDJPY = DATA / "fx-usdjpy-2013-01-01.jsonl"

COMMAND = (sys.executable, "-m", "django", "fcs_simulator")
ENVIRONMENT = {**os.environ, **SETTINGS, "PYTHONPATH": str(ROOT)}


def run(*arguments: str) -> tuple[int, str]:
    """Run the command to its end; return exit code and what it said of an error."""
    ended = subprocess.run(
        [*COMMAND, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=30
    )
    return ended.returncode, ended.stderr


class Running:
    """The command while it runs."""

    def __init__(self, process: asyncio.subprocess.Process, line: str) -> None:
        self.process = process
        self.line = line
        found = re.search(r"FCS_URL=(ws://\S+) FCS_REST_URL=(http://\S+)", line)
        assert found, line
        self.url, self.rest_url = found.groups()

    async def hear(self, symbol: str, timeframe: str, count: int) -> list[Any]:
        """Join a room and return its first messages."""
        async with connect(f"{self.url}/?access_key=x") as client:
            await client.recv()
            join = {"type": "join_symbol", "symbol": symbol, "timeframe": timeframe}
            await client.send(json.dumps(join))
            return [json.loads(await asyncio.wait_for(client.recv(), 10)) for _ in range(count)]

    async def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        _, said = await asyncio.wait_for(self.process.communicate(), 10)
        return self.process.returncode or 0, said.decode()


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("--port", "0", *arguments),
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        yield Running(process, line.decode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_history_is_served_beside_the_prices() -> None:
    async with started("--seed", "5") as simulator:
        query = "access_key=x&symbol=FX:EURUSD&period=1D&is_chart=1"
        _, text = await get(f"{simulator.rest_url}/forex/history?{query}")
        heard = await simulator.hear("FX:EURUSD", "1D", 3)

    assert json.loads(text)["response"][-1][0] == heard[2]["prices"]["t"]


@pytest.mark.parametrize(("port", "after"), [(9780, 9781), (65_535, 0), (0, 0)])
def test_history_has_the_port_after_that_of_the_prices(port: int, after: int) -> None:
    assert port_after(port) == after


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    async with started() as simulator:
        assert await simulator.end(number) == (0, "")


async def test_any_symbol_is_streamed_at_the_given_rate() -> None:
    async with started("--rate", "200") as simulator:
        heard = await simulator.hear("FX:EURUSD", "1D", 20)

        assert heard[0]["room"] == "FX:EURUSD_1D_0s"
        modes = [message["prices"]["mode"] for message in heard[1:]]
        assert modes[:3] == ["profile", "initial", "candle"]


async def test_a_seed_gives_the_same_market() -> None:
    async def close(seed: str) -> float:
        async with started("--rate", "0", "--seed", seed) as simulator:
            heard = await simulator.hear("FX:EURUSD", "1D", 3)
            return float(heard[2]["prices"]["c"])

    closes = await asyncio.gather(*map(close, ("5", "5", "6")))

    assert closes[0] == closes[1] != closes[2]


async def test_a_recording_is_played_without_waiting() -> None:
    async with started("--replay", str(USDJPY), "--speed", "0") as simulator:
        recorded = [
            json.loads(json.loads(line)["text"]) for line in USDJPY.read_text().splitlines()
        ]

        assert await simulator.hear("FX:USDJPY", "1", len(recorded)) == recorded

        late = await simulator.hear("FX:USDJPY", "1", 3)
        assert late[2]["prices"]["c"] == recorded[-1]["prices"]["c"]


async def test_a_recording_whose_recorder_was_killed_is_played_with_a_warning(
    tmp_path: Path,
) -> None:
    path = tmp_path / "killed.jsonl"
    path.write_bytes(USDJPY.read_bytes()[:-10])

    async with started("--replay", str(path)) as simulator:
        assert len(await simulator.hear("FX:USDJPY", "1", 3)) == 3
        code, said = await simulator.end(signal.SIGTERM)

    assert code == 0
    assert said.startswith(f"Warning: {path}:1003: ")
    assert said.count("\n") == 1


async def test_faults_are_switched_on_by_name() -> None:
    async with started("--fault", "confirm=full", "--fault", "strings") as simulator:
        confirmation, _, initial = await simulator.hear("FX:EURUSD", "1D", 3)

        assert confirmation["symbol"] == "FX:EURUSD"
        assert isinstance(initial["prices"]["c"], str)


def test_a_recording_damaged_in_the_middle_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "damaged.jsonl"
    lines = USDJPY.read_text().splitlines()
    path.write_text("\n".join([*lines[:9], "rubbish", *lines[9:]]) + "\n")

    with pytest.raises(CommandError) as caught:
        call_command("fcs_simulator", replay=str(path))

    assert caught.value.returncode == 1
    assert str(caught.value).startswith(f"{path}:10: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["--port", "--rest-port"])
def test_a_taken_port_is_told_in_one_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        code, said = run("--rest-port", "0", "--port", "0", option, port)

    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}, choose another {option}: " in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("content", [None, "", "rubbish\n", '{"at":1.0,"text":"{}"}\n'])
def test_a_file_that_cannot_be_played_is_told_in_one_line(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "recording.jsonl"
    if content is not None:
        path.write_text(content)

    with pytest.raises(CommandError) as caught:
        call_command("fcs_simulator", replay=str(path))

    assert caught.value.returncode == 2
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "99999"),
        ("--port", "x"),
        ("--rest-port", "-1"),
        ("--rate", "-1"),
        ("--speed", "nan"),
        ("--fault", "nothing"),
        ("--nothing",),
    ],
)
def test_wrong_use_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=arguments[-1].lstrip("-") + "|needed|0 to 65535"):
        call_command("fcs_simulator", *arguments)


@pytest.mark.parametrize("arguments", [("--port", "99999"), ("--fault", "nothing")])
def test_wrong_use_is_told_without_a_traceback(arguments: tuple[str, ...]) -> None:
    code, said = run(*arguments)

    assert code == 2
    assert "Traceback" not in said
    assert said.splitlines()[-1]
