"""Backoff: the pauses before one tries again."""

from __future__ import annotations

import random
from itertools import islice

from hypothesis import given, strategies as st

from django_fcs.tools.backoff import doubling, full_jitter

seconds = st.floats(0.01, 1e4)


def test_pauses_double_up_to_the_cap_and_stay_there() -> None:
    assert list(islice(doubling(first=60, cap=900), 7)) == [60, 120, 240, 480, 900, 900, 900]


def test_a_first_pause_above_the_cap_is_the_cap() -> None:
    assert list(islice(doubling(first=10, cap=5), 3)) == [5, 5, 5]


@given(first=seconds, cap=seconds)
def test_no_pause_is_ever_above_the_cap_or_shorter_than_the_one_before(
    first: float, cap: float
) -> None:
    # Long enough for a pause without a cap to outgrow all floats.
    pauses = list(islice(doubling(first=first, cap=cap), 1100))

    assert max(pauses) <= cap
    assert pauses == sorted(pauses)


@given(seed=st.integers(), first=seconds, cap=seconds)
def test_jitter_draws_from_nothing_up_to_the_ceiling(seed: int, first: float, cap: float) -> None:
    ceilings = islice(doubling(first=first, cap=cap), 20)
    pauses = full_jitter(random.Random(seed), first=first, cap=cap)

    assert all(0 <= next(pauses) <= ceiling for ceiling in ceilings)


def test_jitter_spreads_over_the_whole_range() -> None:
    pauses = list(islice(full_jitter(random.Random(1), first=60, cap=60), 2000))

    assert min(pauses) < 2 and max(pauses) > 58
    assert 28 < sum(pauses) / len(pauses) < 32


def test_the_same_seed_gives_the_same_pauses() -> None:
    first, second = (full_jitter(random.Random(7), first=1, cap=60) for _ in range(2))

    assert list(islice(first, 9)) == list(islice(second, 9))
