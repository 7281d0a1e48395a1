"""Threads for async calls, in which asgiref runs Django's queries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections

from django_fcs.tools.worker import Worker

__all__ = ["QueryThreads"]

T = TypeVar("T")


class _Thread:
    """An executor for asgiref with one thread, which starts with the first query."""

    def __init__(self) -> None:
        self._worker = Worker("fcs-authorize-queries")
        self.is_used = False

    def submit(self, work: Callable[..., T], *args: Any) -> Any:
        """Run a call in the thread; return the future of its result."""
        self.is_used = True
        return self._worker.submit(partial(work, *args))


class _Place:
    """One thread, and the context in which asgiref uses it."""

    def __init__(self) -> None:
        self.thread = _Thread()
        self.context = ThreadSensitiveContext()
        # Without this name, asgiref uses a thread of its own, which Python waits for at exit.
        executors = getattr(SyncToAsync, "context_to_thread_executor", None)
        if executors is not None:
            executors[self.context] = self.thread


class QueryThreads:
    """Up to ``size`` threads. Each async call has one of its own for its queries while it runs.

    By itself, asgiref runs the queries of all calls and handshakes one after the other in one
    thread. A call that ends in the middle of a query keeps its thread until the query ends.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._free = [_Place() for _ in range(size)]
        self._freeing: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a call, which has to be the last that the current task makes.

        Raises ``RuntimeError`` if no thread is free, and what the call raises.
        """
        place = self._taken()
        try:
            # Never left: asgiref would wait there for the end of a query.
            await place.context.__aenter__()  # type: ignore[no-untyped-call]
            if place.thread.is_used:
                await _close_old_connections()
            return await work()
        finally:
            self._free_after_queries(place)

    def _taken(self) -> _Place:
        try:
            # The one that was used last, so that no more threads start than calls run at once.
            return self._free.pop()
        except IndexError:
            raise RuntimeError(f"queries of {self._size} calls have not ended") from None

    def _free_after_queries(self, place: _Place) -> None:
        if not place.thread.is_used:
            self._free.append(place)
            return

        def freed(task: asyncio.Future[Any]) -> None:
            self._freeing.discard(task)
            self._free.append(place)
            if not task.cancelled():
                task.exception()  # Otherwise asyncio logs that nobody has read it.

        task = asyncio.ensure_future(_close_old_connections())
        self._freeing.add(task)
        task.add_done_callback(freed)


async def _close_old_connections() -> None:
    await sync_to_async(close_old_connections)()
