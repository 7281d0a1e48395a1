"""Intervals of time: sorted, merged where they touch, and bounded in number."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from django_fcs.protocol.bounds import TIME_MAX

__all__ = ["SPANS_MAX", "Span", "Spans"]

#: How many intervals are kept. When there are more, the oldest is dropped.
SPANS_MAX = 128

#: Where an interval starts and where it stops, in whole unix seconds.
Span = tuple[int, int]


class Spans:
    """A set of times, as ascending intervals that neither overlap nor touch."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, spans: Iterable[tuple[float, float]] = ()) -> None:
        self._starts = array("q")
        self._stops = array("q")
        for start, stop in spans:
            self.add(start, stop)

    def __iter__(self) -> Iterator[Span]:
        return zip(self._starts, self._stops, strict=True)

    def __len__(self) -> int:
        return len(self._starts)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Spans({list(self)})"

    def add(self, start: float, stop: float) -> None:
        """Add the time between two moments, in unix seconds; parts of a second are cut off."""
        first, last = _whole(start), _whole(stop)
        if first >= last:
            return
        low = bisect_left(self._stops, first)
        high = bisect_right(self._starts, last)
        if low < high:
            first = min(first, self._starts[low])
            last = max(last, self._stops[high - 1])
        self._starts[low:high] = array("q", [first])
        self._stops[low:high] = array("q", [last])
        if len(self._starts) > SPANS_MAX:
            del self._starts[0], self._stops[0]

    def remove(self, start: int, stop: int) -> None:
        """Remove the time between two moments, in unix seconds."""
        before = [(first, min(last, start)) for first, last in self if first < start]
        after = [(max(first, stop), last) for first, last in self if last > stop]
        left = Spans([*before, *after])
        self._starts, self._stops = left._starts, left._stops

    def outside(self, start: int, stop: int) -> list[Span]:
        """Return what is left between two moments without these intervals."""
        left = []
        for index in self._touched(start, stop):
            if start < self._starts[index]:
                left.append((start, self._starts[index]))
            start = self._stops[index]
        return [*left, (start, stop)] if start < stop else left

    def inside(self, start: int, stop: int) -> list[Span]:
        """Return what lies between two moments."""
        return [
            (max(self._starts[index], start), min(self._stops[index], stop))
            for index in self._touched(start, stop)
        ]

    def _touched(self, start: int, stop: int) -> range:
        return range(bisect_right(self._stops, start), bisect_left(self._starts, stop))


def _whole(at: float) -> int:
    return math.floor(min(max(at, -TIME_MAX), TIME_MAX))
