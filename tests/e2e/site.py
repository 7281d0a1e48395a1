"""Whole sites in processes of their own: the servers and the stream."""

from __future__ import annotations

import contextlib
from asyncio.subprocess import Process
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from tests.support.network import answers
from tests.support.serving import python
from tests.support.waiting import eventually

#: What serves an ASGI application, as people start it; the port comes last.
SERVERS = {
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "tests.e2e.asgi:application", "-p"),
    "uvicorn": ("-m", "uvicorn", "--log-level", "warning", "tests.e2e.asgi:application", "--port"),
    "runserver": ("manage.py", "runserver", "--noreload"),
}

#: Of all processes of a site, and of a command that needs no other.
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.e2e.settings"}


class Site:
    """What all processes of one site have in common."""

    def __init__(self, upstream: str, **env: str) -> None:
        self.env = {
            **SETTINGS,
            "FCS_URL": upstream,
            "FCS_API_KEY": "a-key-of-the-tests",
            **env,
        }

    @contextlib.asynccontextmanager
    async def starting_web(self, port: int, server: str = "daphne") -> AsyncIterator[Process]:
        """Start to serve the site, which answers in a second or two."""
        async with python(*SERVERS[server], str(port), env=self.env) as process:
            yield process

    @contextlib.asynccontextmanager
    async def web(self, port: int, server: str = "daphne") -> AsyncIterator[Process]:
        """Serve the site, from when it answers."""
        async with self.starting_web(port, server) as process:
            await answering(port)
            yield process

    @contextlib.asynccontextmanager
    async def stream(self, *arguments: str) -> AsyncIterator[Process]:
        """Run ``fcs_stream``."""
        async with python("manage.py", "fcs_stream", *arguments, env=self.env) as process:
            yield process


async def answering(*ports: int) -> None:
    """Wait until there are answers at all these ports."""
    await eventually(lambda: all(map(answers, ports)), within=60, what=f"answers at {ports}")


async def season(port: int) -> None:
    """Let a Redis pass for one that has run for long: it lends the lease at once.

    One that is new or runs again lends it to nobody for as long as a lease lasts.
    """
    async with Redis(port=port) as client:
        run = (await client.info("server"))["run_id"]
        await client.mset({"asgi:{fcs}:epoch": 1, "asgi:{fcs}:server": run})
