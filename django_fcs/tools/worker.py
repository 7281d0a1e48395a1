"""Threads for calls that may hang."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Full, SimpleQueue
from typing import Any, TypeVar

__all__ = ["JOBS_MAX", "Threads", "Worker", "Workers"]

#: Calls that may wait; further calls are refused.
JOBS_MAX = 1000

T = TypeVar("T")

_Job = tuple["Future[Any]", Callable[[], Any]]

#: They would end the thread of a call, and then the event loop that waits for its result.
_ENDINGS = (SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)


class Worker:
    """One thread that runs submitted calls in order; it starts with the first call.

    The thread ends with the process, even in the middle of a call. Python waits for the
    threads of a ``ThreadPoolExecutor`` at exit, so a cache that hangs would keep the process
    from stopping.

    At most ``jobs_max`` calls wait. Cancelled calls count until their turn comes. The future
    of any further call fails with ``Full``.
    """

    def __init__(self, name: str, *, jobs_max: int = JOBS_MAX) -> None:
        self._name = name
        self._jobs_max = jobs_max
        self._of_process: dict[int, _OwnThread] = {}
        """By process id: after a fork, the thread does not run, and its lock may be held for ever.

        ``os.register_at_fork`` would not do: uWSGI forks without it.
        """

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Run a call in the thread; return the future of its result."""
        thread = self._of_process.get(os.getpid())
        if thread is None:
            # One step, so that two first calls get the same thread.
            own = _OwnThread(self._name, self._jobs_max)
            thread = self._of_process.setdefault(os.getpid(), own)
        return thread.submit(work)


class _OwnThread:
    """The thread of a ``Worker`` in one process."""

    def __init__(self, name: str, jobs_max: int) -> None:
        self._name = name
        self._jobs_max = jobs_max
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_work, args=(self._jobs,), name=self._name, daemon=True
                )
                self._thread.start()
                weakref.finalize(self, self._jobs.put, None).atexit = False
            if self._jobs.qsize() < self._jobs_max:
                self._jobs.put((future, work))
                return future
        future.set_exception(Full(f"{self._jobs_max:,} calls are waiting: a call hangs"))
        return future


class Workers:
    """Up to ``size`` workers; each call gets one that has nothing to do.

    If all of them are in a call, the future of a further call fails with ``Full``. A worker
    whose call never ends is not used again.
    """

    def __init__(self, name: str, *, size: int) -> None:
        self._name = name
        self._size = size
        self._made = 0
        self._free: list[Worker] = []
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Run a call in a thread; return the future of its result."""
        worker = self._idle()
        if worker is None:
            future: Future[T] = Future()
            future.set_exception(Full(f"{self._size} calls have not ended"))
            return future
        future = worker.submit(work)
        future.add_done_callback(lambda _: self._free.append(worker))
        return future

    def _idle(self) -> Worker | None:
        with self._lock:
            if self._free:
                return self._free.pop()
            if self._made >= self._size:
                return None
            self._made += 1
            return Worker(f"{self._name}-{self._made}", jobs_max=1)


class Threads(ThreadPoolExecutor):
    """A default executor for a loop with a thread per call; shutdown does not wait for them.

    asyncio resolves host names in the default executor. Without this class, a resolver that
    does not answer would keep a process from stopping until the lookup ends. The number of
    threads is limited only by the callers.
    """

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a call in its own thread; return the future of its result."""
        future: Future[T] = Future()
        job = partial(_do, future, partial(work, *args, **kwargs))
        threading.Thread(target=job, name="fcs-call", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Return at once, without waiting for threads."""


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        _do(*job)
        del job  # Otherwise the last job would be kept alive while the thread waits.


def _do(future: Future[T], work: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
            del future  # It would form a cycle: future, error, traceback, this frame.
        except _ENDINGS as ending:
            future.set_exception(RuntimeError(f"the call raised {ending!r}"))
            del future
