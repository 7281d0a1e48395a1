"""What a series does not have although its market was open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django_fcs.prices.sessions import Hours
from django_fcs.values.timeframes import LENGTHS, LONGEST

from .series import Series
from .sessions import pieces
from .spans import Span, Spans

__all__ = ["HOLES_MAX", "missing", "missing_among"]

#: How many holes are told apart. If there are more, the oldest ones become one.
HOLES_MAX = 128

#: A market is open for this long, or for this part of a candle, before a hole is one: markets
#: open late, and the first candle of a session is short.
_LEAST_SECONDS = 2 * 3600
_LEAST_PART = 1 / 3


def missing(
    series: Series, hours: Hours, now: float, *, since: float | None = None
) -> tuple[Span, ...]:
    """Return the holes up to ``now``, ascending: no bar, market open, nobody looked.

    A time in which the room was joined, or for which REST has answered, is quiet instead.
    Unknown hours are no hole. A hole may span closed hours, but begins and ends in a session.

    Args:
        since: Where to begin; with the oldest bar if it is ``None``.
    """
    looked = series.joined, series.answered
    return missing_among(series.times(), series.timeframe, looked, hours, now, since=since)


def missing_among(
    times: Sequence[int],
    timeframe: str,
    looked: Iterable[Spans],
    hours: Hours,
    now: float,
    *,
    since: float | None = None,
) -> tuple[Span, ...]:
    """Return what ``missing`` returns, for bars that are in no series.

    Args:
        times: When the bars opened, ascending.
        looked: In which times somebody looked for bars.
    """
    least = min(LENGTHS[timeframe] * _LEAST_PART, _LEAST_SECONDS)
    gaps: Iterable[Span] = _gaps(times, LONGEST[timeframe], int(now), since)
    for spans in looked:
        gaps = [left for gap in gaps for left in spans.outside(*gap)]
    holes = [
        hole
        for start, stop in gaps
        if stop - start >= least and (hole := _open_part(hours, start, stop, least))
    ]
    if len(holes) > HOLES_MAX:
        merged = len(holes) - HOLES_MAX
        holes = [(holes[0][0], holes[merged][1]), *holes[merged + 1 :]]
    return tuple(holes)


def _gaps(times: Sequence[int], longest: int, now: int, since: float | None) -> Iterator[Span]:
    """Yield the times between the end of each bar and the opening of the next."""
    if since is None and not times:
        return
    begin = times[0] if since is None else int(since)
    end = begin
    for t in [*times, now]:
        if end < t:
            yield end, t
        end = max(begin, t + longest)


def _open_part(hours: Hours, start: int, stop: int, least: float) -> Span | None:
    """Return a time from its first open moment to its last; ``None`` if little of it is open."""
    first, last, open_for = stop, start, 0.0
    for piece in pieces(hours, start, stop):
        if not piece.is_open:
            continue
        first, last = min(first, int(piece.start)), int(piece.stop)
        open_for += piece.stop - piece.start
        if open_for >= least and (closing := _last_open(hours, stop)) is not None:
            # The rest of a gap of years is not walked along.
            last = int(closing)
            break
    return (first, last) if open_for >= least else None


def _last_open(hours: Hours, before: int) -> float | None:
    """Return the last open moment before a time; ``None`` if hours are not known there."""
    phase = hours.phase(before - 1)
    return None if phase.is_open is None else before if phase.is_open else phase.since
