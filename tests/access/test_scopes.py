"""The scope of a socket: when session and user are read again, and what counts as fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from django_fcs.access.authorizer import Authorizer
from django_fcs.access.scopes import SocketScope
from tests.support import virtual_time


class Sessions(Authorizer):
    """Sessions that take a second to read."""

    def __init__(self) -> None:
        super().__init__()
        self.user: str | None = "Ada"
        self.readings = 0

    async def refreshed(self, scope: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self.readings += 1
        user = self.user
        await asyncio.sleep(1)
        return None if user is None else {**scope, "user": user}


def test_a_reading_that_began_before_it_was_wanted_does_not_count() -> None:
    async def main() -> None:
        sessions = Sessions()
        scope = SocketScope({}, sessions, monotonic=asyncio.get_running_loop().time)
        scope.expire()
        join = asyncio.ensure_future(scope.current())
        await asyncio.sleep(0.5)
        sessions.user = "nobody"
        scope.expire()

        assert await scope.current() == {"user": "nobody"}
        assert await join == {"user": "Ada"}

    virtual_time.run(main())


def test_all_that_wait_for_a_reading_share_its_failure() -> None:
    async def main() -> None:
        time = asyncio.get_running_loop().time
        sessions = Sessions()
        sessions.user = None
        scope = SocketScope({}, sessions, monotonic=time)
        scope.expire()
        began = time()

        assert await asyncio.gather(*(scope.current() for _ in range(50))) == [None] * 50
        assert sessions.readings == 1 and time() - began == pytest.approx(1)

        sessions.user = "Ada"
        await asyncio.sleep(0.1)
        assert await scope.current() == {"user": "Ada"}

    virtual_time.run(main())
