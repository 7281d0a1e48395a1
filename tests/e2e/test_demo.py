"""The example project as ``make demo`` runs it, and on other servers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.support.network import answers, free_port
from tests.support.serving import children_of, demo, get, is_running, python
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket


def candles(viewer: Viewer) -> list[dict[str, Any]]:
    return [one for one in viewer.messages if one.get("prices", {}).get("mode") == "candle"]


def settings_of(pid: int) -> dict[str, str]:
    """Return the environment variables of a process that are settings for history."""
    texts = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(text.split("=", 1) for text in texts if text.startswith("FCS_REST_"))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_demo_has_live_prices_and_ends_without_a_trace(ending: signal.Signals) -> None:
    port = free_port()
    async with demo(port) as process:
        children = children_of(process)
        async with browser_socket(port, ("FX:EURUSD", "1D")) as viewer:
            await viewer.until(candles, within=60)
        assert candles(viewer)[0]["symbol"] == "FX:EURUSD"
        process.send_signal(ending)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert not answers(port)
    assert not [child for child in children if is_running(child)]


async def test_the_demo_has_history_out_of_the_box() -> None:
    async with demo(free_port()) as process:
        _, server = children_of(process)
        named = settings_of(server)
        query = f"access_key={named['FCS_REST_KEY']}&symbol=FX:EURUSD&period=1h"
        status, text = await get(f"{named['FCS_REST_URL']}/forex/history?{query}")

    assert status == 200
    assert len(json.loads(text)["response"]) == 300
    assert int(named["FCS_REST_REQUESTS_PER_MINUTE"]) == 60
    assert int(named["FCS_REST_CREDITS_PER_MONTH"]) == 1_000_000_000


async def test_the_demo_fails_as_a_whole_when_one_of_its_servers_dies() -> None:
    async with demo(free_port()) as process:
        children = children_of(process)
        os.kill(children[0], signal.SIGKILL)
        assert await asyncio.wait_for(process.wait(), 60) == 1
    assert not [child for child in children if is_running(child)]


async def test_the_demo_says_which_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with python("scripts/demo.py", "--port", str(port), stderr=PIPE) as process:
            _, complaint = await process.communicate()
    assert process.returncode == 2
    assert complaint.decode() == f"Port {port} is taken: try PORT={port + 1} make demo\n"


@pytest.mark.parametrize(
    "server",
    [
        ("daphne", "-b", "127.0.0.1", "-p"),
        ("uvicorn", "--host", "127.0.0.1", "--log-level", "warning", "--port"),
    ],
    ids=["daphne", "uvicorn"],
)
async def test_any_asgi_server_serves_pages_sockets_and_static_files(
    server: tuple[str, ...],
) -> None:
    port = free_port()
    command = ("-m", *server, str(port), "example_project.asgi:application")
    async with python(*command, env={"DJANGO_DEBUG": "0", "FCS_URL": "ws://127.0.0.1:9"}):
        await eventually(lambda: answers(port))
        assert (await get(f"http://127.0.0.1:{port}/forex/"))[0] == 200
        for name in ("django_fcs/fcs.min.js", "example_project/site.css"):
            status, text = await get(f"http://127.0.0.1:{port}/static/{name}")
            assert status == 200 and text
        async with browser_socket(port) as viewer:
            await viewer.until(lambda viewer: viewer.messages)
        assert viewer.messages[0]["type"] == "welcome"
