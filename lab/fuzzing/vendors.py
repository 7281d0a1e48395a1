"""The target for the vendor's socket: bytes, starting with the answer to the handshake.

An input is one connection of ``UpstreamClient``: an HTTP answer, then frames that are
whole, fragmented, masked, too long or invalid. They contain prices, parts of prices and
other messages in any order, cut anywhere, and the connection ends in any way. The same
client reads all inputs, to show that a connection leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from random import Random
from typing import Any

from django_fcs.exceptions import KeyRefused
from django_fcs.upstream import Arrival, Status, UpstreamClient
from django_fcs.upstream.arrivals import Event
from django_fcs.upstream.connection import SIZE_MAX, WAITING_MAX

from . import frames
from .line import Line
from .world import World

__all__ = ["Vendors"]

_KEY = "a-key-that-nobody-may-tell"
_ROOMS_MAX = 12
_TASKS_MAX = 4

#: The longest time of a connection, in seconds of the loop: the client's longest pause, its
#: timeout for a silent vendor, and the pauses of the input.
_SECONDS_MAX = 3000

#: Bytes that a client may send on one connection: joins, pings and pongs.
_SAID_MAX = 200_000


class Vendors:
    """A client, which makes the connections of one input after the other."""

    def __enter__(self) -> Vendors:
        self._world = _Network(_TASKS_MAX)
        self._client = self._new_client(give_up=False)
        self._batches = self._client.batches()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # After a failure it may fail again.
            self._world.run_until_complete(self._batches.aclose())
        self._world.end()

    @staticmethod
    def draw(random: Random) -> dict[str, Any]:
        """Draw one input: wanted rooms, and the vendor's side of a connection."""
        return frames.connection(random)

    def feed(self, case: dict[str, Any]) -> None:
        """Run the client through a connection; raises an error if something went wrong."""
        self._world.case = case
        self._world.lines.clear()
        client = self._new_client(give_up=True) if case["fresh"] else self._client
        texts = self._world.live(self._own(client, case) if case["fresh"] else self._live(case))
        self._assert_all_is_well(client, case, texts)

    async def _live(self, case: dict[str, Any]) -> list[str]:
        self._client.want(case["rooms"])
        began = self._world.time()
        texts = await _texts_until_lost(self._batches)
        assert self._world.time() - began <= _SECONDS_MAX, "the connection took too long"
        return texts

    async def _own(self, client: UpstreamClient, case: dict[str, Any]) -> list[str]:
        """Do the same with a new client, which was never welcomed and may be refused."""
        client.want(case["rooms"])
        with suppress(KeyRefused):
            async with client:
                return await _texts_until_lost(client.batches())
        return []

    def _new_client(self, *, give_up: bool) -> UpstreamClient:
        return UpstreamClient(
            _KEY,
            url="ws://vendor.example/ws",
            give_up_on_refusal=give_up,
            clock=self._world.time,
            monotonic=self._world.time,
            rng=Random(1),
        )

    def _assert_all_is_well(
        self, client: UpstreamClient, case: dict[str, Any], texts: list[str]
    ) -> None:
        for line in self._world.lines:
            assert line.is_lost, "a connection is still open"
            assert line.written <= _SAID_MAX, f"{line.written} bytes were sent"
            line.assert_bounds(SIZE_MAX, WAITING_MAX)
        asked = client._subscriptions
        assert asked.joined <= asked.wanted
        for waiting in (asked._asked, asked._unasked, asked._leaving):
            assert len(waiting) <= 2 * _ROOMS_MAX
        assert not any(_KEY in text for text in texts), "a text contains the key"
        if case["texts"] is not None:
            assert texts == case["texts"], f"received {texts}, expected {case['texts']}"


async def _texts_until_lost(batches: AsyncGenerator[list[Event], None]) -> list[str]:
    """Iterate over a client until its connection ends; return the texts received."""
    texts: list[str] = []
    async for batch in batches:
        texts += [event.text for event in batch if isinstance(event, Arrival)]
        if any(isinstance(event, Status) and not event.online for event in batch):
            break
    # The loop calls connection_lost in its next iteration.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return texts


class _Network(World):
    """A loop in which each connection leads to the vendor of the current input."""

    case: dict[str, Any]

    def __init__(self, tasks_max: int) -> None:
        super().__init__(tasks_max)
        self.lines: list[Line] = []

    async def create_connection(  # type: ignore[override]
        self, factory: Any, host: str, port: int, **_: Any
    ) -> tuple[Line, Any]:
        host.encode("idna")  # The real resolver does the same.
        if self.case["end"] == "refused":
            raise ConnectionRefusedError(111, "Connection refused")
        protocol = factory()
        line = Line(self, protocol, self.case)
        self.lines.append(line)
        protocol.connection_made(line)
        return line, protocol
