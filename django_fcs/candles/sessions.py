"""The sessions of a market between two moments, from its hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django_fcs.prices.sessions import Hours
from django_fcs.values.timeframes import LENGTHS, LONGEST

__all__ = ["Piece", "bar_end", "pieces", "session_end"]

_DAY = 86_400

#: How many pieces are looked at: more than a year of unknown hours.
_PIECES_MAX = 400


class Piece(NamedTuple):
    """A time in which a market is open, closed, or of which nothing is known (``None``)."""

    start: float
    stop: float
    is_open: bool | None


def pieces(hours: Hours, start: float, stop: float) -> Iterator[Piece]:
    """Yield what is known of the time between two moments, at most ``_PIECES_MAX`` pieces.

    Where the hours have no end, or none that is known, each day is one piece.
    """
    for _ in range(_PIECES_MAX):
        if start >= stop:
            return
        phase = hours.phase(start)
        until = start + _DAY if phase.until is None else phase.until
        yield Piece(start, min(until, stop), phase.is_open)
        start = until


def session_end(hours: Hours, start: float, stop: float) -> float | None:
    """Return when the last session between two moments ends, if no other begins in this time.

    ``None`` if none ends, or if hours are not known.
    """
    end = None
    for piece in pieces(hours, start, stop):
        end = piece.stop if piece.is_open else end
    return None if end is None or hours.phase(end).is_open is not False else end


def bar_end(hours: Hours, timeframe: str, t: int) -> float | None:
    """Return when the bar that opens at ``t`` ends; ``None`` where hours are not known.

    It ends with its session if that is earlier than its time is over. Bars of weeks and months
    outlast sessions.
    """
    if LENGTHS[timeframe] > _DAY:
        return t + LONGEST[timeframe]
    stop = t + LENGTHS[timeframe]
    end = session_end(hours, t, stop)
    if end is None and hours.phase(stop).is_open is not None:
        return stop
    return end
