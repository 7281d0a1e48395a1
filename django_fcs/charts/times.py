"""The time axis: which bars are labelled, and with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone, tzinfo

from .clocks import local_seconds
from .drawing import Mark
from .geometry import BODY, Place

__all__ = ["local_time", "marks_of"]

#: The least distance of two labels, and from the edges, in pixels.
_GAP = 56
_EDGE = 18

_DAY = 86_400

#: Round times of a day, in minutes.
_ROUND = (5, 15, 30, 60, 120, 180, 240, 360, 720)


def local_time(t: int, period: int, zone: tzinfo) -> datetime:
    """Return the time of a bar in a zone; a bar of a day or longer has the time of its middle.

    For weeks and months that is the middle of the first day.
    """
    middle = min(period, _DAY) // 2 if period >= _DAY else 0
    return datetime.fromtimestamp(t, timezone.utc).astimezone(zone) + timedelta(seconds=middle)


def marks_of(
    places: Sequence[Place],
    right: int,
    period: int,
    zone: tzinfo,
    write: Callable[[datetime, str], str],
) -> list[Mark]:
    """Return the labels; ``write`` takes a time and what of it is new: Y, M, j or H."""
    apart = _GAP * period // (60 * 7)
    step = next((minutes for minutes in _ROUND if minutes >= apart), 720) * 60
    found: list[tuple[int, int, str]] = []
    before = None
    for place, seconds in zip(places, _local_seconds(places, period, zone), strict=True):
        # Most bars are at no round time: making a date of each would take longest of all.
        is_round = before is None or seconds % step == 0 or seconds // _DAY != before // _DAY
        if is_round or period >= _DAY:
            rank, new = _news(
                _date(seconds if before is None else before), _date(seconds), period, step
            )
            if new:
                found.append((rank, place.x + BODY // 2, write(_date(seconds), new)))
        before = seconds
    if not found and places:
        new = "j" if period >= _DAY else "H"
        found = [
            (3, places[-1].x + BODY // 2, write(local_time(places[-1].row.t, period, zone), new))
        ]
    return _spread(found, right, period)


def _local_seconds(places: Sequence[Place], period: int, zone: tzinfo) -> list[int]:
    """Return what ``local_time`` returns, in seconds since 1970 on the local clock."""
    middle = _DAY // 2 if period >= _DAY else 0
    return [local + middle for local in local_seconds([place.row.t for place in places], zone)]


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _news(before: datetime, after: datetime, period: int, step: int) -> tuple[int, str]:
    """Return what of a time is new, the most important as 0; empty if it is not round."""
    if before.year != after.year:
        return 0, "Y"
    if before.month != after.month and period >= _DAY:
        return 1, "M"
    if before.date() != after.date():
        return (2, "j") if period < 7 * _DAY else (3, "")
    is_round = (after.hour * 60 + after.minute) * 60 % step == 0
    return (3, "H") if is_round and period < _DAY else (3, "")


def _spread(found: list[tuple[int, int, str]], right: int, period: int) -> list[Mark]:
    """Keep the most important labels, and of others the newest, as far as there is room."""
    kept: list[Mark] = []
    for rank, x, text in sorted(found, key=lambda mark: (mark[0], -mark[1])):
        if _EDGE <= x <= right - _EDGE + 4 and all(abs(x - other.x) >= _GAP for other in kept):
            kept.append(Mark(x, text, rank < 3 and period < _DAY))
    return sorted(kept)
