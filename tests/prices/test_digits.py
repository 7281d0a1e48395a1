"""Digits: how many decimals of a price are shown, and how they are learned."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.snapshots import (
    NEEDED_MAX,
    PATIENCE_FRAMES,
    decimals,
    digits_for,
)
from django_fcs.protocol.bounds import DIGITS_MAX
from tests.prices.test_snapshots import candle, frame, snapshot_of


@pytest.mark.parametrize(
    ("value", "count"),
    [
        *((1.0, 0), (100, 0), (1.5, 1), (1.10842, 5), (-0.25, 2), (0.0, 0), (1e-7, 7)),
        *((1.5e-7, 8), (1e22, 0), (1e16, 0), (123456789.125, 3), (8.65e-06, 8)),
        *((0.1 + 0.2, 1), (1.1 * 1.1, 2), (99.9999999999986, 0), (0.000012395678, 12)),
        *((1.234e-10, 13), (1e-11, 11), (1e-15, 15), (1.2345e-15, 19), (90150.12345678, 8)),
        *((1e15, 0), (1e-16, 0), (1e-300, 0), (0.30000000000000004, 1)),
    ],
)
def test_decimals_are_those_a_person_would_count(value: float, count: int) -> None:
    assert decimals(value) == count


@given(st.integers(-(10**12), 10**12), st.integers(0, 15))
def test_decimals_tell_a_price_from_its_neighbours(number: int, digits: int) -> None:
    value = number / 10**digits

    assert decimals(value) <= digits
    assert round(value, decimals(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimals_of_any_number_are_fit_to_be_shown(value: float) -> None:
    assert 0 <= decimals(value) <= DIGITS_MAX


def test_digits_are_the_most_that_the_feed_has_sent() -> None:
    snapshot = snapshot_of(candle(60, 1.1), frame("askbid", 60, c=1.1, a=1.1234), candle(60, 1.2))

    assert snapshot.digits == 4


def test_digits_of_a_single_stray_value_are_forgotten() -> None:
    snapshot = snapshot_of(*[candle(60, 1.1)] * 3, frame("askbid", 60, c=1.1000000001))
    assert snapshot.digits == 10

    for _ in range(PATIENCE_FRAMES):
        snapshot.merge(candle(60, 1.1))
    assert snapshot.digits == 1


def test_digits_that_a_price_needs_stay_while_it_is_shown() -> None:
    snapshot = snapshot_of(candle(60, 1.1, h=1.1000000001))

    for _ in range(PATIENCE_FRAMES * NEEDED_MAX * 2):
        snapshot.merge(frame("askbid", 60, c=1.1))
    assert snapshot.digits == 10


def test_digits_that_were_needed_often_outlast_a_run_of_round_prices() -> None:
    snapshot = snapshot_of(*(frame("askbid", c=1.1084 + i / 100_000) for i in range(1, 10)))

    for _ in range(PATIENCE_FRAMES * 9 - 1):
        snapshot.merge(frame("askbid", c=1.1))
    assert snapshot.digits == 5
    snapshot.merge(frame("askbid", c=1.1))
    assert snapshot.digits == 1


@pytest.mark.parametrize(("setting", "digits"), [(99, DIGITS_MAX), (-1, 0)])
def test_digits_that_the_site_sets_are_bounded(setting: int, digits: int) -> None:
    assert digits_for("FX:EURUSD", {"FX:*": setting}) == digits


@pytest.mark.parametrize("field", ["o", "h", "l", "c", "a", "b"])
def test_every_price_teaches_digits_and_a_volume_none(field: str) -> None:
    assert snapshot_of(frame("candle", 60, **{field: 1.125})).digits == 3
    assert snapshot_of(candle(60, 1, v=0.123456)).digits == 0


def test_digits_that_the_site_sets_are_not_learned_over() -> None:
    assert snapshot_of(candle(60, 1.12345), digits=2).digits == 2
    assert snapshot_of(candle(60, 1.12345), digits=0).digits == 0


def test_the_first_pattern_that_fits_sets_the_digits() -> None:
    patterns = {"FX:*JPY": 3, "FX:*": 5, "BINANCE:BTCUSDT": 2}

    assert digits_for("FX:USDJPY", patterns) == 3
    assert digits_for("FX:EURUSD", patterns) == 5
    assert digits_for("BINANCE:BTCUSDT", patterns) == 2
    assert digits_for("BINANCE:BTCUSDC", patterns) is None
    assert digits_for("fx:eurusd", patterns) is None
    assert digits_for("FX:EURUSD", {}) is None
