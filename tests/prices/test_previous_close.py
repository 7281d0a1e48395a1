"""Which close of the history counts as the previous one."""

from __future__ import annotations

import pytest

from django_fcs.protocol import Candle
from tests.prices.test_intake import DAY, Feed, malformed


def test_a_previous_close_of_zero_is_none() -> None:
    feed = Feed()

    assert feed.say(1.1, mode="initial", o=1.0, history=[Candle(c=0)])
    assert (feed.snapshot.pc, feed.snapshot.change_percent, malformed()) == (None, 10.0, 1)


@pytest.mark.parametrize("close", [1e12, -1e12, 1e5, 1e-5, 1e-15])
@pytest.mark.parametrize("mode", ["candle", "initial", "close"])
def test_a_previous_close_far_from_the_price_is_none(close: float, mode: str) -> None:
    feed = Feed()

    assert feed.say(1.1, mode=mode, o=1.0, history=[Candle(c=1.05), Candle(c=close)])
    assert (feed.snapshot.pc, feed.snapshot.change_percent, malformed()) == (None, 10.0, 1)
    assert feed.say(1.1, mode=mode, o=1.0, history=[Candle(c=close), Candle(c=1.05)])
    assert feed.snapshot.pc == 1.05


def test_a_previous_close_far_from_a_quote_is_none() -> None:
    feed = Feed()

    assert feed.say(None, mode="askbid", a=1.2, b=1.1, history=[Candle(c=1e12)])
    assert feed.snapshot.pc is None


def test_a_room_near_zero_has_no_previous_close_far_away_either() -> None:
    feed, candle = Feed(), {"o": 0.05, "h": 0.1, "l": -0.1}
    assert feed.say(0.02, **candle)

    assert feed.say(0.02, **candle, history=[Candle(c=1e12)])
    assert feed.snapshot.pc is None
    assert feed.say(0.02, **candle, history=[Candle(c=0)])
    assert feed.snapshot.pc == 0


@pytest.mark.parametrize("close", [0.0002, 5000.0, -37.63])
def test_a_previous_close_may_be_that_of_a_day_with_a_large_gap(close: float) -> None:
    feed = Feed()

    assert feed.say(10.0 if close < 0 else 1.1, mode="initial", history=[Candle(c=close)])
    assert (feed.snapshot.pc, malformed()) == (close, 0)


@pytest.mark.parametrize("t", [DAY, DAY + 86_400, 32_503_680_000])
def test_a_candle_that_is_not_earlier_has_no_previous_close(t: int) -> None:
    feed = Feed()

    assert feed.say(1.1, mode="initial", history=[Candle(t=t, c=1.05)])
    assert feed.snapshot.pc is None
    assert feed.say(1.1, mode="initial", history=[Candle(t=DAY - 86_400, c=1.05)])
    assert feed.snapshot.pc == 1.05
