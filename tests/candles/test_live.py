"""The bar that is forming, as the last value of a room has it."""

from __future__ import annotations

from typing import Any

import pytest

from django_fcs.candles.bars import Bar
from django_fcs.candles.live import LiveBar, live_bars
from django_fcs.prices.states import Expectation
from django_fcs.prices.store import LastValue
from django_fcs.protocol import Price, serialise
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts

HOUR = Room("FX:EURUSD", "60")
T = 1_766_361_600
NOW = T + 1800.0


OPEN = Expectation()


def value(room: Room = HOUR, *, expected: Expectation = OPEN, **fields: Any) -> LastValue:
    known = {
        **{"symbol": room.symbol, "timeframe": room.timeframe, "mode": "candle", "t": T},
        **{"o": 1.2, "h": 1.4, "l": 1.1, "c": 1.3, "v": 7.0, "seq": 1, "at": NOW},
        **fields,
    }
    return LastValue(serialise(Price(**known)), expected)


def test_a_candle_is_the_bar_of_its_time() -> None:
    bar = Bar(T, 1.2, 1.4, 1.1, 1.3, 7.0)

    assert live_bars(HOUR, value(), NOW) == [LiveBar(bar, NOW, False)]
    assert live_bars(HOUR, value(mode="close"), NOW) == [LiveBar(bar, NOW, True)]


@pytest.mark.parametrize(("c", "close"), [(1.3, 1.3), (1.5, 1.4), (1.0, 1.1)])
def test_ask_and_bid_move_the_close_within_high_and_low_while_the_bar_forms(
    c: float, close: float
) -> None:
    [live] = live_bars(HOUR, value(mode="askbid", c=c, update=int(NOW)), NOW)

    assert live.bar[:5] == (T, 1.2, 1.4, 1.1, close)


def test_the_bar_that_ended_before_comes_first_and_is_final() -> None:
    ended = (T - 3600, 1.1, 1.3, 1.0, 1.2, None)
    last = LastValue(value().text, OPEN, ended)

    assert [(one.bar.t, one.is_final) for one in live_bars(HOUR, last, NOW)] == [
        (T - 3600, True),
        (T, False),
    ]
    wrong = LastValue(value().text, OPEN, (T - 3600, 1.1, 1.0, 1.3, 1.2, None))
    assert [one.bar.t for one in live_bars(HOUR, wrong, NOW)] == [T]


@pytest.mark.parametrize("times", [{"update": T + 3600}, {"at": T + 3600.5}])
def test_ask_and_bid_move_no_bar_that_has_ended(times: dict[str, Any]) -> None:
    assert live_bars(HOUR, value(mode="askbid", c=1.5, **times), T + 3601) == []
    assert live_bars(HOUR, value(**times), T + 3601) != []


@pytest.mark.parametrize(("after", "moves"), [(-1, True), (0, False), (1800, False)])
def test_ask_and_bid_move_no_day_whose_session_has_ended(after: int, moves: bool) -> None:
    friday, opened, end = Room("FX:EURUSD", "1D"), 1_766_095_200, 1_766_181_600
    times: dict[str, Any] = {"t": opened, "update": end + after, "at": end + after}

    assert (live_bars(friday, value(friday, mode="askbid", **times), end + 1801) != []) is moves


@pytest.mark.parametrize(("timeframe", "moves"), [("60", False), ("1D", False), ("1W", True)])
def test_a_bar_of_a_week_outlasts_the_session_at_whose_end_others_end(
    timeframe: str, moves: bool
) -> None:
    room = Room("NASDAQ:AAPL", timeframe)
    closed = Expectation(closed=True, since=T + 600.0)
    late = value(room, mode="askbid", expected=closed, update=T + 700)
    early = value(room, mode="askbid", expected=closed, update=T + 500)

    assert (live_bars(room, late, NOW) != []) is moves
    assert live_bars(room, early, NOW) != []


@pytest.mark.parametrize(
    "fields",
    [{"t": None}, {"o": None}, {"h": 1.0}, {"c": 2.0}, {"o": 9.0}, {"t": T + 9 * 86_400}],
    ids=str,
)
def test_a_value_without_a_whole_bar_that_can_be_has_none(fields: dict[str, Any]) -> None:
    assert live_bars(HOUR, value(**fields), NOW) == []


@pytest.mark.parametrize("text", ["", "junk", "[]", '{"type":"price"}', "\ud800", "1" * 5000])
def test_a_value_that_others_wrote_has_none_and_counts(text: str) -> None:
    assert live_bars(HOUR, LastValue(text), NOW) == []
    assert counts()["store_malformed"] == 1


def test_a_value_of_another_room_has_none() -> None:
    assert live_bars(Room("FX:EURUSD", "1D"), value(), NOW) == []
