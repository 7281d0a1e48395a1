"""Metrics: counters of this process, and when their totals are worth a line."""

from __future__ import annotations

from django_fcs.metrics import count, counts


def test_counters_are_counted_by_name() -> None:
    count("late")
    count("late")
    count("lost", by=3)

    assert counts() == {"late": 2, "lost": 3}


def test_only_doublings_are_worth_a_line_in_the_log() -> None:
    worth_a_line = [number for number in range(1, 101) if count("flood")]

    assert worth_a_line == [1, 2, 4, 8, 16, 32, 64]


def test_a_step_over_a_doubling_is_worth_a_line_too() -> None:
    assert count("flood", by=100)
    assert not count("flood", by=5)
    assert count("flood", by=100)


def test_who_reads_the_counters_cannot_change_them() -> None:
    count("late")
    counts()["late"] = 99

    assert counts() == {"late": 1}
