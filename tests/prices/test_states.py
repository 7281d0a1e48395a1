"""States: what a price may claim to be, and how long a room's silence is within its habits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import (
    CEILING_SECONDS,
    GAPS,
    OPENING_SECONDS,
    Expectation,
    Rhythm,
    State,
    decide,
)
from django_fcs.protocol.intervals import PONG_SECONDS

NOW = 0.0

FLOOR = 60.0
HOUR = 3600.0

ages = st.none() | st.floats(0, 1e6)
spans = st.floats(0, 1e6)


def decided(
    *,
    age: float | None = 1.0,
    broken: bool = False,
    open_for: float | None = None,
    **expected: Any,
) -> State:
    expectation = Expectation(since=None if open_for is None else NOW - open_for, **expected)
    return decide(age=age, expected=expectation, now=NOW, broken=broken, stale_after=60.0)


def is_broken(*, beat_age: float = 1.0, silence: float = 1.0, online: bool = True) -> bool:
    return PathReport(NOW, online, "", silence=silence).is_broken(beat_age, 10.0)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, State.LIVE),
        ({"age": 60.0}, State.LIVE),
        ({"age": 60.1}, State.STALE),
        ({"age": None}, State.WAITING),
        ({"closed": True}, State.CLOSED),
        ({"closed": True, "age": 3600.0}, State.CLOSED),
        ({"closed": True, "age": None}, State.WAITING),
        ({"broken": True}, State.OFFLINE),
        # The room's own patience, which never falls below the site's.
        ({"age": 300.0, "patience": 300.0}, State.LIVE),
        ({"age": 300.1, "patience": 300.0}, State.STALE),
        ({"age": 60.0, "patience": 5.0}, State.LIVE),
        # The answer to a join, however young, is no tick.
        ({"overdue": True}, State.STALE),
        ({"overdue": True, "closed": True}, State.CLOSED),
        # A market opens with its first price; the time before does not count.
        ({"age": 1e5, "open_for": 60.0}, State.CLOSED),
        ({"age": 1e5, "open_for": 60.1}, State.STALE),
        ({"age": 1e5, "open_for": 300.0, "patience": 300.0}, State.CLOSED),
        ({"age": 5.0, "open_for": 5.0}, State.LIVE),
        ({"age": 5.0, "open_for": 1e5}, State.LIVE),
        ({"age": 60.1, "open_for": 1e5}, State.STALE),
    ],
)
def test_the_state_follows_from_ages_beat_rate_and_session(
    facts: dict[str, Any], state: State
) -> None:
    assert decided(**facts) is state


@given(
    age=ages,
    closed=st.booleans(),
    open_for=ages,
    overdue=st.booleans(),
    patience=spans,
)
def test_nothing_is_claimed_behind_a_broken_path(**facts: Any) -> None:
    assert decided(**facts, broken=True) is State.OFFLINE


@pytest.mark.parametrize(
    ("facts", "broken"),
    [
        ({}, False),
        ({"online": False}, True),
        ({"beat_age": 10.0, "silence": 3.0}, False),
        ({"beat_age": 10.1, "silence": 0.0}, True),
        # It beats, and need not know yet that its line is cut.
        ({"beat_age": 1.0, "silence": 12.0}, False),
        ({"beat_age": 1.0, "silence": 12.1}, True),
        ({"beat_age": 9.0, "silence": 4.1}, True),
    ],
)
def test_a_path_is_broken_where_either_end_of_it_is_silent(
    facts: dict[str, Any], broken: bool
) -> None:
    assert is_broken(**facts) is broken


@given(beat_age=spans, silence=spans)
def test_nobody_is_heard_for_longer_than_pages_may_take(beat_age: float, silence: float) -> None:
    if not is_broken(beat_age=beat_age, silence=silence):
        assert beat_age + silence <= 10 + PONG_SECONDS


@given(
    age=ages,
    broken=st.booleans(),
    closed=st.booleans(),
    patience=spans,
    overdue=st.booleans(),
    open_for=ages,
)
def test_live_is_only_a_young_price_of_an_open_market_on_a_whole_path(
    age: float | None, broken: bool, closed: bool, **facts: Any
) -> None:
    state = decided(age=age, broken=broken, closed=closed, **facts)
    if state is State.LIVE:
        assert age is not None and age <= max(60, facts["patience"])
        assert facts["open_for"] is None or age <= facts["open_for"]
        assert not facts["overdue"]
        assert not broken and not closed


@given(age=ages, patience=spans, open_for=ages)
def test_a_closed_market_is_never_stale(**facts: Any) -> None:
    assert decided(**facts, closed=True) in (State.CLOSED, State.WAITING)


@given(age=spans, longer=spans, patience=spans, open_for=ages)
def test_what_is_stale_stays_so_in_silence(
    age: float, longer: float, patience: float, open_for: float | None
) -> None:
    later = None if open_for is None else open_for + longer
    if decided(age=age, patience=patience, open_for=open_for) is State.STALE:
        assert decided(age=age + longer, patience=patience, open_for=later) is State.STALE


@given(age=spans, patience=spans, more=spans, open_for=ages)
def test_more_patience_makes_nothing_stale(
    age: float, patience: float, more: float, open_for: float | None
) -> None:
    if decided(age=age, patience=patience + more, open_for=open_for) is State.STALE:
        assert decided(age=age, patience=patience, open_for=open_for) is State.STALE


def test_a_state_prints_as_pages_and_scripts_spell_it() -> None:
    assert [str(state) for state in State] == ["waiting", "live", "stale", "closed", "offline"]
    assert [f"{State.LIVE}", State.LIVE] == ["live", "live"]


# -- the rhythm of a room


def rhythm_of(*gaps: float, floor: float = FLOOR) -> Rhythm:
    """Return the rhythm after ticks with these gaps between them."""
    rhythm, now = Rhythm(floor), 1000.0
    rhythm.tick(now)
    for gap in gaps:
        now += gap
        rhythm.tick(now)
    return rhythm


def test_a_new_room_is_given_the_time_of_one_that_ticks_as_slowly_as_the_floor() -> None:
    assert Rhythm(FLOOR).patience == rhythm_of().patience == GAPS * FLOOR


def test_a_room_that_ticks_often_is_soon_held_to_the_floor() -> None:
    assert rhythm_of(*[0.5] * 140).patience == FLOOR


def test_a_burst_teaches_nothing() -> None:
    assert rhythm_of(*[0.0] * 1000).patience == rhythm_of().patience
    assert rhythm_of(100, *[0.001] * 1000).patience == pytest.approx(300, rel=0.001)


def test_a_room_of_one_tick_an_hour_is_known_as_such_after_four_ticks() -> None:
    assert rhythm_of(*[HOUR] * 2).patience < HOUR
    assert rhythm_of(*[HOUR] * 3).patience > HOUR
    assert rhythm_of(*[HOUR] * 50).patience == GAPS * HOUR


def test_a_long_gap_is_forgotten_within_hours() -> None:
    busy = [5.0] * 720
    patience = [rhythm_of(150, *busy * hours).patience for hours in range(4)]

    assert patience == sorted(patience, reverse=True)
    assert (patience[0], patience[3]) == (450, FLOOR)


def test_an_outage_does_not_make_a_busy_room_patient() -> None:
    assert rhythm_of(*[0.5] * 200, 8 * HOUR).patience == GAPS * FLOOR


def test_a_rest_teaches_nothing() -> None:
    rhythm = rhythm_of(*[1.0] * 200)
    rhythm.rest(1200 + HOUR)
    rhythm.tick(1201 + HOUR)

    assert rhythm.patience == FLOOR


def test_a_clock_that_jumps_back_teaches_nothing() -> None:
    assert rhythm_of(*[1.0] * 200, -HOUR, 1.0).patience == FLOOR * GAPS
    assert rhythm_of(*[1.0] * 200, -HOUR, *[1.0] * 3800).patience == FLOOR


gaps = st.lists(st.floats(0, 1e5), max_size=30)


@given(gaps=gaps, floor=st.floats(0.1, 1e5))
def test_patience_keeps_between_floor_and_ceiling(gaps: list[float], floor: float) -> None:
    patience = rhythm_of(*gaps, floor=floor).patience

    assert floor <= patience <= max(floor, CEILING_SECONDS)


@given(gaps=gaps, above=st.floats(0, 1e5), longer=st.floats(0, 1e5))
def test_a_longer_last_gap_of_one_that_counts_never_makes_a_room_less_patient(
    gaps: list[float], above: float, longer: float
) -> None:
    before = rhythm_of(*gaps).patience
    # One that is shorter than what is remembered only lets time pass.
    last = before / GAPS * (1 + 1e-9) + above

    assert rhythm_of(*gaps, last + longer).patience >= rhythm_of(*gaps, last).patience


@given(gap=st.floats(0, CEILING_SECONDS / GAPS), count=st.integers(12, 40))
def test_a_room_that_keeps_its_rate_is_never_stale(gap: float, count: int) -> None:
    assert rhythm_of(*[gap] * count).patience >= min(GAPS * gap, CEILING_SECONDS) * 0.999


def test_no_patience_beyond_the_longest_keeps_a_silent_room_live() -> None:
    """What is expected comes from the cache and the layer, where anybody may write."""
    expected = Expectation(patience=30_000_000_000.0)
    states = [
        decide(age=age, expected=expected, now=1e9, broken=False, stale_after=60)
        for age in (CEILING_SECONDS, CEILING_SECONDS + 1)
    ]

    assert states == [State.LIVE, State.STALE]


def test_an_opening_in_the_future_keeps_no_room_from_being_stale() -> None:
    expected = Expectation(since=1e9 + 2 * OPENING_SECONDS)

    assert decide(age=61, expected=expected, now=1e9, broken=False, stale_after=60) is State.STALE
