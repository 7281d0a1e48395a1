"""One browser: what it has not been sent yet, and the task that sends it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from types import TracebackType
from typing import Any

from .mailbox import Mailbox
from .messages import Ping
from .protocol import serialise
from .rooms import Room
from .tasks import end
from .updates import Update

__all__ = ["Subscriber"]

logger = logging.getLogger(__name__)

#: Replies that may wait for a browser before its own frames are left unread.
REPLIES_MAX = 64

#: A silent socket is pinged, in seconds: proxies cut what says nothing for a minute.
PING_SECONDS = 25


class Subscriber:
    """What goes to one browser, in order and bounded, whatever the browser does.

    Waiting texts: at most ``REPLIES_MAX`` replies (beyond that its consumer waits,
    and so does the browser), two prices a room (``Mailbox``), and the newest profile
    and state of a room. On the merge protocol (``merge=True``) prices wait for their
    turn, at most ``rate`` frames a second, the first of them at once, and each frame
    is an array of messages.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], Awaitable[None]],
        *,
        merge: bool,
        rate: float,
        address: str = "",
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.joined: dict[tuple[Room, str], None] = {}
        """Rooms joined, each as spelled by the browser; its hub keeps them."""
        self.address = address
        self.merge = merge
        self.rate = rate
        self._send = send
        self._monotonic = monotonic
        self._clock = clock
        self._mailbox: Mailbox[Hashable] = Mailbox()
        self._replies: deque[str] = deque()
        self._profiles: dict[Hashable, str] = {}
        self._states: dict[Hashable, str] = {}
        self._closing: dict[str, Any] | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._sent_at = monotonic()
        self._prices_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Subscriber:
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            await end(self._task)

    async def reply(self, text: str) -> None:
        """Answer the browser; waits while too many answers wait for it already."""
        if self._closing is not None:
            return
        self._replies.append(text)
        self._wake.set()
        while len(self._replies) >= REPLIES_MAX and self._closing is None:
            self._drained.clear()
            await self._drained.wait()

    def describe(self, key: Hashable, text: str) -> None:
        """Send a room's profile, ahead of any price."""
        self._profiles[key] = text
        self._wake.set()

    def offer(self, key: Hashable, update: Update) -> None:
        """Send a price, or a newer one in its place."""
        self._mailbox.put(key, update)
        self._wake.set()

    def tell(self, key: Hashable, text: str) -> None:
        """Send a state or beat, behind all prices, or a newer one in its place."""
        self._states[key] = text
        self._wake.set()

    def forget(self, key: Hashable) -> None:
        """Drop what waits of a room that the browser has left."""
        self._mailbox.forget(key)
        self._profiles.pop(key, None)
        self._states.pop(key, None)

    def close(self, code: int, reason: str) -> None:
        """Close the socket behind the replies that wait."""
        self._closing = {"type": "websocket.close", "code": code, "reason": reason}
        self._wake.set()

    async def _write(self) -> None:
        try:
            while self._closing is None:
                await self._until_something_is_due()
                await self._send_all()
            await self._send_all()
            await self._send(self._closing)
        except (OSError, RuntimeError) as error:
            # The server knows that the socket is gone before the consumer does.
            logger.debug("socket gone reason=%r", error)
        except Exception:
            logger.exception("sending to a browser failed")
            await self._send({"type": "websocket.close", "code": 1011})
        finally:
            self._closing = self._closing or {}
            self._drained.set()

    async def _until_something_is_due(self) -> None:
        while not (self._replies or self._closing or self._prices_are_due()):
            self._wake.clear()
            wake_at = self._sent_at + PING_SECONDS
            if self._has_prices():
                wake_at = min(wake_at, self._prices_at + 1 / self.rate)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0, wake_at - self._monotonic()))
            if self._monotonic() >= self._sent_at + PING_SECONDS:
                self._replies.append(serialise(Ping(timestamp=int(self._clock() * 1000))))

    def _has_prices(self) -> bool:
        return bool(self._mailbox or self._profiles or self._states)

    def _prices_are_due(self) -> bool:
        if not self._has_prices():
            return False
        return not self.merge or self._monotonic() >= self._prices_at + 1 / self.rate

    async def _send_all(self) -> None:
        texts = list(self._replies)
        self._replies.clear()
        self._drained.set()
        if self._prices_are_due():
            texts += self._take_prices()
            self._prices_at = self._monotonic()
        if self.merge and texts:
            texts = [f"[{','.join(texts)}]"]
        for text in texts:
            await self._send({"type": "websocket.send", "text": text})
        self._sent_at = self._monotonic()

    def _take_prices(self) -> list[str]:
        prices = [update.text for _, update in self._mailbox.take()]
        texts = [*self._profiles.values(), *prices, *self._states.values()]
        self._profiles.clear()
        self._states.clear()
        return texts
