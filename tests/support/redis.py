"""A Redis of one's own: how it is started, and what a machine without one does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from redis import ConnectionPool

from tests.support.network import HOST, answers
from tests.support.waiting import eventually

__all__ = ["MISSING", "is_required", "is_there", "redis_command", "redis_server", "sentinel"]

MISSING = "no redis-server: install it"


def is_there() -> bool:
    """Tell whether this machine has ``redis-server``."""
    return shutil.which("redis-server") is not None


def is_required() -> bool:
    """Tell whether a run without ``redis-server`` is to fail."""
    return os.environ.get("FCS_REQUIRE_REDIS") == "1"


def redis_command(port: int, folder: Path, *options: str) -> list[str]:
    """Return the command of a Redis that keeps nothing; what it writes goes to ``folder``."""
    place = ("--bind", HOST, "--port", str(port), "--dir", str(folder))
    return ["redis-server", *place, "--save", "", "--appendonly", "no", *options]


@contextlib.asynccontextmanager
async def redis_server(
    port: int, folder: Path, *options: str, answers_at: int | None = None
) -> AsyncIterator[Process]:
    """Run a Redis until the block ends, from when it answers: at ``port`` if nowhere else.

    Then the connections end that Django's caches opened meanwhile: Django keeps them open.
    """
    command = redis_command(port, folder, *options)
    with _pools_ended():
        async with _running(command, answers_at or port) as process:
            yield process


@contextlib.contextmanager
def _pools_ended() -> Iterator[None]:
    pools: list[ConnectionPool] = []
    stock = ConnectionPool.__init__

    def noted(self: ConnectionPool, *args: Any, **options: Any) -> None:
        stock(self, *args, **options)
        pools.append(self)

    with mock.patch.object(ConnectionPool, "__init__", noted):
        try:
            yield
        finally:
            for pool in pools:
                pool.disconnect()


@contextlib.asynccontextmanager
async def sentinel(port: int, folder: Path, *, of: int) -> AsyncIterator[Process]:
    """Run a Sentinel which says that the master ``site`` is the Redis at the port ``of``."""
    path = folder / "sentinel.conf"
    path.write_text(f"bind {HOST}\nport {port}\nsentinel monitor site {HOST} {of} 1\n")
    async with _running(["redis-server", str(path), "--sentinel"], port) as process:
        yield process


@contextlib.asynccontextmanager
async def _running(command: list[str], port: int) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL)
    try:
        await eventually(lambda: answers(port), what="a Redis that answers")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
