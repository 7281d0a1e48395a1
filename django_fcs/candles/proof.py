"""Where a series is not proved: where REST may know more than the stream has seen."""

from __future__ import annotations

from django_fcs.values.timeframes import LONGEST

from .bars import Rank
from .series import Series
from .spans import Span

__all__ = ["unproved"]


def unproved(series: Series) -> list[Span]:
    """Return the times about which REST may know more than was seen, ascending.

    These are the times of bars that ended while the path was broken, as their last ticks may
    have been lost, and the time before a newest bar that opens at no multiple of its period.
    Where REST has answered, all is proved.
    """
    columns, _ = series.state()
    longest = LONGEST[series.timeframe]
    # Only so many intervals are kept: earlier live bars were proved once.
    first_joined = next((start for start, _ in series.joined), 0)
    spans = []
    for index in range(len(columns) - 1):
        if columns.rank[index] == Rank.ENDED:
            continue
        t = columns.t[index]
        end = min(t + longest, columns.t[index + 1])
        if columns.rank[index] == Rank.LIVE and end <= first_joined:
            continue
        if series.joined.outside(end - 1, end) and series.answered.outside(end - 1, end):
            spans.append((t, end))
    if series.is_uneven and series.answered.outside(*columns.t[-2:]):
        spans.append((columns.t[-2], columns.t[-1]))
    return spans
