"""The turns of rooms whose wishes wait: several at a time, and none waits for a slow one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

from django_fcs.rooms import Room
from django_fcs.tools.tasks import end

from .wishes import Wishes

__all__ = ["take_turns"]

Serve = Callable[[Room], Awaitable[None]]


async def take_turns(
    wishes: Wishes,
    serve: Serve,
    *,
    is_first: Callable[[Room], bool],
    clock: Callable[[], float],
    at_once: int,
) -> None:
    """Serve the rooms that are due, ``at_once`` at a time; does not end.

    Each due room has its turn before any has a second. Raises what ``serve`` raises.

    Args:
        is_first: Whether a room comes before others.
        clock: Unix seconds.
    """
    calls, served = dict[Room, asyncio.Future[None]](), set[Room]()
    try:
        while True:
            for room in [room for room, call in calls.items() if call.done()]:
                calls.pop(room).result()
            due = [room for room in wishes.due(clock()) if room not in calls]
            if served.issuperset(due):
                served.clear()
            due = sorted((room for room in due if room not in served), key=is_first, reverse=True)
            for room in due[: at_once - len(calls)]:
                served.add(room)
                calls[room] = asyncio.ensure_future(serve(room))
                calls[room].add_done_callback(lambda _: wishes.changed.ring())
            is_full = len(calls) == at_once
            await wishes.changed.heard(inf if is_full else wishes.pause(clock(), without=calls))
    finally:
        await end(*calls.values())
