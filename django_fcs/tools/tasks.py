"""Run coroutines side by side so that none outlives or hides another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["end", "running", "together"]


async def together(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Run all until the first ends or fails, then cancel the others.

    Raises what the first that failed raised. ``asyncio.TaskGroup`` has other
    rules (it waits for all) and needs Python 3.11.
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
    """Run one beside the body, and end it with the body; its failure is raised."""
    task = asyncio.ensure_future(coroutine)
    try:
        yield
    finally:
        await end(task)
    if not task.cancelled():
        task.result()


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait until they are done, whatever they end with.

    Cancelled itself, it still sees them out first: no task outlives who runs it.
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
