"""Run a coroutine at once, up to where it would wait.

A coroutine that ends at once then costs no turn of the event loop, and mostly no
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

    Returns ``None`` where it has ended, else the task that will end it; raises what
    it raised at once. To be called from a task.

    Without ``context`` what runs at once finds context and task of the caller. That is
    the fastest, and right only for code that looks at neither. With one, which must
    not be the caller's own, it finds that context and, from Python 3.12 on, a task of
    its own.
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
        # In the context, so that the task copies it: create_task takes none before 3.11.
        return context.run(start, coroutine)


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
