"""Wrong use, as people meet it: one line that says what to change, and the exit code."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.simulator.server import BAD_KEY
from tests.e2e.site import SETTINGS
from tests.support.serving import python

REDIS = {"FCS_REDIS_URL": "redis://127.0.0.1:9"}
SITE = {**SETTINGS, "FCS_API_KEY": "a-key"}
FETCH = ("fcs_candles", "fetch", "FX:EURUSD", "--from", "2026-01-01")

CASES = {
    "no channel layer": (["fcs_stream"], {"DJANGO_SETTINGS_MODULE": "tests.e2e.no_layer"}, 2),
    "a layer in memory": (["fcs_stream"], {}, 2),
    "a room that is none": (["fcs_stream"], {**REDIS, "FCS_ROOMS": "EURUSD"}, 2),
    "an address that is none": (["fcs_stream"], {**REDIS, "FCS_URL": "https://fcsapi.com"}, 2),
    "a host that is none": (["fcs_watch", "FX:EURUSD"], {"FCS_URL": "ws://foo..bar/"}, 2),
    "a symbol that is none": (["fcs_watch", "eurusd"], {}, 2),
    "a timeframe that is none": (["fcs_watch", "FX:EURUSD", "--timeframe", "2h"], {}, 2),
    "a place to record that is none": (["fcs_stream", "--record", "/nowhere/x"], REDIS, 2),
    "a recording that is not there": (["fcs_simulator", "--replay", "/nowhere/x"], {}, 2),
    "a fetch without a key": ([*FETCH], REDIS, 2),
    "a fetch in one process": ([*FETCH], {"FCS_REST_KEY": "a-key"}, 2),
    "a recording that is none": (["fcs_simulator", "--replay", "README.md"], {}, 2),
}


async def told(arguments: list[str], env: dict[str, str]) -> tuple[int | None, list[str]]:
    """Run a command to its end; its exit code and what it wrote to stderr."""
    async with python("manage.py", *arguments, env={**SITE, **env}, stderr=PIPE) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, errors.decode().splitlines()


@pytest.mark.parametrize("case", CASES)
async def test_wrong_use_is_told_in_one_line(case: str) -> None:
    arguments, env, code = CASES[case]
    returncode, lines = await told(arguments, env)

    assert len(lines) == 1, lines
    assert returncode == code


@pytest.mark.parametrize("arguments", [["fcs_stream"], ["fcs_watch", "FX:EURUSD"]])
async def test_a_refused_key_is_told_in_one_line(arguments: list[str], redis: str) -> None:
    async with Simulator(RandomWalk()) as simulator:
        env = {"FCS_REDIS_URL": redis, "FCS_API_KEY": BAD_KEY, "FCS_URL": simulator.url}
        returncode, lines = await told(arguments, env)

    assert returncode == 2
    assert "FCS_API_KEY" in lines[-1] and BAD_KEY not in "".join(lines)
    assert not [line for line in lines if "Traceback" in line]


async def test_a_port_in_use_is_told_in_one_line() -> None:
    async with Simulator(RandomWalk()) as simulator:
        port = simulator.url.rpartition(":")[2]
        returncode, lines = await told(["fcs_simulator", "--port", port], {})

    assert returncode == 2
    assert len(lines) == 1 and port in lines[0]


async def test_a_truncated_recording_loses_no_frame_but_the_last(tmp_path: Path) -> None:
    recording = tmp_path / "cut.jsonl"
    prices = {"mode": "askbid", "c": 1.5}
    text = json.dumps({"type": "price", "symbol": "FX:EURUSD", "timeframe": "1", "prices": prices})
    frame = json.dumps({"at": 1, "text": text}, separators=(",", ":")) + "\n"
    recording.write_text(frame + frame[:40])
    arguments = ("fcs_simulator", "--port", "0", "--replay", str(recording))
    async with python("manage.py", *arguments, env=SITE, stderr=PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert b"FCS_URL=" in await asyncio.wait_for(process.stdout.readline(), 60)
        assert b":2:" in await asyncio.wait_for(process.stderr.readline(), 60)
        process.terminate()
        assert await process.wait() == 0
