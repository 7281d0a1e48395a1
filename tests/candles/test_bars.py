"""Single candles: what is read as one, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.candles.bars import Bar, is_sound, read_bar
from django_fcs.protocol.bounds import PRICE_MAX, TIME_MAX, VOLUME_MAX
from django_fcs.values.timeframes import LENGTHS, LONGEST
from tests.candles.making import at

NOW = at("2026-03-05 12:00")


def read(**changes: Any) -> Bar | None:
    fields = {"t": NOW - 60, "o": 1.2, "h": 1.3, "l": 1.1, "c": 1.25, "v": 7, **changes}
    return read_bar(*fields.values(), timeframe="1", now=NOW)


def test_numbers_and_their_texts_are_the_same_candle() -> None:
    whole = Bar(NOW - 60, 1.2, 1.3, 1.1, 1.25, 7)

    assert read() == whole
    assert read(t=str(NOW - 60), o="1.2", h="1.30", l="+1.1", c="1.25e0", v="7") == whole
    assert read(t=float(NOW - 60)) == whole


def test_a_price_of_many_decimals_stays_as_it_was_sent() -> None:
    tiny = read(o="0.00000123", h="0.00000124", l="0.00000122", c="1.23e-6")

    assert tiny == Bar(NOW - 60, 0.00000123, 0.00000124, 0.00000122, 0.00000123, 7)


ODD_PRICES: tuple[Any, ...] = (
    *("NaN", "nan", "inf", math.nan, math.inf, True, None, "", "x", []),
    *(10**400, "9" * 400, "1_0", "0x2", " 1.3", "1.3\n", "\u0661.3", "1.3" + "0" * 40, b"2"),
)
ODD_TIMES: tuple[Any, ...] = (
    *("NaN", True, None, -1, NOW + 0.5, "2026-03-05", [], 10**400),
    # Milliseconds, and a time in the future.
    *(1000 * NOW, str(1000 * NOW), NOW + 361, TIME_MAX + 1),
)


@pytest.mark.parametrize(
    "changes",
    [
        *({"h": odd} for odd in ODD_PRICES),
        *({"t": odd} for odd in ODD_TIMES),
        *({"h": 1.0}, {"o": 1.31}, {"o": 1.09}, {"c": 1.31}, {"c": 1.09}, {"h": 2 * PRICE_MAX}),
        *(
            {"l": 1e-300},
            {"c": 1e-300, "l": -1},
            {"o": 1e-300, "l": -1},
            {"o": 0, "h": math.inf, "l": -math.inf},
        ),
    ],
    ids=repr,
)
def test_what_cannot_be_a_candle_is_none(changes: dict[str, Any]) -> None:
    assert read(**changes) is None


@pytest.mark.parametrize("v", [None, "", "NaN", -1, 2 * VOLUME_MAX, True, [], 10**400])
def test_without_a_volume_that_can_be_one_a_candle_counts(v: object) -> None:
    found = read(v=v)

    assert found is not None
    assert found.v is None


@pytest.mark.parametrize(
    ("timeframe", "lead"), [("1", 360), ("240", 14_700), ("1D", 86_700), ("1M", 86_700)]
)
def test_a_candle_opens_as_far_in_the_future_as_a_live_one(timeframe: str, lead: int) -> None:
    def opens(t: int) -> bool:
        return read_bar(t, 1, 1, 1, 1, None, timeframe=timeframe, now=NOW) is not None

    assert opens(NOW + lead)
    assert not opens(NOW + lead + 1)
    assert opens(0)


def test_a_price_of_zero_and_one_below_it_are_prices() -> None:
    assert read(o=0, h=0, l=-37.63, c=-0.5) == Bar(NOW - 60, 0, 0, -37.63, -0.5, 7)


anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.floats().map(repr)
    | st.sampled_from(["1.2", 1.2, NOW, str(NOW), [], {}, b""])
)


@given(st.tuples(*[anything] * 6), st.sampled_from(sorted(LENGTHS)))
def test_whatever_comes_a_candle_is_sound_or_none(fields: tuple[Any, ...], timeframe: str) -> None:
    found = read_bar(*fields, timeframe=timeframe, now=NOW)

    assert found is None or (is_sound(found) and 0 <= found.t <= NOW + LONGEST[timeframe] + 300)
