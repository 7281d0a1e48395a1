"""Run coroutines concurrently, so that each one ends with its owner and no error is lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
)
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, TypeVar

__all__ = ["each", "end", "limited", "running", "together"]

T = TypeVar("T")
R = TypeVar("R")


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
            # A library may lose a cancellation, as ``asyncio.wait_for`` does: see ``limited``.
            _, pending = await asyncio.wait(pending, timeout=1)
        except asyncio.CancelledError as error:
            interruption = error
    for task in tasks:
        if not task.cancelled():
            task.exception()
    if interruption is not None:
        raise interruption


if sys.version_info >= (3, 12):
    limited = asyncio.wait_for
else:

    async def limited(call: Awaitable[R], seconds: float) -> R:
        """Return what the call returns, or raise ``asyncio.TimeoutError`` and cancel it.

        Before Python 3.12, ``asyncio.wait_for`` loses a cancellation that comes when the call
        has just ended: https://github.com/python/cpython/issues/86296
        """
        task = asyncio.ensure_future(call)
        try:
            done, _ = await asyncio.wait((task,), timeout=seconds)
        except asyncio.CancelledError:
            await end(task)
            raise
        if not done:
            await end(task)
            raise asyncio.TimeoutError
        return task.result()


async def each(
    things: Iterable[T], work: Callable[[T], Awaitable[R]], *, at_once: int
) -> AsyncGenerator[tuple[T, R], None]:
    """Run ``work`` for each thing, ``at_once`` at a time; yield results as they come."""
    left, calls = iter(things), dict[asyncio.Future[R], T]()
    try:
        while True:
            for thing in islice(left, at_once - len(calls)):
                calls[asyncio.ensure_future(work(thing))] = thing
            if not calls:
                return
            done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            for call in done:
                yield calls.pop(call), call.result()
    finally:
        await end(*calls)
