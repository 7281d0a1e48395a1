"""What one client of the simulator has yet to be sent."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["QUEUE_MAX", "Outbox"]

#: Frames that wait for one client.
QUEUE_MAX = 1000


class Outbox:
    """The frames that one client has not been sent yet, at most ``QUEUE_MAX``.

    Who has an answer waits for ``room`` first. Of live prices the oldest gives way.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[str, bool]] = deque()
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self.closed = False

    async def room(self) -> None:
        """Wait until there is room for a frame."""
        while len(self._frames) >= QUEUE_MAX and not self.closed:
            self._roomy.clear()
            await self._roomy.wait()

    def append(self, text: str, *, live: bool = False) -> bool:
        """Take a frame; False if one had to give way for it."""
        crowded = live and len(self._frames) >= QUEUE_MAX
        if crowded and not self._drop_oldest():
            return False
        self._frames.append((text, live))
        self._filled.set()
        return not crowded

    async def take(self, most: int) -> list[str]:
        """Wait for frames and return up to so many."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        taken = [self._frames.popleft()[0] for _ in range(min(most, len(self._frames)))]
        self._roomy.set()
        return taken

    def close(self) -> None:
        """Let nobody wait any more."""
        self.closed = True
        self._roomy.set()

    def _drop_oldest(self) -> bool:
        for index, (_, live) in enumerate(self._frames):
            if live:
                del self._frames[index]
                return True
        return False
