"""Snapshots: what a room's frames add up to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Candle, Price, parse, serialise
from django_fcs.protocol.bounds import DELAY_MAX, PRICE_MAX, PRICE_MIN
from django_fcs.rooms import Room

ROOM = Room("FX:EURUSD", "1")


def frame(mode: str, t: int | None = None, **fields: Any) -> Price:
    return Price(symbol=ROOM.symbol, timeframe=ROOM.timeframe, mode=mode, t=t, **fields)


def candle(t: int, c: float, *, mode: str = "candle", **fields: Any) -> Price:
    return frame(mode, t, c=c, **{**dict.fromkeys("ohl", c), **fields})


def snapshot_of(*frames: Price, digits: int | None = None) -> Snapshot:
    snapshot = Snapshot(ROOM, digits=digits)
    for price in frames:
        snapshot.merge(price)
    return snapshot


def known(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a browser would be told, without what is not known."""
    prices: dict[str, Any] = json.loads(serialise(snapshot.price("candle", seq=0, at=0)))["prices"]
    return prices


# -- the whole of a room


def test_of_an_empty_room_nothing_is_known() -> None:
    snapshot = snapshot_of()

    assert known(snapshot) == {"mode": "candle", "digits": 0}
    assert (snapshot.change, snapshot.change_percent, snapshot.spread) == (None, None, None)


def test_a_price_carries_all_that_is_known_whatever_its_mode() -> None:
    snapshot = snapshot_of(
        candle(60, 1.25, o=1.2, h=1.3, l=1.1, v=7, history=[Candle(c=1.0)]),
        frame("askbid", 60, c=1.24, a=1.25, b=1.23, update=99),
    )
    snapshot.describe({"update_mode": "delayed_streaming_900"})

    assert snapshot.price("askbid", seq=5, at=6.5) == frame(
        "askbid",
        60,
        **{"o": 1.2, "h": 1.3, "l": 1.1, "c": 1.24, "v": 7, "a": 1.25, "b": 1.23, "update": 99},
        **{"pc": 1.0, "ch": 0.24, "chp": 24.0, "digits": 2, "delay": 900, "seq": 5, "at": 6.5},
    )


def test_an_askbid_leaves_the_candle_as_it_was() -> None:
    snapshot = snapshot_of(candle(60, 1.25, h=1.3, l=1.1, v=7), frame("askbid", 60, c=9, a=9.5))

    assert (snapshot.h, snapshot.l, snapshot.v) == (1.3, 1.1, 7)
    assert (snapshot.c, snapshot.a, snapshot.b) == (9, 9.5, None)


def test_a_candle_without_sides_leaves_ask_and_bid_as_they_were() -> None:
    snapshot = snapshot_of(candle(60, 1.25, a=1.26, b=1.24), candle(60, 1.27))

    assert (snapshot.c, snapshot.a, snapshot.b) == (1.27, 1.26, 1.24)


def test_an_askbid_of_one_side_leaves_the_other() -> None:
    snapshot = snapshot_of(candle(60, 1.25, a=1.26, b=1.24), frame("askbid", b=1.23))

    assert (snapshot.c, snapshot.a, snapshot.b, snapshot.t) == (1.25, 1.26, 1.23, 60)


def test_the_time_of_a_tick_does_not_outlive_it() -> None:
    snapshot = snapshot_of(frame("askbid", 60, c=1.2, update=99), candle(60, 1.3))

    assert snapshot.update is None


def test_high_and_low_are_never_stretched() -> None:
    snapshot = snapshot_of(
        candle(60, 1.2, h=1.3, l=1.1), frame("askbid", 60, c=9), frame("askbid", 60, c=0.1)
    )

    assert (snapshot.h, snapshot.l) == (1.3, 1.1)


# -- a new candle


def test_with_a_new_candle_the_close_of_the_last_is_the_previous_close() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(120, 1.3))

    assert (snapshot.t, snapshot.pc) == (120, 1.2)
    assert (snapshot.change, snapshot.change_percent) == (0.1, 8.3333)


def test_nothing_of_the_last_candle_is_shown_as_the_new_one() -> None:
    snapshot = snapshot_of(
        candle(60, 1.2, v=7, a=1.3, b=1.1), frame("askbid", 120, c=1.25, a=1.26, b=1.24)
    )

    assert (snapshot.o, snapshot.h, snapshot.l, snapshot.v) == (None, None, None, None)
    assert (snapshot.c, snapshot.a, snapshot.b, snapshot.pc) == (1.25, 1.26, 1.24, 1.2)


