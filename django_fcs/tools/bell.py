"""Wake a waiting task, at once or after a time."""

from __future__ import annotations

import asyncio
import math

__all__ = ["Bell"]


class Bell:
    """A signal from callbacks and other tasks to the only task that waits for it.

    If it rings while that task is busy, the task wakes as soon as it waits again.
    """

    def __init__(self) -> None:
        self._has_rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the task, or make its next wait return at once."""
        if not self._has_rung:
            self._has_rung = True
            self._wake()

    def clear(self) -> None:
        """Forget that it has rung, because the task has already seen the cause."""
        self._has_rung = False

    async def heard(self, seconds: float = math.inf) -> bool:
        """Wait until it rings and return True, or return False after ``seconds``."""
        if not self._has_rung:
            await self._rest(seconds)
        has_rung, self._has_rung = self._has_rung, False
        return has_rung

    async def _rest(self, seconds: float) -> None:
        # Before Python 3.12, asyncio.wait_for creates a task and can lose a
        # cancellation: https://github.com/python/cpython/issues/86296
        assert self._waiter is None, "only one task may wait"
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
