"""Run a coroutine at once, up to where it would wait.

A send that completes at once then costs no turn of the event loop, and before
Python 3.12 no task.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any

__all__ = ["start"]

if sys.version_info >= (3, 12):
    # Bound once: every price to every browser comes by here.
    _Task, _loop = asyncio.Task, asyncio.get_running_loop

    def start(coroutine: Coroutine[Any, Any, None], context: Context) -> asyncio.Task[None] | None:
        """Run a coroutine in this context until it ends or waits.

        Returns ``None`` where it has ended, else the task that will end it; raises
        what it raised at once. To be called from a task whose own context is
        another one.
        """
        task = _Task(coroutine, loop=_loop(), eager_start=True, context=context)
        if not task.done():
            return task
        task.result()
        return None

else:

    def start(coroutine: Coroutine[Any, Any, None], context: Context) -> asyncio.Task[None] | None:
        """Run a coroutine in this context until it ends or waits.

        Returns ``None`` where it has ended, else the task that will end it; raises
        what it raised at once. To be called from a task whose own context is
        another one; what runs at once takes that task for its own.
        """
        try:
            awaited = context.run(coroutine.send, None)
        except StopIteration:
            return None
        # In the context, so that the task copies it: create_task takes none before 3.11.
        rest = _Rest(coroutine, awaited)
        return context.run(asyncio.get_running_loop().create_task, rest)

    class _Rest(Coroutine[Any, Any, None]):
        """A coroutine that waits already: says once more what for, then goes on.

        Given to a task as it is, it would be resumed at once, its wait not over; behind
        another coroutine, a task cancelled before its first step would not reach it.
        """

        def __init__(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
            self._coroutine = coroutine
            self._first = [awaited]

        def __await__(self) -> Generator[Any, Any, None]:
            return self._coroutine.__await__()

        def send(self, value: Any) -> Any:
            return self._first.pop() if self._first else self._coroutine.send(value)

        def throw(self, *error: Any) -> Any:
            self._first.clear()
            return self._coroutine.throw(*error)

        def close(self) -> None:
            self._coroutine.close()