def test_the_close_of_an_askbid_counts_as_the_last_of_its_candle() -> None:
    snapshot = snapshot_of(candle(60, 1.2), frame("askbid", 60, c=1.22), candle(120, 1.3))

    assert snapshot.pc == 1.22


def test_an_initial_after_a_gap_does_not_take_an_old_close_for_the_previous_one() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(600, 1.3, mode="initial", o=1.25))

    assert snapshot.pc is None
    assert snapshot.change == 0.05


def test_an_initial_of_the_same_candle_keeps_the_previous_close() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(120, 1.3), candle(120, 1.4, mode="initial"))

    assert snapshot.pc == 1.2


def test_a_close_of_this_candle_is_its_last_word() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(60, 1.21, mode="close"), candle(120, 1.3))

    assert snapshot.pc == 1.21


# -- what comes too late


@pytest.mark.parametrize("mode", ["initial", "candle", "askbid", "close"])
def test_a_late_candle_changes_nothing(mode: str) -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(120, 1.3), candle(180, 1.4, a=1.5, b=1.3))
    before = known(snapshot)
    late = candle(60, 9.12345, mode=mode, a=9, b=8, v=5, update=1, history=[Candle(c=7)])

    assert not snapshot.merge(late)
    assert known(snapshot) == before


def test_a_late_close_corrects_the_previous_close_and_nothing_else() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(120, 1.3))
    before = known(snapshot)

    assert snapshot.merge(candle(60, 1.25, mode="close", a=9, v=5))
    assert known(snapshot) == {**before, "pc": 1.25, "ch": 0.05, "chp": 4.0, "digits": 2}


def test_a_late_close_that_says_nothing_new_is_no_change() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(120, 1.3))

    assert not snapshot.merge(candle(60, 1.2, mode="close"))


def test_a_late_close_of_an_earlier_candle_than_the_last_is_too_late() -> None:
    snapshot = snapshot_of(candle(60, 1.2), candle(120, 1.3), candle(180, 1.4))

    assert not snapshot.merge(candle(60, 9, mode="close"))
    assert snapshot.pc == 1.3


def test_a_frame_without_a_time_is_never_late() -> None:
    snapshot = snapshot_of(candle(60, 1.2))

    assert snapshot.merge(frame("askbid", c=1.3))
    assert (snapshot.t, snapshot.c) == (60, 1.3)


# -- volume


def test_an_initial_shows_its_volume_while_no_other_is_known() -> None:
    assert snapshot_of(candle(60, 1.2, mode="initial", v=0.247)).v == 0.247


def test_a_candles_volume_takes_the_place_of_an_initials() -> None:
    snapshot = snapshot_of(candle(60, 1.2, mode="initial", v=0.247), candle(60, 1.2, v=8192.7))

    assert snapshot.v == 8192.7


@pytest.mark.parametrize("mode", ["candle", "close"])
def test_an_initials_volume_never_replaces_one_of_the_same_candle(mode: str) -> None:
    snapshot = snapshot_of(
        candle(60, 1.2, mode=mode, v=8192.7), candle(60, 1.3, mode="initial", v=0.247)
    )

    assert (snapshot.c, snapshot.v) == (1.3, 8192.7)


def test_a_volume_of_zero_is_a_volume() -> None:
    snapshot = snapshot_of(candle(60, 1.2, v=0), candle(60, 1.2, mode="initial", v=0.247))

    assert snapshot.v == 0


def test_an_initials_volume_counts_again_for_the_next_candle() -> None:
    snapshot = snapshot_of(candle(60, 1.2, v=8192.7), candle(120, 1.3, mode="initial", v=0.247))

    assert snapshot.v == 0.247


def test_a_candle_without_volume_keeps_the_one_that_is_known() -> None:
    assert snapshot_of(candle(60, 1.2, v=7), candle(60, 1.3)).v == 7


# -- previous close, change, spread


def test_the_last_candle_of_the_history_tells_the_previous_close() -> None:
    history = [Candle(t=0, c=1.0), Candle(t=60, c=1.1)]
    snapshot = snapshot_of(candle(120, 1.21, mode="initial", o=1.2, history=history))

    assert (snapshot.pc, snapshot.change, snapshot.change_percent) == (1.1, 0.11, 10.0)


