"""A channel layer as those over Redis are, without Redis, and as sick as a test likes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar

from channels.layers import InMemoryChannelLayer

SHARED = {"default": {"BACKEND": "tests.support.layers.SharedLayer"}}


class SharedLayer:
    """Instances of their own, like connections, with one place behind them all."""

    behind: ClassVar[InMemoryChannelLayer]
    made: ClassVar[list[SharedLayer]]
    failures: ClassVar[dict[str, Exception]]
    """What every call of this name raises; a ``TimeoutError`` hangs instead."""

    @classmethod
    def reset(cls) -> None:
        cls.behind, cls.made, cls.failures = InMemoryChannelLayer(), [], {}

    def __init__(self) -> None:
        self.closed = False
        self.made.append(self)

    async def new_channel(self) -> str:
        name: str = await self._call("new_channel", self.behind.new_channel())
        return name

    async def receive(self, channel: str) -> dict[str, Any]:
        message: dict[str, Any] = await self._call("receive", self.behind.receive(channel))
        return message

    async def group_add(self, group: str, channel: str) -> None:
        await self._call("group_add", self.behind.group_add(group, channel))

    async def group_discard(self, group: str, channel: str) -> None:
        await self._call("group_discard", self.behind.group_discard(group, channel))

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._call("group_send", self.behind.group_send(group, message))

    async def close_pools(self) -> None:
        self.closed = True
        if "close_pools" in self.failures:
            raise self.failures["close_pools"]

    async def _call(self, name: str, call: Coroutine[Any, Any, Any]) -> Any:
        failure = self.failures.get(name)
        if failure is None:
            return await call
        call.close()
        await asyncio.sleep(0)  # No network fails before it was asked.
        if isinstance(failure, asyncio.TimeoutError):
            await asyncio.Event().wait()
        raise failure


SharedLayer.reset()
