"""The token bucket: a burst, and a rate after it."""

from __future__ import annotations

from hypothesis import given, strategies as st

from django_fcs.tools.tokenbucket import TokenBucket


def taken(bucket: TokenBucket, tries: int) -> int:
    return sum(bucket.take() for _ in range(tries))


def test_a_burst_is_allowed_and_no_more() -> None:
    bucket = TokenBucket(burst=3, rate=1, monotonic=lambda: 0.0)

    assert taken(bucket, 10) == 3


def test_what_was_taken_comes_back_at_the_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(burst=100, rate=50, monotonic=lambda: now[0])
    taken(bucket, 100)

    now[0] += 1
    assert taken(bucket, 100) == 50
    now[0] += 0.01
    assert taken(bucket, 1) == 0
    now[0] += 0.01
    assert taken(bucket, 100) == 1


def test_many_are_taken_together_or_not_at_all() -> None:
    bucket = TokenBucket(burst=10, rate=0, monotonic=lambda: 0.0)

    assert [bucket.take(number) for number in (6, 6, 4, 1)] == [True, False, True, False]


def test_a_long_rest_saves_up_no_more_than_the_burst() -> None:
    now = [0.0]
    bucket = TokenBucket(burst=3, rate=50, monotonic=lambda: now[0])

    now[0] += 3600
    assert taken(bucket, 10) == 3


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_never_more_than_burst_and_rate_together_allow(
    pauses: list[int], burst: int, rate: int
) -> None:
    now = [0.0]
    bucket = TokenBucket(burst=burst, rate=rate, monotonic=lambda: now[0])
    total = 0
    for pause in pauses:
        now[0] += pause / 16
        total += bucket.take()

    assert total <= burst + rate * now[0]


def test_the_clock_of_the_machine_is_the_default() -> None:
    assert taken(TokenBucket(burst=2, rate=0), 5) == 2
