"""The lease that the doctor tries leaves no key behind, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from channels_redis.utils import create_pool
from redis.asyncio import Redis

from django_fcs.layer.line import Line
from django_fcs.layer.wire import Reply, WireError
from django_fcs.streaming.rehearsal import rehearse
from tests.support.network import free_port
from tests.support.redis import redis_server

pytestmark = [pytest.mark.usefixtures("clean_loop", "needs_redis"), pytest.mark.versions]


class Cut(Line):
    """A line that is cut after some answers."""

    def __init__(self, port: int, answers: int) -> None:
        super().__init__(pool(port))
        self._answers = answers

    async def ask(self, *words: bytes) -> Reply:
        if self._answers == 0:
            raise WireError("cut")
        self._answers -= 1
        return await super().ask(*words)


class Slow(Line):
    """A line whose first answer is late."""

    def __init__(self, port: int) -> None:
        super().__init__(pool(port))
        self.asked = 0

    async def ask(self, *words: bytes) -> Reply:
        self.asked += 1
        answer = await super().ask(*words)
        if self.asked == 1:
            await asyncio.Event().wait()
        return answer


def pool(port: int) -> Any:
    return create_pool({"address": f"redis://127.0.0.1:{port}"})


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[tuple[int, Redis]]:
    port = free_port()
    async with redis_server(port, folder), Redis(port=port) as admin:
        yield port, admin


async def lasting(admin: Redis) -> list[Any]:
    """Return the keys that do not expire."""
    return [key for key in await admin.keys() if await admin.pttl(key) < 0]


@pytest.mark.parametrize("command", ["del", "pexpire", "exists", "pttl", "time", "get", "set"])
async def test_a_user_without_a_right_leaves_no_key_for_ever(command: str, tmp_path: Path) -> None:
    async with redis(tmp_path) as (port, admin):
        await admin.acl_setuser("poor", enabled=True, nopass=True, keys=["*"], commands=["+@all"])
        await admin.acl_setuser("poor", enabled=True, commands=[f"-{command}"])
        address = {"address": f"redis://poor:x@127.0.0.1:{port}"}
        with pytest.raises(Exception, match=r"permission|can't run"):
            await rehearse(Line(create_pool(address)), "site")

        assert await lasting(admin) == []
        assert command == "del" or await admin.keys() == []


@pytest.mark.parametrize("answers", range(5))
async def test_a_line_that_is_cut_in_between_leaves_no_key_for_ever(
    answers: int, tmp_path: Path
) -> None:
    async with redis(tmp_path) as (port, admin):
        with pytest.raises(WireError, match="cut"):
            await rehearse(Cut(port, answers), "site")

        assert await lasting(admin) == []


async def test_an_answer_that_is_late_leaves_no_key(tmp_path: Path) -> None:
    async with redis(tmp_path) as (port, admin):
        with pytest.raises(asyncio.TimeoutError):
            await rehearse(Slow(port), "site", within=0.5)

        assert await admin.keys() == []
