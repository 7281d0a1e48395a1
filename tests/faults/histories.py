"""A stage whose site has a key for history, and a page that asks for candles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from django.core.cache.backends.redis import RedisCacheClient

from django_fcs.candles.ledger import Account
from django_fcs.rooms import Room
from tests.faults.stage import KEY, Stage
from tests.support.candles import ask, names, pages
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.wire import Viewer, browser_socket

__all__ = ["REST_KEY", "ROOMS", "Chart", "HistoryStage"]

#: Where this is searched for, the other key is found, too.
REST_KEY = f"{KEY}-for-history"

#: Their market never closes.
ROOMS = tuple(Room(f"BINANCE:{coin}USDT", "1") for coin in ("BTC", "ETH", "SOL", "XRP"))

#: How many candles a chart shows: one credit.
SHOWN = 50

MINUTE = 60


class Chart:
    """A page that shows the candles of one room, and merges all that it is sent."""

    def __init__(self, viewer: Viewer, room: Room) -> None:
        self._viewer = viewer
        self._room = room

    @property
    def pages(self) -> list[dict[str, Any]]:
        """The messages with candles, in the order in which they came."""
        return pages(self._viewer, self._room)

    @property
    def last(self) -> dict[str, Any]:
        return self.pages[-1]

    @property
    def times(self) -> list[int]:
        """When its candles open, ascending."""
        return sorted({row[0] for page in self.pages for row in page["candles"]})

    @property
    def is_whole(self) -> bool:
        """Whether none is missing among its newest candles, as many as it shows."""
        shown = self.times[-SHOWN:]
        gaps = {later - earlier for earlier, later in pairwise(shown)}
        return len(shown) == SHOWN and gaps == {MINUTE}

    async def begin(self) -> None:
        """Ask for candles."""
        await ask(self._viewer, self._room, limit=SHOWN)

    async def ask(self) -> dict[str, Any]:
        """Ask for candles, and return the answer."""
        known = len(self.pages)
        await self.begin()
        await self._viewer.until(lambda _: len(self.pages) > known, within=60)
        return self.pages[known]

    async def until_whole(self) -> None:
        await self._viewer.until(lambda _: self.is_whole, within=60)

    async def until_missing(self) -> None:
        """Ask until candles are known to be missing, and why.

        That they are missing is told before anybody has tried to fetch them.
        """
        await eventually(self._is_told_of_a_hole, within=60)

    async def _is_told_of_a_hole(self) -> bool:
        answer = await self.ask()
        return bool(answer["missing"] and answer["note"])


class HistoryStage(Stage):
    """A stage whose vendor also has history, and knows when it was asked for."""

    def __init__(self, folder: Path, **how: Any) -> None:
        super().__init__(folder, **{"rooms": ROOMS, **how})
        self.keys.add(REST_KEY)

    async def __aenter__(self) -> HistoryStage:
        await super().__aenter__()
        return self

    def _env(self, redis: Proxy | None) -> dict[str, str]:
        plan = {
            "FCS_REST_KEY": REST_KEY,
            "FCS_REST_URL": self.vendor.rest_url,
            "FCS_REST_REQUESTS_PER_MINUTE": "60",
            "FCS_REST_CREDITS_PER_MONTH": str(10**9),
        }
        return {**plan, **super()._env(redis)}

    @property
    def asked(self) -> int:
        """How often history was asked for."""
        return len(self.vendor.asked)

    def account(self) -> Account:
        """Return what the site has written down about its credits."""
        with self._cache() as cache:
            [key] = cache.get_client().scan_iter("*:ledger")
            return msgspec.json.decode(cache.get(key, None), type=Account)

    def flush_cache(self) -> None:
        """Let the site's cache forget everything."""
        with self._cache() as cache:
            cache.clear()

    @contextmanager
    def _cache(self) -> Iterator[RedisCacheClient]:
        client = RedisCacheClient([f"redis://127.0.0.1:{self.redis_port}/1"])
        try:
            yield client
        finally:
            client.get_client().connection_pool.disconnect()

    @asynccontextmanager
    async def chart(self, room: Room = ROOMS[0]) -> AsyncIterator[Chart]:
        """Open a page that joins a room; it has not asked for candles yet."""
        async with browser_socket(self.ports[0], *names(room), merge=True) as viewer:
            yield Chart(viewer, room)
