"""A bell that wakes one task, now or at a time."""

from __future__ import annotations

import asyncio
import math

import pytest

from django_fcs.tools.bell import Bell
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


async def test_who_listens_is_woken_by_the_ring_and_hears_it_once() -> None:
    bell = Bell()
    listening = asyncio.ensure_future(bell.heard())
    await asyncio.sleep(0)
    assert not listening.done()
    bell.ring()
    bell.ring()

    assert await listening
    assert not await bell.heard(0.001)


async def test_what_rang_before_is_heard_at_once() -> None:
    bell = Bell()
    bell.ring()

    assert await asyncio.wait_for(bell.heard(math.inf), 20)


async def test_what_rang_may_be_forgotten() -> None:
    bell = Bell()
    bell.ring()
    bell.clear()

    assert not await bell.heard(0)


async def test_silence_ends_in_time() -> None:
    assert not await Bell().heard(0.001)


async def test_a_ring_in_the_moment_of_a_cancellation_does_not_swallow_it() -> None:
    bell = Bell()
    listening = asyncio.ensure_future(bell.heard(60))
    await asyncio.sleep(0)
    bell.ring()
    listening.cancel()
    await asyncio.wait([listening], timeout=20)

    assert listening.cancelled()
    assert await bell.heard(0)


async def test_a_wait_that_is_cancelled_leaves_no_timer_that_would_wake_the_next() -> None:
    bell, other = Bell(), Bell()
    listening = asyncio.ensure_future(bell.heard(0.02))
    await asyncio.sleep(0)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    next_one = asyncio.ensure_future(bell.heard())
    # A timer made later than the cancelled one: once it has rung, so would that have.
    await other.heard(0.03)

    assert not next_one.done()
    bell.ring()
    await eventually(next_one.done)
