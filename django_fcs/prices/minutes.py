"""The last price of each minute of the last hour: what a small line beside a price shows.

A minute is a number: whole minutes since 1970 on the clock of the stream. A minute without a
tick is a hole and stays one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from itertools import dropwhile
from typing import Annotated

import msgspec

from django_fcs.protocol.bounds import PRICE_MIN, TIME_MAX, Price

__all__ = ["KEPT", "Closes", "Minutes", "minute_of"]

#: How many minutes are kept.
KEPT = 60

_SECONDS = 60

_HOLES: tuple[float | None, ...] = (None,) * KEPT


def minute_of(at: float) -> int:
    """Return the minute of a time in unix seconds."""
    return int(at // _SECONDS)


class Minutes(msgspec.Struct, frozen=True):
    """The last prices of minutes that have ended, as the store has them."""

    last: Annotated[int, msgspec.Meta(ge=-TIME_MAX // _SECONDS, le=TIME_MAX // _SECONDS)]
    """The minute of the newest price."""
    closes: Annotated[tuple[Price | None, ...], msgspec.Meta(min_length=1, max_length=KEPT)]
    """One for each minute up to ``last``, the oldest first; ``None`` for a hole."""

    def __post_init__(self) -> None:
        for close in self.closes:
            if close and -PRICE_MIN < close < PRICE_MIN:
                raise ValueError("no price is that close to zero")

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Yield the minutes that have a price, with it."""
        for minute, close in enumerate(self.closes, self.last - len(self.closes) + 1):
            if close is not None:
                yield minute, close

    def seen_at(self, now: float) -> tuple[float | None, ...]:
        """Return the ``KEPT`` minutes up to the newest one that has ended, the oldest first.

        Without a price in it, the newest is the one before: the stream may not have saved it
        yet. ``now`` is on the clock of the stream.
        """
        this = minute_of(now)
        end = min(max(self.last, this - 2), this)
        # Holes on both sides, so that whatever the distance, a slice is an hour.
        hours = _HOLES + _HOLES + self.closes + _HOLES
        stop = len(hours) - KEPT + max(-KEPT, min(end - self.last, KEPT))
        return hours[stop - KEPT : stop]


class Closes:
    """The last price of each of the last ``KEPT`` minutes of a room that is streamed.

    Times are unix seconds of the stream's clock. If it is set back, what it called later
    minutes is forgotten.

    Args:
        at: When the room began.
    """

    __slots__ = ("_begins", "_closes", "_ends", "_minute", "_place")

    def __init__(self, at: float) -> None:
        # A ring: each minute has one place, that of its number modulo KEPT.
        self._closes = array("d", [math.nan]) * KEPT
        self._begin(minute_of(at))

    def note(self, close: float, at: float) -> None:
        """Note the price of a tick that came at ``at``."""
        # Comparing is faster than dividing, and this runs for each tick.
        if not self._begins <= at < self._ends:
            self._turn(minute_of(at))
        self._closes[self._place] = close

    def recall(self, before: Minutes) -> None:
        """Take the prices of an earlier stream, as far as they are older than any noted here."""
        first = min((minute for minute, _ in self._known()), default=self._minute)
        for minute, close in before:
            if self._minute - KEPT < minute < first:
                self._closes[minute % KEPT] = close

    def until(self, minute: int) -> Minutes | None:
        """Return the prices of the ``KEPT`` minutes before this one; ``None`` without any."""
        known = dict(self._known())
        span = (known.get(one) for one in range(minute - 1, minute - KEPT - 1, -1))
        newest_first = list(dropwhile(lambda close: close is None, span))
        if not newest_first:
            return None
        closes = tuple(dropwhile(lambda close: close is None, reversed(newest_first)))
        return Minutes(minute - 1 - KEPT + len(newest_first), closes)

    def _known(self) -> Iterator[tuple[int, float]]:
        for minute in range(self._minute - KEPT + 1, self._minute + 1):
            close = self._closes[minute % KEPT]
            if not math.isnan(close):
                yield minute, close

    def _turn(self, minute: int) -> None:
        """Make holes of the minutes between the last tick and this one, forwards or backwards."""
        low, high = sorted((minute, self._minute))
        for passed in range(max(low, high - KEPT) + 1, high + 1):
            self._closes[passed % KEPT] = math.nan
        self._begin(minute)

    def _begin(self, minute: int) -> None:
        self._minute = minute
        self._place = minute % KEPT
        self._begins, self._ends = minute * _SECONDS, (minute + 1) * _SECONDS