@pytest.mark.parametrize("history", [None, [], [Candle(c=1.0), Candle(o=1.1)]])
def test_without_a_history_change_is_measured_against_the_open(
    history: list[Candle] | None,
) -> None:
    snapshot = snapshot_of(candle(120, 1.2, mode="initial", o=1.0, history=history))

    assert (snapshot.pc, snapshot.change, snapshot.change_percent) == (None, 0.2, 20.0)


def test_no_change_is_told_where_there_is_nothing_to_measure_against() -> None:
    sides = snapshot_of(frame("askbid", c=1.2))
    nothing = snapshot_of(frame("askbid", a=1.2))
    from_zero = snapshot_of(candle(60, 1.5, o=0))

    assert (sides.change, sides.change_percent) == (None, None)
    assert (nothing.change, nothing.change_percent) == (None, None)
    assert (from_zero.change, from_zero.change_percent) == (1.5, None)


@pytest.mark.parametrize("base", [-37.63, 0, -0.0])
def test_there_is_no_percentage_of_a_base_that_is_not_above_zero(base: float) -> None:
    snapshot = snapshot_of(candle(60, 10.01, mode="initial", o=9.5, history=[Candle(c=base)]))

    assert (snapshot.pc, snapshot.change) == (base, round(10.01 - base, 2))
    assert snapshot.change_percent is None
    assert snapshot_of(candle(60, 10.01, o=base)).change_percent is None


def test_there_is_a_percentage_of_a_price_that_falls_below_zero() -> None:
    assert snapshot_of(candle(60, -37.63, o=18.27)).change_percent == -305.9661


@pytest.mark.parametrize(
    ("c", "base"), [(PRICE_MAX, PRICE_MIN), (-PRICE_MAX, PRICE_MAX), (PRICE_MIN, -PRICE_MAX)]
)
def test_change_and_percentage_of_the_farthest_prices_can_be_read_again(
    c: float, base: float
) -> None:
    snapshot = snapshot_of(candle(60, c, o=base, a=c, b=base))
    price = snapshot.price("candle", seq=1, at=2)

    assert parse(serialise(price)) == [price]


def test_change_is_rounded_to_the_digits_of_the_price() -> None:
    assert snapshot_of(candle(60, 1.10001, o=1.1)).change == 0.00001
    assert snapshot_of(candle(60, 1.10001, o=1.1), digits=2).change == 0


def test_a_previous_close_with_more_digits_than_the_price_is_not_rounded_away() -> None:
    snapshot = snapshot_of(candle(60, 1.3, mode="initial", history=[Candle(c=1.25)]))

    assert (snapshot.digits, snapshot.change) == (2, 0.05)


def test_spread_is_ask_minus_bid_where_both_are_known() -> None:
    assert snapshot_of(frame("askbid", a=1.5)).spread is None
    assert snapshot_of(frame("askbid", b=1.25)).spread is None
    assert snapshot_of(frame("askbid", a=1.5, b=1.25)).spread == 0.25


# -- profile


@pytest.mark.parametrize(
    ("update_mode", "delay"),
    [
        ("delayed_streaming_900", 900),
        ("delayed_streaming_0", 0),
        ("streaming", None),
        ("endofday", None),
        ("delayed_streaming_", None),
        ("delayed_streaming_-5", None),
        ("delayed_streaming_soon", None),
        ("delayed_streaming_00900", 900),
        ("delayed_streaming_86400", DELAY_MAX),
        ("delayed_streaming_99999999999", DELAY_MAX),
        ("delayed_streaming_" + "9" * 310, DELAY_MAX),
        ("delayed_streaming_" + "9" * 5000, DELAY_MAX),
        ("delayed_streaming_" + "0" * 5000 + "1", DELAY_MAX),
        ("delayed_streaming_\N{ARABIC-INDIC DIGIT NINE}", None),
        ("delayed_streaming_\N{SUPERSCRIPT TWO}", None),
        ("delayed_streaming_1e9", None),
        ("delayed_streaming_ 900", None),
        (None, None),
        (900, None),
        (10**400, None),
        ([900], None),
    ],
)
def test_the_delay_is_what_the_update_mode_says(update_mode: object, delay: int | None) -> None:
    snapshot = snapshot_of()
    snapshot.describe({"update_mode": "delayed_streaming_60"})
    snapshot.describe({"update_mode": update_mode})

    assert snapshot.delay == delay
