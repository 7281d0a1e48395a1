"""The queue of frames for one client of the simulator."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["QUEUE_MAX", "Outbox"]

#: Frames that may wait for one client.
QUEUE_MAX = 1000


class Outbox:
    """The frames that wait to be sent to one client, at most ``QUEUE_MAX``.

    If it is full, a live price replaces the oldest live price. An answer waits for space, and
    no further message of the client is read until then.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[str, bool]] = deque()
        self._filled = asyncio.Event()
        self._has_space = asyncio.Event()
        self.closed = False

    async def wait_for_space(self) -> None:
        """Wait until there is space for a frame."""
        while len(self._frames) >= QUEUE_MAX and not self.closed:
            self._has_space.clear()
            await self._has_space.wait()

    def append(self, text: str, *, live: bool = False) -> bool:
        """Append a frame; return False if a price was dropped, an old one or this one."""
        crowded = live and len(self._frames) >= QUEUE_MAX
        if crowded and not self._drop_oldest():
            return False
        self._frames.append((text, live))
        self._filled.set()
        return not crowded

    async def take(self, most: int) -> list[str]:
        """Wait for frames; return at most ``most``."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        taken = [self._frames.popleft()[0] for _ in range(min(most, len(self._frames)))]
        self._has_space.set()
        return taken

    def close(self) -> None:
        """Wake all tasks that wait for space."""
        self.closed = True
        self._has_space.set()

    def _drop_oldest(self) -> bool:
        for index, (_, live) in enumerate(self._frames):
            if live:
                del self._frames[index]
                return True
        return False
