"""A coroutine that is run at once: what costs a task, and that nothing is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context

import pytest

from django_fcs.fanout.eager import start

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

#: In a context of its own, and in the caller's.
both_ways = pytest.mark.parametrize("context_of", [copy_context, lambda: None])
ContextOf = Callable[[], Context | None]

who: ContextVar[str] = ContextVar("who", default="nobody")


class Deed:
    """A coroutine that waits for what the test says, and what it saw and came to."""

    def __init__(self, wait: Callable[[], Awaitable[object]] | None = None) -> None:
        self._wait = wait
        self.steps: list[str] = []

    async def run(self) -> None:
        self.steps.append(f"begins for {who.get()}")
        try:
            if self._wait is not None:
                await self._wait()
        except asyncio.CancelledError:
            self.steps.append("cancelled")
            raise
        self.steps.append(f"ends for {who.get()}")


@both_ways
async def test_what_ends_at_once_costs_no_task(context_of: ContextOf) -> None:
    deed = Deed()
    before = asyncio.all_tasks()

    assert start(deed.run(), context_of()) is None
    assert deed.steps == ["begins for nobody", "ends for nobody"]
    assert asyncio.all_tasks() == before


@both_ways
async def test_what_waits_goes_on_in_a_task_and_ends_there(context_of: ContextOf) -> None:
    opened = asyncio.Event()
    deed = Deed(opened.wait)
    task = start(deed.run(), context_of())

    assert task is not None and not task.done()
    assert deed.steps == ["begins for nobody"]
    opened.set()
    await task
    assert deed.steps == ["begins for nobody", "ends for nobody"]


@both_ways
async def test_the_first_wait_is_over_when_what_it_waits_for_is(context_of: ContextOf) -> None:
    """Passes of the loop alone do not resume it."""
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    heard = []

    async def ask() -> None:
        heard.append(await answer)

    task = start(ask(), context_of())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not heard
    answer.set_result("yes")
    assert task is not None
    await task
    assert heard == ["yes"]


async def test_it_runs_in_the_given_context_before_and_after_it_waits() -> None:
    opened = asyncio.Event()
    deeds = [Deed(), Deed(opened.wait)]
    context = copy_context()
    context.run(who.set, "a browser")
    tasks = [start(deed.run(), context) for deed in deeds]
    opened.set()
    await asyncio.gather(*filter(None, tasks))

    assert [deed.steps for deed in deeds] == [["begins for a browser", "ends for a browser"]] * 2
    assert who.get() == "nobody"


async def test_without_a_context_it_finds_the_callers_before_and_after_it_waits() -> None:
    opened = asyncio.Event()
    deed = Deed(opened.wait)
    token = who.set("the caller")
    task = start(deed.run())
    who.reset(token)
    opened.set()
    assert task is not None
    await task

    assert deed.steps == ["begins for the caller", "ends for the caller"]


async def test_what_it_sets_in_its_context_stays_there() -> None:
    async def introduce() -> None:
        who.set("somebody")

    context = copy_context()
    start(introduce(), context)

    assert (who.get(), context[who]) == ("nobody", "somebody")


async def fail(*waits: Awaitable[object]) -> None:
    for wait in waits:
        await wait
    raise LookupError("of the deed")


@both_ways
async def test_what_is_raised_at_once_is_raised_to_the_caller(context_of: ContextOf) -> None:
    with pytest.raises(LookupError, match="of the deed"):
        start(fail(), context_of())


@both_ways
async def test_what_is_raised_after_waiting_is_the_tasks(context_of: ContextOf) -> None:
    task = start(fail(asyncio.sleep(0)), context_of())

    assert task is not None
    with pytest.raises(LookupError, match="of the deed"):
        await task


@both_ways
async def test_an_error_of_what_it_waits_for_reaches_it(context_of: ContextOf) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = start(fail(answer), context_of())
    answer.set_exception(OSError("gone"))

    assert task is not None
    with pytest.raises(OSError, match="gone"):
        await task


@both_ways
@pytest.mark.parametrize("passes", [0, 1, 3])
async def test_a_cancellation_reaches_it_wherever_it_waits(
    passes: int, context_of: ContextOf
) -> None:
    deed = Deed(asyncio.Event().wait)
    task = start(deed.run(), context_of())
    for _ in range(passes):
        await asyncio.sleep(0)
    assert task is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert deed.steps == ["begins for nobody", "cancelled"]


@both_ways
async def test_a_cancelled_one_may_take_its_time_to_clean_up(context_of: ContextOf) -> None:
    done = []

    async def tidy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("tidied")

    task = start(tidy(), context_of())
    assert task is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == ["tidied"]


@both_ways
async def test_one_that_only_lets_others_go_first_goes_on_by_itself(context_of: ContextOf) -> None:
    turns = []

    async def give_way() -> None:
        for turn in range(3):
            turns.append(turn)
            await asyncio.sleep(0)

    task = start(give_way(), context_of())
    assert turns == [0]
    assert task is not None
    await task

    assert turns == [0, 1, 2]


@both_ways
async def test_many_wait_for_one_thing_and_all_go_on(context_of: ContextOf) -> None:
    opened = asyncio.Event()
    deeds = [Deed(opened.wait) for _ in range(100)]
    tasks = [start(deed.run(), context_of()) for deed in deeds]
    opened.set()
    await asyncio.gather(*filter(None, tasks))

    assert all(len(deed.steps) == 2 for deed in deeds)
