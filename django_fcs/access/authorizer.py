"""``FCS_AUTHORIZE``, the site's own function: how it is called, and what its answer means."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from django.db import close_old_connections
from django.utils.module_loading import import_string

from django_fcs.conf import conf
from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.worker import Workers

from .clients import fresh_scope
from .threads import QueryThreads

__all__ = ["Answer", "Authorizer"]

logger = logger_of(__name__)

T = TypeVar("T")

#: How many calls run at the same time, in one event loop; the others wait in order.
CALLS_AT_ONCE = 16

#: How many async calls may still run after their time, because they do not end when cancelled.
LATE_MAX = 64

#: How many threads a process may have for functions that are not async, and how many for the
#: queries of async ones. More than ``CALLS_AT_ONCE``, because a call or a query that took too
#: long keeps its thread until it ends.
THREADS_MAX = 64

# Not the thread of Channels and its ORM, which every handshake with a session needs.
_workers = Workers("fcs-authorize", size=THREADS_MAX)
_threads = QueryThreads(size=THREADS_MAX)


class Answer(Enum):
    """What the site's function said."""

    YES = "yes"
    NO = "no"
    NONE = "none"
    """It did not answer in time, or it raised an exception."""


class Authorizer:
    """Calls ``FCS_AUTHORIZE`` in one event loop. Calls that fail are logged; they raise nothing."""

    def __init__(
        self,
        *,
        at_once: int = CALLS_AT_ONCE,
        workers: Workers = _workers,
        threads: QueryThreads = _threads,
    ) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._workers = workers
        self._threads = threads
        self._late: set[asyncio.Future[Any]] = set()

    async def ask(self, scope: Mapping[str, Any], room: Room) -> Answer:
        """Return the site's answer for a room; ``YES`` if it has no such function."""
        path = conf.FCS_AUTHORIZE
        if path is None:
            return Answer.YES
        call = partial(self._call, path, scope, room)
        answer = await self._in_time(call, Answer.NONE, "FCS_AUTHORIZE", room)
        if isinstance(answer, Answer):
            return answer
        if answer is not True and answer is not False and count("authorize_failures"):
            text = "FCS_AUTHORIZE must return True or False, join refused path=%s type=%s"
            logger.error(text, path, type(answer).__name__)
        return Answer.YES if answer is True else Answer.NO

    async def refreshed(self, scope: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the scope with its session and user as they are now, ``None`` if that failed."""
        what = "reading the session for FCS_AUTHORIZE"
        call = partial(self._threads.run, partial(fresh_scope, scope))
        return await self._in_time(call, None, what)

    async def _in_time(
        self, work: Callable[[], Awaitable[Any]], otherwise: T, what: str, room: Room | None = None
    ) -> Any | T:
        """Return the result of a call; ``otherwise`` if it fails or takes too long."""
        async with self._slots:
            task = asyncio.ensure_future(self._unless_late(work))
            try:
                await asyncio.wait([task], timeout=conf.FCS_AUTHORIZE_TIMEOUT_SECONDS)
                return task.result() if _has_answered(task, what, room) else otherwise
            finally:
                self._cancel(task)

    async def _unless_late(self, work: Callable[[], Awaitable[T]]) -> T:
        if len(self._late) >= LATE_MAX:
            raise RuntimeError(f"{LATE_MAX} calls have not ended")
        try:
            return await work()
        except SystemExit as error:  # It would end the event loop.
            raise RuntimeError("the call raised SystemExit") from error

    def _cancel(self, task: asyncio.Future[Any]) -> None:
        """Cancel a call without waiting for it: it may catch the cancellation and go on."""
        if not task.done():
            self._late.add(task)
            task.add_done_callback(self._forget)
            task.cancel()

    def _forget(self, task: asyncio.Future[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # Otherwise asyncio logs that nobody has read it.

    async def _call(self, path: str, scope: Mapping[str, Any], room: Room) -> object:
        authorize = import_string(path)
        if inspect.iscoroutinefunction(authorize):
            return await self._threads.run(partial(authorize, scope, room))
        call = partial(copy_context().run, _with_database, partial(authorize, scope, room))
        answer = await asyncio.wrap_future(self._workers.submit(call))
        # A decorator may hide that a function is async.
        return await answer if inspect.isawaitable(answer) else answer


def _has_answered(task: asyncio.Future[Any], what: str, room: Room | None) -> bool:
    path = conf.FCS_AUTHORIZE
    if not task.done():
        if count("authorize_timeouts"):
            seconds = conf.FCS_AUTHORIZE_TIMEOUT_SECONDS
            logger.error("%s took more than %g s path=%s room=%s", what, seconds, path, room)
        return False
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is not None and count("authorize_failures"):
        logger.error("%s failed path=%s room=%s", what, path, room, exc_info=error)
    return error is None


def _with_database(call: Callable[[], T]) -> T:
    """Make a call that may use the database, in a thread that lives for many calls."""
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()
