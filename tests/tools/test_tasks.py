"""Tasks side by side: none outlives the others, and none hides a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, suppress
from typing import Any

import pytest

from django_fcs.tools.tasks import each, end, limited, running, together

pytestmark = pytest.mark.versions


class Work:
    """A coroutine that runs until it is told to end or fail, and says how it ended."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ended_by: str | None = None
        self._outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        self.started.set()
        try:
            await self._outcome
            self.ended_by = "itself"
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # Cleaning up takes a moment.
            self.ended_by = "cancellation"
            raise

    def succeed(self) -> None:
        self._outcome.set_result(None)

    def fail(self, error: Exception) -> None:
        self._outcome.set_exception(error)


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a hundredth of a second where the module waits a whole one."""
    wait: Callable[..., Any] = asyncio.wait

    def quick(tasks: Iterable[asyncio.Future[None]], *, timeout: float | None = None) -> Any:
        return wait(tasks, timeout=timeout and 0.01)

    monkeypatch.setattr("django_fcs.tools.tasks.asyncio.wait", quick)


async def test_the_first_to_end_ends_the_others() -> None:
    first, second = Work(), Work()
    both = asyncio.create_task(together(first.run(), second.run()))
    await first.started.wait()
    first.succeed()
    await both

    assert (first.ended_by, second.ended_by) == ("itself", "cancellation")


async def test_the_first_to_fail_ends_the_others_and_its_error_is_raised() -> None:
    first, second = Work(), Work()
    both = asyncio.create_task(together(first.run(), second.run()))
    await second.started.wait()
    second.fail(OSError("broken"))
    with pytest.raises(OSError, match="broken"):
        await both

    assert first.ended_by == "cancellation"


async def test_who_is_cancelled_ends_them_all_first() -> None:
    first, second = Work(), Work()
    both = asyncio.create_task(together(first.run(), second.run()))
    await second.started.wait()
    both.cancel()
    with pytest.raises(asyncio.CancelledError):
        await both

    assert (first.ended_by, second.ended_by) == ("cancellation", "cancellation")


async def test_a_failure_while_being_cancelled_does_not_hide_the_one_that_counts() -> None:
    async def fail_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("while cleaning up")

    work = Work()
    both = asyncio.create_task(together(fail_late(), work.run()))
    await work.started.wait()
    work.fail(OSError("broken"))

    with pytest.raises(OSError, match="broken"):
        await both


async def test_work_beside_a_body_ends_with_the_body() -> None:
    work = Work()
    async with running(work.run()):
        await work.started.wait()
        assert work.ended_by is None

    assert work.ended_by == "cancellation"


async def test_work_beside_a_body_may_end_before_it() -> None:
    work = Work()
    async with running(work.run()):
        await work.started.wait()
        work.succeed()

    assert work.ended_by in ("itself", "cancellation")


async def test_what_fails_beside_a_body_is_raised_behind_it() -> None:
    async def fail() -> None:
        raise OSError("broken")

    reached_the_end = False
    with pytest.raises(OSError, match="broken"):
        async with running(fail()):
            await asyncio.sleep(0)
            reached_the_end = True

    assert reached_the_end


async def test_what_a_body_raises_outweighs_what_failed_beside_it() -> None:
    async def fail() -> None:
        raise OSError("beside")

    with pytest.raises(ValueError, match="body"):
        async with running(fail()):
            await asyncio.sleep(0)
            raise ValueError("body")


async def test_the_end_waits_until_everything_is_cleaned_up() -> None:
    work = Work()
    task = asyncio.create_task(work.run())
    await work.started.wait()
    await end(task)

    assert task.cancelled()
    assert work.ended_by == "cancellation"


async def test_who_is_cancelled_while_it_ends_tasks_still_sees_them_out() -> None:
    cleaned_up = asyncio.Event()

    async def clean_up_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with suppress(asyncio.CancelledError):
                await cleaned_up.wait()
            await cleaned_up.wait()

    task = asyncio.create_task(clean_up_slowly())
    await asyncio.sleep(0)
    ending = asyncio.create_task(end(task))
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.sleep(0)
    assert not ending.done()
    cleaned_up.set()

    with pytest.raises(asyncio.CancelledError):
        await ending
    assert task.done()


async def test_the_end_of_what_has_ended_is_none() -> None:
    async def fail() -> None:
        raise OSError("broken")

    done, failed = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(fail())
    await asyncio.wait({done, failed})
    await end(done, failed)
    await end()

    assert done.result() is None


async def test_a_cancellation_that_got_lost_is_repeated(impatient: None) -> None:
    lost = []

    async def lose(times: int) -> None:
        for _ in range(times):
            with suppress(asyncio.CancelledError):
                lost.append(await asyncio.Event().wait())
        await asyncio.Event().wait()

    task = asyncio.create_task(lose(2))
    await asyncio.sleep(0)
    await end(task)

    assert task.cancelled()


async def test_each_runs_a_few_at_once_and_yields_results_as_they_come() -> None:
    started: list[int] = []
    gates = [asyncio.Event() for _ in range(5)]

    async def work(number: int) -> int:
        started.append(number)
        await gates[number].wait()
        return number * number

    async with aclosing(each(range(5), work, at_once=2)) as results:
        gates[1].set()
        assert await anext(results) == (1, 1)
        assert started == [0, 1]
        for gate in gates:
            gate.set()
        assert sorted([result async for result in results]) == [(0, 0), (2, 4), (3, 9), (4, 16)]


async def test_each_ends_its_calls_with_the_loop_and_raises_their_errors() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        if number == 0:
            raise ValueError("no")
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(number)

    async with aclosing(each(range(3), work, at_once=3)) as results:
        with pytest.raises(ValueError, match="no"):
            await anext(results)

    assert sorted(ended) == [1, 2]


async def test_a_call_in_time_returns_its_result_or_raises_its_error() -> None:
    assert await limited(asyncio.sleep(0, "done"), 10) == "done"

    work = Work()
    work.fail(OSError("broken"))
    with pytest.raises(OSError, match="broken"):
        await limited(work.run(), 10)


async def test_a_call_that_takes_too_long_is_cancelled() -> None:
    work = Work()

    with pytest.raises(asyncio.TimeoutError):
        await limited(work.run(), 0.01)

    assert work.ended_by == "cancellation"


async def test_who_waits_for_a_call_with_a_limit_and_is_cancelled_ends_it() -> None:
    work = Work()
    waiting = asyncio.create_task(limited(work.run(), 10))
    await work.started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert work.ended_by == "cancellation"


@pytest.mark.parametrize("error", [None, OSError("broken")])
async def test_a_cancellation_is_not_lost_when_the_call_has_just_ended(
    error: OSError | None,
) -> None:
    outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(limited(outcome, 10))
    await asyncio.sleep(0)
    if error is None:
        outcome.set_result(None)
    else:
        outcome.set_exception(error)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
