"""States: what a price may claim to be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_fcs.states import State, decide

HEALTHY = {
    **{"age": 1.0, "beat_age": 1.0, "online": True, "closed": False},
    **{"stale_after": 60.0, "offline_after": 10.0},
}


def decided(**facts: Any) -> State:
    return decide(**{**HEALTHY, **facts})


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
        ({"beat_age": 10.0}, State.LIVE),
        ({"beat_age": 10.1}, State.OFFLINE),
        ({"beat_age": None}, State.OFFLINE),
        ({"online": False}, State.OFFLINE),
    ],
)
def test_the_state_follows_from_ages_beat_and_session(facts: dict[str, Any], state: State) -> None:
    assert decided(**facts) is state


@given(
    age=st.none() | st.floats(0, 1e6),
    closed=st.booleans(),
    broken=st.sampled_from([{"online": False}, {"beat_age": None}, {"beat_age": 11.0}]),
)
def test_nothing_is_claimed_behind_a_broken_path(
    age: float | None, closed: bool, broken: dict[str, Any]
) -> None:
    assert decided(age=age, closed=closed, **broken) is State.OFFLINE


@given(
    age=st.none() | st.floats(0, 1e6),
    beat_age=st.none() | st.floats(0, 1e3),
    online=st.booleans(),
    closed=st.booleans(),
)
def test_live_is_only_a_young_price_of_an_open_market_on_a_whole_path(
    age: float | None, beat_age: float | None, online: bool, closed: bool
) -> None:
    if decided(age=age, beat_age=beat_age, online=online, closed=closed) is State.LIVE:
        assert age is not None and age <= 60
        assert beat_age is not None and beat_age <= 10
        assert online and not closed


def test_a_state_prints_as_pages_and_scripts_spell_it() -> None:
    assert [str(state) for state in State] == ["waiting", "live", "stale", "closed", "offline"]
    assert f"{State.LIVE}" == State.LIVE == "live"
