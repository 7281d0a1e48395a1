"""Which numbers of candles, and which times, may be asked for."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from django_fcs.candles.ranges import LIMIT, Range
from django_fcs.exceptions import BadRange

#: The year 3000.
LATEST = 32_503_680_000


@pytest.mark.parametrize("limit", [1, 300, 10_000])
@pytest.mark.parametrize("before", [None, 0, 1_766_361_600, LATEST])
def test_a_range_may_end_in_the_future_but_has_at_most_ten_thousand_candles(
    limit: int, before: int | None
) -> None:
    assert Range.read(limit, before) == (limit, before)


def test_without_numbers_it_is_the_usual_range_up_to_now() -> None:
    assert Range.read() == Range.read(None, None) == (LIMIT, None)


WRONG = [
    *(True, False, -1, 1.0, 300.5, math.nan, math.inf, "300", "", b"3", [], Decimal(3)),
    *(10**5000, "9" * 5000, object()),
]


@pytest.mark.parametrize(
    "limit", [0, 10_001, 10**9, *WRONG], ids=lambda value: type(value).__name__
)
def test_a_wrong_limit_is_told_with_the_bounds(limit: object) -> None:
    with pytest.raises(BadRange, match="limit .* is not a whole number from 1 to 10000$") as raised:
        Range.read(limit)

    assert len(str(raised.value)) < 150


@pytest.mark.parametrize(
    "before", [LATEST + 1, 1_766_361_600_000, *WRONG], ids=lambda value: type(value).__name__
)
def test_a_wrong_time_is_told_with_its_unit(before: object) -> None:
    expected = r"before .* is not a whole number from 0 to 32503680000 \(unix seconds\)$"
    with pytest.raises(BadRange, match=expected) as raised:
        Range.read(1, before)

    assert len(str(raised.value)) < 170
