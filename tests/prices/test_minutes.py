"""The last price of each minute: what is kept of an hour, and how it is read."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.entries import decode, encode
from django_fcs.prices.minutes import KEPT, Closes, Minutes
from django_fcs.protocol.bounds import PRICE_MAX, TIME_MAX
from django_fcs.tools.metrics import counts

NOW = 28_000_000
"""A minute."""


def closes_of(*ticks: tuple[float, float]) -> Closes:
    """Note prices that came so many minutes after ``NOW``."""
    closes = Closes(60.0 * NOW)
    for close, after in ticks:
        closes.note(close, 60.0 * (NOW + after))
    return closes


def test_the_last_price_of_a_minute_is_kept_and_a_minute_without_one_is_a_hole() -> None:
    closes = closes_of((1.1, 0), (1.2, 0.99), (1.3, 2), (1.4, 3))

    assert closes.until(NOW + 3) == Minutes(NOW + 2, (1.2, None, 1.3))
    assert closes.until(NOW + 9) == Minutes(NOW + 3, (1.2, None, 1.3, 1.4))


def test_a_minute_that_has_not_ended_is_not_given() -> None:
    assert closes_of((1.1, 0)).until(NOW) is None
    assert closes_of().until(NOW + 1) is None


def test_an_hour_is_kept() -> None:
    closes = closes_of(*((1.0 + n, n) for n in range(100)))

    assert closes.until(NOW + 100) == Minutes(NOW + 99, tuple(1.0 + n for n in range(40, 100)))
    assert closes.until(NOW + 158) == Minutes(NOW + 99, (99.0 + 0, 100.0))
    assert closes.until(NOW + 160) is None


def test_after_a_long_pause_nothing_of_before_is_left() -> None:
    assert closes_of((1.1, 0), (1.2, 60)).until(NOW + 61) == Minutes(NOW + 60, (1.2,))
    assert closes_of((1.1, 0), (1.2, 59)).until(NOW + 60) == Minutes(
        NOW + 59, (1.1, *[None] * 58, 1.2)
    )


def test_of_a_clock_that_is_set_back_what_it_called_later_is_forgotten() -> None:
    closes = closes_of((1.1, 0), (1.2, 1), (1.3, 2), (1.4, 1))
    assert closes.until(NOW + 9) == Minutes(NOW + 1, (1.1, 1.4))

    closes.note(1.5, 60.0 * (NOW + 3))
    assert closes.until(NOW + 9) == Minutes(NOW + 3, (1.1, 1.4, None, 1.5))


def test_what_an_earlier_stream_saved_fills_only_what_is_older() -> None:
    before = Minutes(NOW + 1, (0.5, None, 0.7, 0.8))
    closes = closes_of((1.1, 0))
    closes.recall(before)
    assert closes.until(NOW + 1) == Minutes(NOW, (0.5, None, 1.1))

    closes = closes_of()
    closes.recall(before)
    assert closes.until(NOW + 1) == Minutes(NOW - 2, (0.5,))
    closes = closes_of((1.1, 70))
    closes.recall(before)
    assert closes.until(NOW + 71) == Minutes(NOW + 70, (1.1,))


@pytest.mark.parametrize(
    ("last", "end"), [(-9, -2), (-2, -2), (-1, -1), (0, 0), (1, 0), (2**20, 0)]
)
def test_what_is_read_ends_with_the_last_minute_or_the_one_before_it(last: int, end: int) -> None:
    minutes = Minutes(NOW + last, tuple(float(NOW + last - n) for n in reversed(range(KEPT))))

    seen = minutes.seen_at(60.0 * NOW + 30)

    assert len(seen) == KEPT
    for minute, close in enumerate(seen, NOW + end - KEPT + 1):
        is_kept = NOW + last - KEPT < minute <= NOW + last
        assert close == (float(minute) if is_kept else None)


ticks = st.lists(st.tuples(st.integers(1, 9), st.integers(-150, 150)), max_size=30)


@given(ticks, st.integers(-200, 200))
def test_however_the_clock_jumps_the_values_are_the_last_of_their_minute(
    said: list[tuple[int, int]], at: int
) -> None:
    last: dict[int, float] = {}
    for close, after in said:
        now = NOW + after
        last = {minute: value for minute, value in last.items() if now - KEPT < minute <= now}
        last[now] = float(close)
    found = closes_of(*((float(close), float(after)) for close, after in said)).until(NOW + at)

    ended = range(NOW + at - KEPT, NOW + at)
    assert dict(found or ()) == {minute: close for minute, close in last.items() if minute in ended}


# -- in the store


def test_what_is_encoded_is_decoded() -> None:
    minutes = Minutes(NOW, (1.1, None, 1.25))

    assert json.loads(encode(minutes)) == {"last": NOW, "closes": [1.1, None, 1.25]}
    assert decode(encode(minutes), Minutes) == minutes


ODD_LAST: tuple[Any, ...] = (1.5, "x", None, 10**400, TIME_MAX, -TIME_MAX)
ODD_CLOSES: tuple[Any, ...] = ([], None, "x", {}, [1.0] * (KEPT + 1))
ODD_CLOSE: tuple[Any, ...] = (1e-300, -1e-300, 2 * PRICE_MAX, -2 * PRICE_MAX, "1", [])
ODD: tuple[Any, ...] = (
    *({"last": odd} for odd in ODD_LAST),
    *({"closes": odd} for odd in ODD_CLOSES),
    *({"closes": [odd]} for odd in ODD_CLOSE),
)


@pytest.mark.parametrize("changes", ODD)
def test_a_malformed_entry_counts_as_missing(changes: dict[str, Any]) -> None:
    whole = {"last": NOW, "closes": [1.1], **changes}

    assert decode(json.dumps(whole), Minutes) is None
    assert counts()["store_malformed"] == 1


@given(
    st.integers(-TIME_MAX // 60, TIME_MAX // 60),
    st.lists(st.none() | st.floats(1, 2), min_size=1, max_size=KEPT),
    st.floats(-TIME_MAX, TIME_MAX),
)
def test_whatever_a_valid_entry_says_an_hour_of_prices_is_read(
    last: int, closes: list[float | None], now: float
) -> None:
    seen = Minutes(last, tuple(closes)).seen_at(now)

    assert len(seen) == KEPT
    assert all(close is None or math.isfinite(close) for close in seen)
