"""Threads for calls that may hang."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Full, SimpleQueue
from typing import Any, TypeVar

__all__ = ["JOBS_MAX", "Threads", "Worker"]

#: Calls that wait for one that hangs; more are refused.
JOBS_MAX = 1000

T = TypeVar("T")

_Job = tuple["Future[Any]", Callable[[], Any]]


class Worker:
    """One thread that does what is submitted, in order; it begins with the first call.

    It ends with the process, even in the middle of a call: that of a
    ``ThreadPoolExecutor`` would be waited for, and a process that was asked to stop
    would hang with the cache that does.

    At most ``JOBS_MAX`` calls wait, those included that nobody waits for any more: what is
    cancelled leaves when its turn comes. The future of one more has failed with ``Full``.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Let the thread do it; the future has what comes of it."""
        future: Future[T] = Future()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_work, args=(self._jobs,), name=self._name, daemon=True
                )
                self._thread.start()
                weakref.finalize(self, self._jobs.put, None).atexit = False
            if self._jobs.qsize() < JOBS_MAX:
                self._jobs.put((future, work))
                return future
        future.set_exception(Full(f"{JOBS_MAX:,} calls wait for one that hangs"))
        return future


class Threads(ThreadPoolExecutor):
    """A thread a call, for the default executor of a loop: its end waits for none of them.

    There asyncio looks up names, and a resolver that does not answer would keep a process
    that was asked to stop for as long as it is asked itself. Who calls bounds the threads.
    """

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Let a thread of its own do it; the future has what comes of it."""
        future: Future[T] = Future()
        job = partial(_do, future, partial(work, *args, **kwargs))
        threading.Thread(target=job, name="fcs-call", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nobody."""


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        _do(*job)
        del job  # Else the last of all would be kept while it waits.


def _do(future: Future[T], work: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
            del future  # It would hold the error, whose traceback holds this frame.
