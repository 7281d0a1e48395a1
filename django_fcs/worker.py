"""A thread for calls that may hang."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import Full, SimpleQueue
from typing import Any, TypeVar

__all__ = ["JOBS_MAX", "Worker"]

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


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        future, work = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except Exception as error:
                future.set_exception(error)
        del job, future, work  # Else the last of all would be kept while it waits.
