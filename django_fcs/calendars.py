"""The calendars of the exchanges that are watched, read where they delay nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from .rooms import Room
from .sessions import Markets
from .worker import Worker

__all__ = ["read_calendars"]

#: How often to look for what is not known yet.
LOOK_SECONDS = 5


async def read_calendars(
    markets: Markets, rooms: Callable[[], Iterable[Room]], clock: Callable[[], float]
) -> None:
    """Let ``markets`` know the hours of all rooms; runs until it is cancelled.

    To read one takes seconds. A thread does it, one after the other, which nobody waits for
    where the process ends.
    """
    worker = Worker("fcs-calendars")
    while True:
        symbols = {room.symbol for room in rooms()}
        for name in sorted(markets.lacking(symbols, clock())):
            reading = worker.submit(partial(markets.load, [name], clock()))
            await asyncio.wrap_future(reading)
        await asyncio.sleep(LOOK_SECONDS)
