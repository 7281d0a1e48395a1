"""Metrics: counters, durations and gauges of this process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import django_fcs
from django_fcs.tools import metrics
from django_fcs.tools.metrics import COUNTERS, count, counts, distributions, gauges, observe, shown


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


def test_every_counter_of_the_code_says_what_it_counts() -> None:
    sources = Path(django_fcs.__file__).parent.rglob("*.py")
    counted = {
        name
        for path in sources
        for name in re.findall(r'\bcount(?:er=|\(\s*)"(\w+)"', path.read_text())
    }

    assert counted == set(COUNTERS)


def test_a_duration_falls_into_the_first_interval_that_holds_it() -> None:
    for seconds in (0.004, 0.005, 0.02, 31):
        observe("browser_lag_seconds", seconds, "v4")
    observe("browser_lag_seconds", 1, "merge")
    taken = distributions()

    assert set(taken) == {("browser_lag_seconds", "v4"), ("browser_lag_seconds", "merge")}
    buckets = taken["browser_lag_seconds", "v4"].buckets
    assert (buckets[0], buckets[2], buckets[-1], sum(buckets)) == (2, 1, 1, 4)
    assert taken["browser_lag_seconds", "v4"].sum == pytest.approx(31.029)


def test_clocks_that_disagree_make_no_negative_durations() -> None:
    observe("feed_lag_seconds", -3)
    taken = distributions()["feed_lag_seconds", ""]

    assert (taken.buckets[0], taken.sum) == (1, 0)


def test_who_reads_the_durations_cannot_change_them() -> None:
    observe("feed_lag_seconds", 1)
    distributions()["feed_lag_seconds", ""].buckets[0] = 99

    assert sum(distributions()["feed_lag_seconds", ""].buckets) == 1


def test_gauges_are_read_when_asked_and_only_while_their_owner_works() -> None:
    sockets = 1
    with shown(lambda: {"hub_sockets": sockets}):
        assert gauges() == {"hub_sockets": 1}
        sockets = 2
        assert gauges() == {"hub_sockets": 2}

    assert gauges() == {}
    assert not metrics._readers


def test_an_owner_that_fails_leaves_no_gauge_behind() -> None:
    with pytest.raises(OSError), shown(lambda: {"hub_sockets": 1}):
        raise OSError

    assert not metrics._readers


def test_several_hubs_of_a_process_come_to_what_each_gauge_says() -> None:
    one = {"hub_sockets": 3, "hub_mailbox_messages_max": 7, "hub_online": 1}
    other = {"hub_sockets": 2, "hub_mailbox_messages_max": 9, "hub_online": 0}
    with shown(lambda: one), shown(lambda: other):
        assert gauges() == {"hub_sockets": 5, "hub_mailbox_messages_max": 9, "hub_online": 0}


def test_the_documents_list_every_metric_and_no_other() -> None:
    page = (Path(django_fcs.__file__).parents[1] / "docs/production.md").read_text()
    known = {f"fcs_{name}_total" for name in COUNTERS}
    known |= {f"fcs_{name}" for name in [*metrics.GAUGES, *metrics.DURATIONS]}

    assert set(re.findall(r"^\| `(fcs_\w+)`", page, re.M)) == known
