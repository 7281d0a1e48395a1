"""The current candle of a snapshot, which no tick moves after its end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Price
from django_fcs.rooms import Room

ROOM = Room("FX:EURUSD", "1")


def frame(mode: str, t: int | None = None, room: Room = ROOM, **fields: Any) -> Price:
    return Price(symbol=room.symbol, timeframe=room.timeframe, mode=mode, t=t, **fields)


def candle(t: int, c: float = 1.2, **fields: Any) -> Price:
    return frame("candle", t, **{"o": 1.2, "h": 1.3, "l": 1.1, "c": c, "v": 7, **fields})


def snapshot_of(*frames: Price, room: Room = ROOM) -> Snapshot:
    snapshot = Snapshot(room)
    for price in frames:
        snapshot.merge(price)
    return snapshot


def test_the_bar_is_the_candle_with_the_close_of_its_last_tick() -> None:
    snapshot = snapshot_of(candle(60))
    assert snapshot.bar == (60, 1.2, 1.3, 1.1, 1.2, 7)

    for c, update in ((1.25, 61), (1.26, 119.9)):
        snapshot.merge(frame("askbid", 60, c=c, update=update))
        assert snapshot.bar == (60, 1.2, 1.3, 1.1, c, 7)
    snapshot.merge(frame("askbid", c=1.22, update=100))
    assert snapshot.bar == (60, 1.2, 1.3, 1.1, 1.22, 7)


@pytest.mark.parametrize(
    "tick",
    [
        {"c": 1.25, "update": 120},
        {"c": 1.25, "update": 59},
        {"c": 1.25},
        {"c": 1.31, "update": 100},
        {"c": 1.09, "update": 100},
        {"a": 1.25, "update": 100},
    ],
)
def test_no_tick_outside_of_the_candle_moves_its_close(tick: dict[str, Any]) -> None:
    snapshot = snapshot_of(candle(60, 1.21), frame("askbid", 60, **tick))

    assert snapshot.bar == (60, 1.2, 1.3, 1.1, 1.21, 7)
    assert snapshot.c == tick.get("c", 1.21)


@pytest.mark.parametrize(
    ("timeframe", "hours"), [("60", 1), ("1D", 25), ("1W", 7 * 24 + 1), ("1M", 31 * 24 + 1)]
)
def test_a_candle_is_open_for_as_long_as_it_may_be(timeframe: str, hours: int) -> None:
    room = Room("FX:EURUSD", timeframe)

    def close_after(seconds: float) -> float:
        tick = frame("askbid", 60, room, c=1.25, update=60 + seconds)
        bar = snapshot_of(candle(60), tick, room=room).bar
        assert bar is not None
        return bar[4]

    assert close_after(3600 * hours - 1) == 1.25
    assert close_after(3600 * hours) == 1.2


def test_without_the_prices_of_a_candle_there_is_no_bar() -> None:
    assert snapshot_of().bar is None
    assert snapshot_of(frame("askbid", 60, c=1.2, update=61)).bar is None
    begun = snapshot_of(candle(60), frame("askbid", 120, c=1.25, update=121))
    assert begun.bar is None
    begun.merge(candle(120, 1.22))
    assert begun.bar == (120, 1.2, 1.3, 1.1, 1.22, 7)
    begun.go_back_to(60)
    assert begun.bar is None


@pytest.mark.parametrize("odd", [{"h": 1.0}, {"o": 1.4}, {"o": 1.0}, {"c": 1.4}, {"c": 1.0}])
def test_a_candle_that_contradicts_itself_is_no_bar(odd: dict[str, float]) -> None:
    assert snapshot_of(candle(60, **odd)).bar is None


prices = st.integers(90, 140).map(lambda n: n / 100)
ticks = st.builds(frame, st.just("askbid"), st.just(60), c=prices, update=st.integers(0, 300))


@given(st.lists(ticks, max_size=12))
def test_no_askbid_moves_a_bar_that_has_ended(ticks: list[Price]) -> None:
    snapshot = snapshot_of(candle(60))
    for tick in ticks:
        before = snapshot.bar
        snapshot.merge(tick)
        assert snapshot.bar is not None
        assert snapshot.bar[:4] == (60, 1.2, 1.3, 1.1)
        assert 1.1 <= snapshot.bar[4] <= 1.3
        if not 60 <= (tick.update or 0) < 120:
            assert snapshot.bar == before
