"""The threads for calls that may hang."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from functools import partial
from queue import Full

import pytest

from django_fcs.prices.store import CacheStore
from django_fcs.tools.worker import JOBS_MAX, Threads, Worker, Workers
from tests.support.waiting import eventually

pytestmark = pytest.mark.versions

HANGS = """
import threading
from django_fcs.tools.worker import Worker
begun = threading.Event()
Worker("test").submit(lambda: (begun.set(), threading.Event().wait()))
begun.wait()
print("ended")
"""


def test_calls_are_done_in_order_and_their_results_and_errors_handed_over() -> None:
    worker = Worker("test")
    done: list[int] = []
    nothing: dict[str, int] = {}

    def do(number: int) -> int:
        done.append(number)
        return number

    futures = [worker.submit(partial(do, number)) for number in range(50)]
    failing = worker.submit(lambda: nothing["missing"])

    assert [future.result(5) for future in futures] == done == list(range(50))
    with pytest.raises(KeyError):
        failing.result(5)


def test_calls_of_a_loop_do_not_wait_for_each_other_and_their_errors_are_handed_over() -> None:
    async def main() -> tuple[bool, int]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Threads())
        go = threading.Event()
        waiting = loop.run_in_executor(None, go.wait)
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        go.set()
        return await waiting, await asyncio.to_thread(int, "12", base=3)

    assert asyncio.run(main()) == (True, 5)


def test_what_is_cancelled_in_time_is_never_done() -> None:
    worker, go, done = Worker("test"), threading.Event(), []
    worker.submit(lambda: go.wait(5))
    waiting = worker.submit(lambda: done.append("never"))
    last = worker.submit(lambda: None)
    assert waiting.cancel()
    go.set()
    last.result(5)

    assert not done
    with pytest.raises(CancelledError):
        waiting.result(5)


def test_behind_a_call_that_hangs_no_more_than_so_many_wait() -> None:
    worker, begun, go = Worker("test"), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go.wait(5)

    worker.submit(hang)
    assert begun.wait(5)
    *given_up, last = [worker.submit(lambda: "done") for _ in range(JOBS_MAX)]
    assert all(future.cancel() for future in given_up)

    assert isinstance(worker.submit(lambda: "done").exception(0), Full)
    go.set()
    assert last.result(5) == "done"
    assert worker.submit(lambda: "done").result(5) == "done"


async def test_a_cache_behind_which_too_many_calls_wait_is_taken_for_sick() -> None:
    full = Worker("full", jobs_max=0)
    stores = CacheStore("default", worker=full), CacheStore("default", worker=full)

    assert stores[0].load([]) == await stores[1].aload([]) == ({}, None)
    assert ["calls are waiting" in store.failure for store in stores] == [True, True]


def test_it_ends_with_who_has_it() -> None:
    worker = Worker("a name of this test")
    worker.submit(lambda: None).result(5)
    [thread] = [one for one in threading.enumerate() if one.name == "a name of this test"]
    del worker
    gc.collect()
    thread.join(5)

    assert not thread.is_alive()


def test_a_call_that_hangs_keeps_no_process_from_ending() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30, check=True
    )

    assert ended.stdout == "ended\n"


async def test_calls_go_to_free_workers_and_a_call_that_hangs_keeps_its_own() -> None:
    gate = threading.Event()
    workers = Workers("test", size=2)
    hung, names = workers.submit(lambda: gate.wait(60)), set()
    for _ in range(3):
        names.add(workers.submit(lambda: threading.current_thread().name).result(10))
        await eventually(lambda: workers._free, within=10)
    assert len(names) == 1

    second = workers.submit(lambda: gate.wait(60))
    with pytest.raises(Full):
        workers.submit(lambda: None).result(10)

    gate.set()
    assert hung.result(10) and second.result(10)


@pytest.mark.parametrize(
    "ending", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()]
)
def test_a_call_that_would_end_its_thread_fails_and_the_thread_goes_on(
    ending: BaseException,
) -> None:
    def end() -> None:
        raise ending

    workers = Workers("test", size=1)
    with pytest.raises(RuntimeError, match=type(ending).__name__):
        workers.submit(end).result(5)
    name = threading.current_thread().name
    for worker in [*workers._free, Worker("test")]:
        assert worker.submit(lambda: threading.current_thread().name).result(5) != name
