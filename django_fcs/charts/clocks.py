"""The clocks of a zone, and which bars are outside of the hours of an exchange."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

__all__ = ["Session", "local_seconds", "sides_of"]

_DAY = 86_400

#: Clocks that are set are not set back again within this time.
_SEASON = 14 * _DAY


class Session(NamedTuple):
    """The hours of an exchange, which are the same each day: in minutes of its own clock."""

    opens: int
    closes: int
    zone: tzinfo


def local_seconds(times: Sequence[int], zone: tzinfo) -> list[int]:
    """Return ascending times in seconds since 1970 on the clock of a zone."""
    if not times:
        return []
    offsets = [_offset(t, zone) for t in (times[0], times[-1])]
    if offsets[0] == offsets[1] and times[-1] - times[0] < _SEASON:
        return [t + offsets[0] for t in times]
    return [t + _offset(t, zone) for t in times]


def sides_of(times: Sequence[int], period: int, session: Session) -> list[str]:
    """Return ``before`` or ``after`` for bars outside of the hours; empty for the others.

    A bar that is partly within them counts as within. Bars of a day or longer always are.
    """
    if period >= _DAY:
        return [""] * len(times)
    opens, closes = session.opens * 60, session.closes * 60
    return [
        "before" if second + period <= opens else "after" if second >= closes else ""
        for second in (local % _DAY for local in local_seconds(times, session.zone))
    ]


def _offset(t: int, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(t, timezone.utc).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds())
