"""The candles of a stream's rooms at the end of a session."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from django_fcs.candles.bars import Bar
from django_fcs.candles.sessions import bar_end
from django_fcs.prices.sessions import Markets, Timetable
from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.streaming.histories import Histories, RoomHistory
from django_fcs.streaming.streamed import Streamed

DAY = Room("FX:EURUSD", "1D")
#: The bar of a Friday opens, and its session ends.
T, END = 1_766_095_200, 1_766_181_600


def frame(mode: str, *, room: Room = DAY, t: int = T, **fields: Any) -> Price:
    return Price(symbol=room.symbol, timeframe=room.timeframe, mode=mode, t=t, **fields)


def candle(c: float, *, room: Room = DAY, t: int = T) -> Price:
    return frame("candle", room=room, t=t, o=1.0, h=2.0, l=0.5, c=c)


def askbid(c: float, at: float, *, room: Room = DAY) -> Price:
    return frame("askbid", room=room, c=c, a=c, b=c - 0.1, update=at)


def newest(histories: Histories, history: RoomHistory, now: float) -> tuple[float, bool]:
    """The close of the newest stored bar, and whether it is final."""
    [*_, (bar, final)] = histories.kept(history, now).series(600).bars()
    return bar.c, final


def begun(snapshot: Snapshot) -> tuple[Histories, RoomHistory]:
    histories = Histories(markets=Markets())
    history = histories.begin(snapshot.room, T, snapshot)
    histories.recall([snapshot.room], {})
    snapshot.merge(candle(1.5, room=snapshot.room))
    return histories, history


def test_ask_and_bid_after_the_end_of_a_session_move_no_bar_of_a_stream() -> None:
    streamed = Streamed(epoch=1, markets=Markets())
    streamed.merge(DAY, candle(1.5), END - 60)
    streamed.merge(DAY, askbid(1.6, END - 1), END - 1)
    history = streamed.histories.get(DAY)
    assert history is not None and newest(streamed.histories, history, END + 59) == (1.6, False)

    streamed.merge(DAY, askbid(1.9, END + 30), END + 30)
    assert newest(streamed.histories, history, END + 61) == (1.6, True)
    streamed.merge(DAY, askbid(1.8, END + 1800), END + 1800)
    assert newest(streamed.histories, history, END + 1801) == (1.6, True)


def test_ask_and_bid_change_no_bar_that_is_final_though_its_end_was_not_known() -> None:
    snapshot = Snapshot(DAY)
    histories, history = begun(snapshot)
    assert newest(histories, history, END + 61) == (1.5, True)

    snapshot.merge(askbid(1.9, END + 1800))
    assert newest(histories, history, END + 1801) == (1.5, True)
    monday = candle(1.7, t=END + 2 * 86_400)
    assert histories.change_candle(history, monday, T, END + 2 * 86_400)
    assert history.ended == Bar(T, 1.0, 2.0, 0.5, 1.5, None)
    assert [bar.c for bar, _ in history.series.bars()] == [1.5]


def test_a_whole_candle_corrects_a_bar_that_is_final() -> None:
    snapshot = Snapshot(DAY)
    histories, history = begun(snapshot)
    assert newest(histories, history, END + 61) == (1.5, True)

    snapshot.merge(candle(1.6))
    assert newest(histories, history, END + 90) == (1.6, True)


def test_hours_that_are_read_later_end_the_bar_that_is_forming() -> None:
    markets, share = Markets(), Room("NASDAQ:AAPL", "1D")
    snapshot = Snapshot(share, ends=partial(bar_end, markets.hours(share.symbol), "1D"))
    histories, history = begun(snapshot)
    markets.learn("XNYS", Timetable([(T, T + 3600), (T + 90_000, T + 93_600)]), T)
    histories.look([share], T + 60)
    snapshot.merge(askbid(1.9, T + 3600, room=share))

    assert newest(histories, history, T + 3601)[0] == 1.5


@pytest.mark.parametrize("is_left", [False, True])
def test_a_bar_that_its_session_ends_is_for_the_database_at_once(is_left: bool) -> None:
    histories, _ = begun(Snapshot(DAY))
    histories.look([DAY], END + 61)
    assert not list(histories.take_ended())
    if is_left:
        histories.forget([DAY])

    histories.take(END + 61, at_once=True)
    assert list(histories.take_ended()) == [(DAY, [Bar(T, 1.0, 2.0, 0.5, 1.5, None)])]
    histories.take(END + 400, at_once=True)
    assert not list(histories.take_ended())
