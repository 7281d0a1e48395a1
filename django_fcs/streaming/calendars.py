"""The calendars of stock exchanges: read from the optional ``exchange_calendars``.

Importing it also imports pandas, which takes seconds, so the thread that reads does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from functools import partial
from importlib import import_module
from typing import Any

from django_fcs.prices.sessions import Markets, Timetable
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.worker import Worker

__all__ = ["read_calendar", "read_calendars"]

logger = logger_of(__name__)

_DAY_SECONDS = 86_400

#: How much of a calendar is read, before and after now. Markets close for two weeks at most.
_BEHIND_SECONDS = 21 * _DAY_SECONDS
_AHEAD_SECONDS = 60 * _DAY_SECONDS

_LIBRARY = "exchange_calendars"


async def read_calendars(
    markets: Markets,
    rooms: Callable[[], Iterable[Room]],
    clock: Callable[[], float],
    intervals: Intervals = DEFAULT,
) -> None:
    """Keep the hours of all rooms in ``markets``; runs until it is cancelled.

    A thread reads the calendars, one after the other. It does not delay the end of the
    process.
    """
    worker = Worker("fcs-calendars")
    while True:
        symbols = {room.symbol for room in rooms()}
        for name in sorted(markets.lacking(symbols, clock())):
            now = clock()
            reading = worker.submit(partial(read_calendar, name, now))
            markets.learn(name, await asyncio.wrap_future(reading), now)
        await asyncio.sleep(intervals.calendars)


def read_calendar(name: str, now: float) -> Timetable:
    """Read a calendar around ``now`` (unix seconds); never raises. Call it in a thread.

    The first call imports pandas, which takes a second or two and 70 MB. Each calendar
    then takes half a second. In a thread this delays the event loop by up to 50 ms at a
    time. Returns an empty table if the library is missing or cannot read the calendar.
    """
    try:
        library = import_module(_LIBRARY)
        start = datetime.fromtimestamp(now - _BEHIND_SECONDS, timezone.utc)
        schedule = library.get_calendar(name, start=start.date().isoformat()).schedule
        return Timetable(
            interval for interval in _intervals(schedule) if interval[0] < now + _AHEAD_SECONDS
        )
    except ImportError:
        logger.info("hours are unknown without %s calendar=%s", _LIBRARY, name)
    except Exception as error:  # A calendar that cannot be read must not stop the prices.
        logger.warning("cannot read calendar calendar=%s reason=%r", name, error)
    return Timetable()


def _intervals(schedule: Any) -> Iterator[tuple[float, float]]:
    """Yield the hours of a schedule, a table of pandas, split at its breaks."""
    for row in schedule.itertuples():
        opens, closes = row.open.timestamp(), row.close.timestamp()
        if row.break_start == row.break_start:  # NaT, unequal to itself, if there is no break.
            yield opens, row.break_start.timestamp()
            opens = row.break_end.timestamp()
        yield opens, closes
