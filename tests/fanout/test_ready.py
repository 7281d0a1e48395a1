"""Things left for one task: each waits once, and the task is woken."""

from __future__ import annotations

import asyncio
import math

import pytest

from django_fcs.fanout.ready import ReadyQueue

pytestmark = pytest.mark.usefixtures("clean_loop")


async def is_woken(queue: ReadyQueue[str], seconds: float = math.inf) -> None:
    await asyncio.wait_for(queue.wait(seconds), 20)


async def test_what_is_left_is_handed_over_once_in_order_and_each_thing_once() -> None:
    queue: ReadyQueue[str] = ReadyQueue()
    for thing in ("b", "a", "b", "c", "a"):
        queue.add(thing)

    assert queue.take() == ["b", "a", "c"]
    assert queue.take() == []


async def test_who_waits_is_woken_by_a_thing_and_by_a_word() -> None:
    queue: ReadyQueue[str] = ReadyQueue()
    for rouse in (lambda: queue.add("a"), queue.wake):
        waiting = asyncio.ensure_future(is_woken(queue))
        await asyncio.sleep(0)
        assert not waiting.done()
        rouse()
        await waiting


async def test_what_comes_before_the_wait_is_not_missed_and_wakes_once() -> None:
    queue: ReadyQueue[str] = ReadyQueue()
    queue.add("a")
    await is_woken(queue)
    waiting = asyncio.ensure_future(is_woken(queue))
    for _ in range(5):
        await asyncio.sleep(0)

    assert not waiting.done()
    queue.wake()
    await waiting


async def test_a_wait_may_have_an_end() -> None:
    queue: ReadyQueue[str] = ReadyQueue()
    await is_woken(queue, 0.001)
    await is_woken(queue, 0)

    assert queue.take() == []
