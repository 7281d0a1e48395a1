"""What waits between tasks that read and the one that works it off."""

from __future__ import annotations

import asyncio

import pytest

from django_fcs.layer.inbox import Inbox


async def test_all_that_is_there_is_taken_at_once_in_order() -> None:
    inbox: Inbox[int] = Inbox(10)
    taking = asyncio.ensure_future(inbox.take())
    await asyncio.sleep(0)
    await inbox.put([1])
    await inbox.put([2, 3])

    assert await taking == [1, 2, 3]


async def test_who_fills_a_full_one_waits_until_it_is_emptied() -> None:
    inbox: Inbox[int] = Inbox(2)
    await inbox.put([1])
    putting = asyncio.ensure_future(inbox.put([2, 3]))
    await asyncio.sleep(0)
    assert not putting.done()
    assert inbox.is_full
    assert await inbox.take() == [1, 2, 3]
    await asyncio.wait_for(putting, 20)

    assert not inbox.is_full


async def test_who_cannot_wait_is_called_back_once_when_there_is_room() -> None:
    inbox: Inbox[int] = Inbox(1)
    calls: list[int] = []

    def call() -> None:
        calls.append(1)

    inbox.add([1])
    inbox.when_taken(call)
    inbox.when_taken(call)
    await inbox.take()
    inbox.add([2])
    await inbox.take()

    assert calls == [1]


async def test_a_failure_comes_behind_what_came_before_it_and_stays() -> None:
    inbox: Inbox[int] = Inbox(2)
    await inbox.put([1])
    inbox.fail(OSError("first"))
    inbox.fail(OSError("second"))

    assert await inbox.take() == [1]
    for _ in range(2):
        with pytest.raises(OSError, match="first"):
            await inbox.take()
