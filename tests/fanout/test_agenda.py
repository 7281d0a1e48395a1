"""What is due when: each thing once, the earliest first."""

from __future__ import annotations

import math

from hypothesis import given, settings, strategies as st

from django_fcs.fanout.agenda import Agenda


def test_what_is_due_is_handed_over_earliest_first_and_forgotten() -> None:
    agenda: Agenda[str] = Agenda()
    for thing, due in (("late", 3.0), ("first", 1.0), ("second", 2.0)):
        agenda.add(thing, due)

    assert agenda.next() == 1
    assert list(agenda.take(2.0)) == ["first", "second"]
    assert list(agenda.take(2.0)) == []
    assert agenda.next() == 3


def test_of_what_is_due_at_the_same_time_the_first_comes_first() -> None:
    """And things need no order of their own."""
    agenda: Agenda[complex] = Agenda()
    things = [complex(number) for number in (2, 1, 3)]
    for thing in things:
        agenda.add(thing, 1.0)

    assert list(agenda.take(1.0)) == things


def test_an_empty_agenda_is_due_never_and_what_is_due_never_is_not_on_it() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("never", math.inf)

    assert agenda.next() == math.inf
    assert list(agenda.take(1e300)) == []


def test_what_is_overdue_for_ever_is_due_now() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("now", -math.inf)

    assert agenda.next() == -math.inf
    assert list(agenda.take(0.0)) == ["now"]


def test_a_thing_stands_on_it_once_at_its_earliest_time() -> None:
    agenda: Agenda[str] = Agenda()
    for due in (5.0, 7.0, 3.0, 3.0, 4.0):
        agenda.add("a", due)

    assert agenda.next() == 3
    assert list(agenda.take(3.0)) == ["a"]
    assert list(agenda.take(10.0)) == []


def test_what_was_handed_over_may_come_again_even_while_others_are_handed_over() -> None:
    agenda: Agenda[str] = Agenda()
    for thing in ("a", "b"):
        agenda.add(thing, 1.0)
    taken = []
    for thing in agenda.take(2.0):
        taken.append(thing)
        agenda.add(thing, 2.0 if len(taken) == 1 else 3.0)

    assert taken == ["a", "b", "a"]
    assert agenda.next() == 3


def test_what_was_removed_or_is_earlier_now_takes_no_room() -> None:
    agenda: Agenda[int] = Agenda()
    for number in range(10_000):
        agenda.add(number, number + 0.5)
        agenda.discard(number)
    for number in range(10_000):
        agenda.add(7, -number)

    assert len(agenda._times) < 100
    assert list(agenda.take(math.inf)) == [7]
    assert agenda.next() == math.inf


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.sampled_from("atd")), max_size=300),
)
@settings(deadline=None)
def test_it_agrees_with_a_list_of_the_earliest_times(steps: list[tuple[int, int, str]]) -> None:
    agenda: Agenda[int] = Agenda()
    expected: dict[int, float] = {}
    for thing, time, step in steps:
        if step == "d":
            agenda.discard(thing)
            expected.pop(thing, None)
        elif step == "t":
            due = {thing: due for thing, due in expected.items() if due <= time}
            taken = list(agenda.take(time))
            assert set(taken) == due.keys() and len(taken) == len(due)
            assert [due[thing] for thing in taken] == sorted(due.values())
            expected = {thing: due for thing, due in expected.items() if due > time}
        else:
            agenda.add(thing, time)
            expected[thing] = min(time, expected.get(thing, math.inf))
        assert agenda.next() <= min(expected.values(), default=math.inf)
