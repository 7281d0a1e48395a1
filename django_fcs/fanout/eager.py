"""Run a coroutine at once, up to the point where it would wait.

A coroutine that does not wait then costs no turn of the event loop, and usually no
task either.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any

__all__ = ["start"]


def start(
    coroutine: Coroutine[Any, Any, None], context: Context | None = None
) -> asyncio.Task[None] | None:
    """Run a coroutine until it ends or waits.

    Returns ``None`` if it has ended, else the task that runs the rest of it. Raises
    what it raised before it waited. Call this from a task.

    Without ``context``, the part that runs at once sees the context and the task of the
    caller. That is fastest, but right only for code that uses neither. With ``context``,
    which must not be the caller's own, it sees that context and, from Python 3.12 on, a
    task of its own.
    """
    if context is not None:
        return _start_in(context, coroutine)
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.get_running_loop().create_task(_Rest(coroutine, awaited))


if sys.version_info >= (3, 12):

    def _start_in(
        context: Context, coroutine: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None] | None:
        loop = asyncio.get_running_loop()
        task = asyncio.Task(coroutine, loop=loop, eager_start=True, context=context)
        if not task.done():
            return task
        task.result()
        return None

else:

    def _start_in(
        context: Context, coroutine: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None] | None:
        # Run in the context, the task copies it: create_task takes no context before 3.11.
        return context.run(start, coroutine)


class _Rest(Coroutine[Any, Any, None]):
    """The rest of a coroutine that is waiting: repeats what it waits for, then continues.

    A task that was given the coroutine itself would resume it before its wait is over.
    If another coroutine wrapped it, a task cancelled before its first step would not
    cancel it.
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
