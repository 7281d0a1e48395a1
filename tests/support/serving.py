"""The example project as people run it: in processes of their own, on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Whatever this machine says: no real key, no Redis but the test's own.
SURROUNDINGS = {
    "DJANGO_SETTINGS_MODULE": "example_project.settings",
    "FCS_API_KEY": "",
    "FCS_REDIS_URL": "",
}


@contextlib.asynccontextmanager
async def python(
    *arguments: str, env: Mapping[str, str] | None = None, stderr: int | None = None
) -> AsyncIterator[Process]:
    """Run Python in the project's root; it does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **SURROUNDINGS, **(env or {})},
        stdout=PIPE,
        stderr=stderr,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 60)
        finally:
            if process.returncode is None:
                process.kill()


@contextlib.asynccontextmanager
async def demo(port: int) -> AsyncIterator[Process]:
    """Run what ``make demo`` runs, until it has told its address."""
    async with python("scripts/demo.py", "--port", str(port)) as process:
        assert process.stdout is not None
        told = await asyncio.wait_for(process.stdout.readline(), 120)
        assert f"http://127.0.0.1:{port}/".encode() in told
        yield process


async def get(url: str) -> tuple[int, str]:
    """Fetch a page that is there, without a proxy."""
    return await asyncio.to_thread(_get, url)


def _get(url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as response:
        return response.status, response.read().decode()


def children_of(process: Process) -> list[int]:
    """Return the ids of its child processes, as Linux tells them."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
