"""The server's side of one browser, for the tests of the subscriber."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from django_fcs.fanout.ready import ReadyQueue
from django_fcs.fanout.subscriber import Subscriber
from django_fcs.tools.tasks import running
from tests.support.waiting import eventually


class Socket:
    """The server's side of a browser that reads, or for a while does not."""

    one: Subscriber

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self._reads = asyncio.Event()
        self._reads.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self._reads.wait()
        self.sent.append(message)

    def stall(self) -> None:
        self._reads.clear()

    def read(self) -> None:
        self._reads.set()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if "text" in message]

    @property
    def pings(self) -> int:
        return sum(text.strip("[").startswith('{"type":"ping"') for text in self.texts)

    @property
    def closes(self) -> list[int]:
        return [message["code"] for message in self.sent if "code" in message]

    async def opened(self) -> None:
        await eventually(lambda: self.one.is_open)

    async def passes(self) -> None:
        """Let all that is ready to happen happen."""
        for _ in range(10):
            await asyncio.sleep(0)


@asynccontextmanager
async def browser(
    *, merge: bool = False, must_answer: bool = False, send: Callable[..., Any] | None = None
) -> AsyncIterator[tuple[Socket, Subscriber]]:
    """A browser, and anyone who flushes it when it should be."""

    async def deliver() -> None:
        while True:
            for one in ready.take():
                one.flush()
            await ready.wait(math.inf)

    socket = Socket()
    ready: ReadyQueue[Subscriber] = ReadyQueue()
    async with (
        running(deliver()),
        Subscriber(
            send or socket.send,
            ready,
            merge=merge,
            must_answer=must_answer,
            clock=lambda: 1000.5,
        ) as socket.one,
    ):
        yield socket, socket.one
