"""Run coroutines concurrently, so that each one ends with its owner and no error is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["end", "running", "together"]


async def together(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Run all until the first ends or fails, then cancel the others.

    Raises the error of the first that failed. ``asyncio.TaskGroup`` waits for all instead,
    and needs Python 3.11.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in done:
        task.result()


@asynccontextmanager
async def running(coroutine: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine during the ``with`` block and cancel it at the end; raises its error."""
    task = asyncio.ensure_future(coroutine)
    try:
        yield
    finally:
        await end(task)
    if not task.cancelled():
        task.result()


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait until they are done; their errors are ignored.

    If it is cancelled itself, it still waits for all tasks first, so that no task outlives
    its owner.
    """
    pending = set(tasks)
    interruption: asyncio.CancelledError | None = None
    while pending:
        for task in pending:
            task.cancel()
        try:
            # asyncio.wait_for can lose a cancellation before Python 3.12, hence the
            # limit: https://github.com/python/cpython/issues/86296
            _, pending = await asyncio.wait(pending, timeout=1)
        except asyncio.CancelledError as error:
            interruption = error
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if interruption is not None:
        raise interruption
