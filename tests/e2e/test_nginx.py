"""The lines of docs/servers.md for nginx, as they stand there, before each server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from django_fcs.consumers import CLOSE_FOREIGN_ORIGIN, CLOSE_TOO_MANY
from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.servers import PAGE, SERVERS, blocks, is_compressed, line_of, sees_prices, serving
from tests.support.network import HOST, answers, free_port
from tests.support.serving import get
from tests.support.waiting import eventually
from tests.support.wire import browser_socket

MISSING = "no nginx: install it"

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream site {{ server {host}:{site}; }}
    server {{
        listen {host}:{port};
        {lines}
    }}
}}
"""


@pytest.fixture(scope="session")
def nginx_path() -> str:
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        (pytest.fail if os.environ.get("FCS_REQUIRE_NGINX") == "1" else pytest.skip)(MISSING)
    return str(path)


@contextlib.asynccontextmanager
async def nginx(path: str, folder: Path, site: int) -> AsyncIterator[int]:
    """Run nginx with the lines of the page before a site; its port."""
    [lines] = blocks(PAGE, "nginx")
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, host=HOST, site=site, port=port, lines=lines)
    )
    command = [path, "-p", str(folder), "-c", str(configuration)]
    process = await asyncio.create_subprocess_exec(*command, stderr=DEVNULL)
    try:
        await eventually(lambda: answers(port), what="nginx")
        yield port
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


@pytest.mark.parametrize("server", SERVERS)
async def test_behind_nginx_a_browser_is_known_by_its_address_and_its_page(
    server: str, nginx_path: str, tmp_path: Path
) -> None:
    site = free_port()
    line = line_of(server, site, behind_nginx=True)
    async with Simulator(RandomWalk(rate=20)) as simulator:
        env = {
            "FCS_URL": simulator.url,
            "FCS_MAX_SOCKETS_PER_IP": "1",
            # So that only the host and its port let a page of this site in.
            "FCS_ALLOWED_ORIGINS": "https://another.example",
        }
        async with serving(line, site, **env), nginx(nginx_path, tmp_path, site) as port:
            await _visit(port)


async def _visit(port: int) -> None:
    url = f"ws://{HOST}:{port}/ws/fcs/"
    page = f"http://{HOST}:{port}"
    room = ("FX:EURUSD", "1D")
    how: dict[str, Any] = {"origin": page, "additional_headers": {"X-Forwarded-For": "203.0.113.1"}}
    async with browser_socket(port, room, merge=True, **how) as viewer:
        await sees_prices(viewer)
        assert not is_compressed(viewer.socket)
        for claimed in ("203.0.113.2", "203.0.113.3, 203.0.113.4", "nobody"):
            assert await _close_code(url, page, claimed) == CLOSE_TOO_MANY
        assert await _close_code(url, "http://127.0.0.1:1", "203.0.113.2") == CLOSE_FOREIGN_ORIGIN
        async with browser_socket(port, room, local_addr=("127.0.0.2", 0), **how) as neighbour:
            await sees_prices(neighbour)
        await sees_prices(viewer)
        assert (await get(f"{page}/"))[0] == 200


async def _close_code(url: str, page: str, claimed: str) -> int | None:
    """Open a socket whose client claims to be somebody else; return the code of its close."""
    headers = {"X-Forwarded-For": claimed}
    async with connect(url, origin=Origin(page), additional_headers=headers) as socket:
        assert '"refused"' in str(await socket.recv())
        await asyncio.wait_for(socket.wait_closed(), 20)
        return socket.close_code
