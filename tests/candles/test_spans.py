"""Intervals: what they add up to, and what is left beside them."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given, strategies as st

from django_fcs.candles.spans import SPANS_MAX, Spans
from django_fcs.protocol.bounds import TIME_MAX

moments = st.integers(0, 20)
intervals = st.lists(st.tuples(moments, moments), max_size=12)


@given(intervals, moments, moments)
def test_intervals_are_the_seconds_that_were_added(
    added: list[tuple[int, int]], start: int, stop: int
) -> None:
    spans = Spans(added)
    seconds = {second for first, last in added for second in range(first, last)}

    found = list(spans)
    assert {second for first, last in found for second in range(first, last)} == seconds
    times = [moment for span in found for moment in span]
    assert all(a < b for a, b in pairwise(times))

    left = spans.outside(start, stop)
    times = [moment for span in left for moment in span]
    assert all(a < b for a, b in pairwise(times))
    wanted = set(range(start, stop)) - seconds
    assert {second for first, last in left for second in range(first, last)} == wanted
    assert (len(spans), bool(spans)) == (len(found), bool(found))

    inside = {second for first, last in spans.inside(start, stop) for second in range(first, last)}
    assert inside == seconds & set(range(start, stop))
    spans.remove(start, stop)
    rest = {second for first, last in spans for second in range(first, last)}
    assert rest == seconds - set(range(start, stop))


def test_intervals_that_touch_are_one() -> None:
    assert list(Spans([(5, 10), (0, 5), (10, 12), (20, 21)])) == [(0, 12), (20, 21)]


def test_an_interval_that_goes_on_stays_one_whatever_part_of_a_second_it_is_cut_at() -> None:
    spans = Spans([(0.9, 1.9), (1.9, 2.2), (2.2, 2.8), (2.8, 10.1)])

    assert list(spans) == [(0, 10)]


def test_of_too_many_intervals_the_oldest_is_dropped() -> None:
    spans = Spans((2 * n, 2 * n + 1) for n in reversed(range(SPANS_MAX + 2)))

    assert len(spans) == SPANS_MAX
    assert [*spans][0] == (4, 5)


def test_no_interval_leaves_the_bounds_of_time() -> None:
    assert list(Spans([(-math.inf, math.inf)])) == [(-TIME_MAX, TIME_MAX)]


def test_intervals_are_compared_by_what_they_are() -> None:
    assert Spans([(1, 2), (2, 3)]) == Spans([(1, 3)]) != Spans()
    assert repr(Spans([(1, 3)])) == "Spans([(1, 3)])"
