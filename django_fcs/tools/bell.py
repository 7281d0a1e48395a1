"""Wake a task that has something to do now, or at a time."""

from __future__ import annotations

import asyncio
import math

__all__ = ["Bell"]


class Bell:
    """Rung by callbacks and other tasks, heard by the one task that waits for it.

    What rings while that task is at work is heard as soon as it waits again.
    """

    def __init__(self) -> None:
        self._has_rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the task, or let it not sleep the next time."""
        if not self._has_rung:
            self._has_rung = True
            self._wake()

    def clear(self) -> None:
        """Forget that it has rung: what it rang for has been seen."""
        self._has_rung = False

    async def heard(self, seconds: float = math.inf) -> bool:
        """Return True once it has rung, or False after so many seconds."""
        if not self._has_rung:
            await self._rest(seconds)
        has_rung, self._has_rung = self._has_rung, False
        return has_rung

    async def _rest(self, seconds: float) -> None:
        # No asyncio.wait_for: before Python 3.12 it costs a task, and can lose a
        # cancellation: https://github.com/python/cpython/issues/86296
        assert self._waiter is None, "one task listens"
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None if math.isinf(seconds) else loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
