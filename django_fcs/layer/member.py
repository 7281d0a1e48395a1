"""A member of any channel layer, and the limits that all members share."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from redis.exceptions import TimeoutError as RedisTimeoutError

from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.redaction import reason_of
from django_fcs.tools.tasks import end, limited

from .inbox import Inbox

__all__ = ["CALL_SECONDS", "INBOX_MAX", "LayerMember", "LayerMessage", "drop_malformed"]

logger = logger_of(__name__)

#: The time limit of one call, in seconds. A healthy layer needs milliseconds.
CALL_SECONDS = 5

#: The time limit of each call while a member is closed, in seconds.
CLOSE_SECONDS = 0.5

#: Received messages that may wait here. Further ones wait in the layer.
INBOX_MAX = 1000

R = TypeVar("R")
LayerMessage = dict[str, Any]


class LayerMember:
    """A channel in groups, like that of any consumer."""

    def __init__(self, layer: Any, *, is_own: bool, call_seconds: float) -> None:
        self._layer = layer
        self._call_seconds = call_seconds
        self._is_own = is_own
        self._channel = ""
        self._groups: set[str] = set()
        self._inbox: Inbox[LayerMessage] = Inbox(INBOX_MAX)
        self._receiving: asyncio.Future[None] | None = None

    @property
    def forgets_after(self) -> float:
        """After how many seconds the layer drops a member of a group."""
        seconds: float = getattr(self._layer, "group_expiry", math.inf)
        return seconds

    async def change(self, joining: set[str], leaving: set[str]) -> None:
        if not self._channel:
            self._channel = await self._limited(self._layer.new_channel())
        for group in joining:
            await self._limited(self._layer.group_add(group, self._channel))
            self._groups.add(group)
        for group in leaving:
            await self._limited(self._layer.group_discard(group, self._channel))
            self._groups.discard(group)

    async def send(self, messages: Iterable[tuple[str, LayerMessage]]) -> None:
        # One at a time: of concurrent calls the in-memory layer drops those over its capacity.
        for group, message in messages:
            await self._limited(self._layer.group_send(group, message))

    async def _limited(self, call: Awaitable[R]) -> R:
        return await limited(call, self._call_seconds)

    async def receive(self) -> Sequence[LayerMessage | bytes]:
        """Wait for messages; those of type ``bytes`` are still packed with msgpack."""
        if self._receiving is None:
            self._receiving = asyncio.ensure_future(self._receive())
        return await self._inbox.take()

    async def _receive(self) -> None:
        """Move messages from the layer to the inbox, without a turn of the loop for each."""
        try:
            while True:
                # redis-py 8 ends an idle read of the core layer after 5 s.
                with suppress(RedisTimeoutError):
                    # No time limit: the pub/sub layer deletes a channel whose read is cancelled.
                    await self._inbox.put([await self._layer.receive(self._channel)])
        except Exception as error:
            self._inbox.fail(error)

    async def close(self) -> None:
        if self._receiving is not None:
            await end(self._receiving)
        try:
            for group in self._groups:
                leaving = self._layer.group_discard(group, self._channel)
                await limited(leaving, CLOSE_SECONDS)
        except Exception as failure:
            logger.warning("cannot close the channel layer cleanly reason=%s", reason_of(failure))
        # ``flush`` of the core layer would delete the channels of the site too.
        if self._is_own and hasattr(self._layer, "close_pools"):
            try:
                await limited(self._layer.close_pools(), CLOSE_SECONDS)
            except Exception as failure:
                logger.warning(
                    "cannot close the channel layer cleanly reason=%s", reason_of(failure)
                )


def drop_malformed(error: Exception) -> None:
    """Count a malformed message, and log it now and then."""
    if count("layer_malformed"):
        logger.warning("malformed group message dropped reason=%r", error)
