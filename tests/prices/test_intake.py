"""What is let into a room: prices that can be true, at times that can be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from django_fcs.prices.intake import WITNESSES, Intake
from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Candle, Price
from django_fcs.rooms import TIMEFRAMES, Room
from django_fcs.tools.metrics import counts

DAY = 1766361600
NOW = DAY + 50_000.0


class Feed:
    """One room, and what its frames came to."""

    def __init__(self, timeframe: str = "1D") -> None:
        self.room = Room("FX:EURUSD", timeframe)
        self.snapshot = Snapshot(self.room)
        self.intake = Intake(self.snapshot)

    def say(self, c: float | None, *, now: float = NOW, **fields: Any) -> bool:
        """Take in a frame, a candle unless it has another mode; tell whether it counts."""
        fields = {"mode": "candle", "t": DAY, **fields}
        if fields["mode"] != "askbid":
            fields = {**dict.fromkeys("ohl", c), **fields}
        price = Price(symbol=self.room.symbol, timeframe=self.room.timeframe, c=c, **fields)
        admitted = self.intake.admit(price, now)
        return admitted is not None and self.snapshot.merge(admitted)

    @property
    def shown(self) -> tuple[float | None, ...]:
        known = self.snapshot
        return (known.c, known.o, known.h, known.l)


def malformed() -> int:
    return counts().get("upstream_malformed", 0)


# -- times


def test_a_candle_of_the_far_future_freezes_no_room() -> None:
    feed = Feed()
    assert feed.say(1.1)

    assert not feed.say(1.1, t=4102444800)
    assert feed.say(1.2)
    assert (feed.snapshot.t, feed.snapshot.c, malformed()) == (DAY, 1.2, 1)


def test_a_first_candle_of_the_far_future_freezes_no_room_either() -> None:
    feed = Feed()

    assert not feed.say(1.1, t=4102444800)
    assert feed.say(1.2)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@pytest.mark.parametrize("late_by", [1000, 3600 * 1000])
def test_a_candle_that_is_late_by_some_seconds_freezes_no_room(
    timeframe: str, late_by: int
) -> None:
    feed, t = Feed(timeframe), int(NOW) // 60 * 60
    for c in (1.1, 1.2):
        feed.say(c, t=t)
    feed.say(1.3, t=t + late_by)
    said = [feed.say(1.4, t=t, now=NOW + n) for n in range(WITNESSES)]

    assert said[-1]
    assert (feed.snapshot.t, feed.snapshot.c) == (t, 1.4)


@pytest.mark.parametrize("timeframe", ["1D", "1W", "1M"])
def test_a_candle_that_opens_too_soon_after_another_is_none(timeframe: str) -> None:
    feed = Feed(timeframe)
    feed.say(1.1)

    assert not feed.say(1.2, t=DAY + 1000)
    assert feed.say(1.3)
    assert feed.snapshot.pc is None


def test_a_room_that_took_a_wrong_time_is_healed_by_an_initial_with_its_previous_close() -> None:
    feed = Feed("1")
    feed.say(1.0, t=DAY)
    feed.say(1.1, t=DAY + 60)
    feed.say(1.2, t=DAY + 240, now=DAY + 70)
    assert feed.snapshot.t == DAY + 240

    assert feed.say(1.3, t=DAY + 60, mode="initial")
    assert (feed.snapshot.t, feed.snapshot.c, feed.snapshot.pc) == (DAY + 60, 1.3, 1.0)


def test_a_wrong_time_of_an_initial_is_healed_by_the_next_frames() -> None:
    feed = Feed()
    feed.say(1.1, t=DAY + 86_400, mode="initial")
    said = [feed.say(1.2) for _ in range(WITNESSES)]

    assert said == [False] * (WITNESSES - 1) + [True]
    assert not feed.say(1.1, t=4102444800)


@pytest.mark.parametrize("t", [4102444800, int(NOW) + 3 * 86_400, 0, 1])
@pytest.mark.parametrize("mode", ["candle", "initial", "askbid"])
def test_nothing_makes_a_time_far_from_now_believable(t: int, mode: str) -> None:
    feed = Feed()

    assert not any(feed.say(1.1, t=t, mode=mode) for _ in range(2 * WITNESSES))
    assert feed.say(1.2)
    feed.intake.doubt()
    assert not feed.say(1.1, t=t, mode=mode)
    assert feed.say(1.3)
    assert (feed.snapshot.t, feed.snapshot.c, feed.snapshot.pc) == (DAY, 1.3, None)


def test_a_recording_of_years_ago_can_be_replayed_again_and_again() -> None:
    feed, then = Feed(), DAY - 20 * 365 * 86_400
    for _ in range(3):
        feed.intake.doubt()
        for day in range(3):
            assert feed.say(1.1 + day, t=then + 86_400 * day, update=then + 86_400 * day + 9)
            assert feed.snapshot.update == then + 86_400 * day + 9


def test_the_price_of_a_step_back_is_no_previous_close() -> None:
    feed = Feed()
    feed.say(1.1)
    feed.intake.doubt()
    assert feed.say(1.5, t=DAY - 86_400)

    assert feed.say(1.2)
    assert (feed.snapshot.t, feed.snapshot.pc) == (DAY, None)
    assert feed.say(1.3, t=DAY + 86_400, now=NOW + 86_400)
    assert feed.snapshot.pc == 1.2


def test_a_slow_room_is_healed_though_each_frame_has_another_candle() -> None:
    feed = Feed("1")
    feed.say(1.1, t=DAY + 86_400, mode="initial")
    said = [feed.say(1.2, t=DAY + 60 * n, now=DAY + 60 * n) for n in range(WITNESSES)]

    assert said[-1]


def test_after_a_new_connection_the_next_frame_is_believed() -> None:
    feed = Feed("1")
    feed.say(1.1, t=DAY + 86_400, mode="initial")
    feed.intake.doubt()

    assert feed.say(1.2)
    assert not feed.say(1.3, t=DAY - 60)


def test_a_late_frame_is_late_and_no_fault() -> None:
    feed = Feed("1")
    feed.say(1.1, t=DAY)
    feed.say(1.2, t=DAY + 60)

    assert not feed.say(1.3, t=DAY)
    assert feed.say(1.21, t=DAY + 60)
    assert not feed.say(1.3, t=DAY)
    assert (feed.snapshot.c, malformed()) == (1.21, 0)


def test_a_clock_that_is_slow_stops_no_room() -> None:
    feed, behind = Feed("1"), 7200
    said = [
        feed.say(1.1, t=DAY + n // 10 * 60, now=DAY - behind + 6 * n, mode="candle")
        for n in range(100)
    ]

    assert not any(said[: WITNESSES - 1]) and all(said[WITNESSES - 1 :])


@pytest.mark.parametrize(
    ("timeframe", "candles"),
    [
        ("60", (34_200, 36_000)),  # New York opens at half past nine
        ("1D", (82_800, 82_800 + 23 * 3600)),  # a clock is set forward
        ("1M", (0, 28 * 86_400)),
        ("240", (33_300, 46_800)),
    ],
)
def test_candles_of_usual_sessions_follow_one_another(
    timeframe: str, candles: tuple[int, int]
) -> None:
    feed = Feed(timeframe)

    for t in candles:
        assert feed.say(1.1, t=DAY + t, now=DAY + t + 1)


def test_a_day_may_begin_before_it_does_here() -> None:
    assert Feed().say(1.1, t=DAY, now=DAY - 14 * 3600)


@pytest.mark.parametrize("update", [NOW + 3 * 86_400, 4102444800, 5, DAY - 3 * 86_400])
def test_a_tick_far_from_its_candle_and_from_now_has_no_time(update: float) -> None:
    feed = Feed()

    assert feed.say(1.1, update=update)
    assert (feed.snapshot.update, malformed()) == (None, 1)
    assert feed.say(1.1, update=NOW + 3600)
    assert feed.snapshot.update == NOW + 3600


# -- zero, and below


@pytest.mark.parametrize("c", [0, -0.0, -1.1])
@pytest.mark.parametrize("mode", ["candle", "askbid", "close"])
def test_a_price_far_from_zero_does_not_become_zero(c: float, mode: str) -> None:
    feed = Feed()
    feed.say(1.1, h=1.2, l=1.0)

    assert not feed.say(c, mode=mode)
    assert not feed.say(c, mode=mode, t=DAY + 86_400, now=NOW + 86_400)
    assert (feed.shown, malformed()) == ((1.1, 1.1, 1.2, 1.0), 2)


@pytest.mark.parametrize("mode", ["candle", "askbid", "initial"])
def test_a_first_price_of_zero_is_none(mode: str) -> None:
    feed = Feed()

    assert not feed.say(0, mode=mode)
    assert feed.say(1.1, mode=mode)


def test_a_market_may_fall_through_zero() -> None:
    feed = Feed()
    feed.say(17.73, h=17.85, l=17.7)
    for c in (5.0, 1.0, 0.5, 0.01, 0.0, -1.5, -37.63, -10.0, 0.0, 0.01, 10.01):
        assert feed.say(c, o=17.73, h=17.85, l=min(c, feed.snapshot.l or c), a=c, b=c)
        assert (feed.snapshot.c, feed.snapshot.a) == (c, c)

    assert malformed() == 0


def test_a_zero_in_its_own_low_proves_nothing() -> None:
    feed = Feed()
    feed.say(1.1, h=1.2, l=1.0)

    assert not feed.say(0, o=1.1, h=1.2, l=0)


def test_a_price_that_was_negative_yesterday_may_be_positive_today() -> None:
    feed = Feed()

    assert feed.say(10.01, mode="initial", history=[Candle(c=-37.63)])
    assert (feed.snapshot.pc, feed.snapshot.change) == (-37.63, 47.64)
    assert feed.snapshot.change_percent is None


def test_a_room_that_missed_the_fall_is_told_by_the_next_initial() -> None:
    feed = Feed()
    feed.say(18.27, h=18.3, l=18.2)
    assert not feed.say(-37.63, o=17.73, h=17.85, l=-40.32)

    assert feed.say(-37.63, o=17.73, h=17.85, l=-40.32, mode="initial")
    assert feed.shown == (-37.63, 17.73, 17.85, -40.32)
    assert feed.say(-37.5, o=17.73, h=17.85, l=-40.32)


def test_a_market_below_zero_does_not_become_zero_either() -> None:
    feed = Feed()
    feed.say(-5.0, h=-4.0, l=-6.0, mode="initial")

    assert feed.say(0) and feed.say(3.0)  # its low is below zero


@pytest.mark.parametrize("field", ["o", "h", "l"])
def test_of_a_candle_with_a_zero_only_the_price_counts(field: str) -> None:
    feed = Feed()
    feed.say(1.1, h=1.2, l=1.0, v=5)

    assert feed.say(1.15, a=1.16, **{field: 0})
    assert (feed.shown, feed.snapshot.a, malformed()) == ((1.15, 1.1, 1.2, 1.0), 1.16, 1)


@pytest.mark.parametrize("field", ["o", "h", "l"])
def test_of_a_first_candle_with_a_zero_only_the_price_counts(field: str) -> None:
    feed = Feed()

    assert feed.say(1.15, **{field: 0}, mode="initial")
    assert feed.shown == (1.15, None, None, None)
    assert not feed.say(0)


@pytest.mark.parametrize(("side", "other"), [("a", "b"), ("b", "a")])
def test_a_side_of_zero_is_a_side_that_was_not_sent(side: str, other: str) -> None:
    feed = Feed()
    feed.say(1.1, a=1.11, b=1.1)

    assert feed.say(1.12, **{side: 0, other: 1.13})
    assert getattr(feed.snapshot, other) == 1.13
    assert getattr(feed.snapshot, side) == {"a": 1.11, "b": 1.1}[side]
    assert not feed.say(None, mode="askbid", **{side: 0})


@pytest.mark.parametrize("c", [-1.1, 0])
@pytest.mark.parametrize("mode", ["candle", "initial"])
def test_a_price_on_the_other_side_of_its_own_candle_is_never_believed(c: float, mode: str) -> None:
    feed, candle = Feed(), {"o": 1.1, "h": 1.2, "l": 1.0}
    assert not feed.say(c, mode=mode, **candle)

    assert feed.say(1.1, **candle)
    feed.intake.doubt()
    assert not any(feed.say(c, mode=mode, **candle) for _ in range(2 * WITNESSES))
    assert feed.say(1.15, **candle)
    assert feed.shown == (1.15, 1.1, 1.2, 1.0)


def test_a_wrong_sign_of_a_first_price_is_healed_by_the_next_frames() -> None:
    feed = Feed()
    assert feed.say(-1.1, mode="askbid")
    said = [feed.say(1.1, h=1.2, l=1.0) for _ in range(WITNESSES)]

    assert said == [False] * (WITNESSES - 1) + [True]
    assert feed.shown == (1.1, 1.1, 1.2, 1.0)
    assert not any(feed.say(-1.1, mode="askbid") for _ in range(2 * WITNESSES))


@pytest.mark.parametrize("mode", ["candle", "initial"])
@pytest.mark.parametrize("low", [-0.1, 0])
def test_a_first_candle_that_reaches_zero_is_whole(mode: str, low: float) -> None:
    feed = Feed()

    assert feed.say(0.02, mode=mode, o=0.05, h=0.1, l=low)
    assert feed.shown == (0.02, 0.05, 0.1, low)
    assert feed.say(0, o=0.05, h=0.1, l=low)
    assert feed.say(-0.01, o=0.05, h=0.1, l=-0.01)


def test_a_room_near_zero_stays_so_in_a_candle_that_began_without_values() -> None:
    feed = Feed()
    feed.say(0.02, mode="initial", o=0.02, h=0.1, l=-0.1)
    tomorrow = {"t": DAY + 86_400, "now": NOW + 86_400}

    assert feed.say(None, mode="askbid", a=0.03, b=0.01, **tomorrow)
    assert feed.say(-0.02, **tomorrow)


def test_one_wrong_high_does_not_bring_a_room_near_zero() -> None:
    feed = Feed()
    feed.say(1.1, h=1.2, l=1.0)
    feed.say(1.1, h=1e9, l=1.0)

    assert not feed.say(0)


# -- whatever comes

prices = st.none() | st.sampled_from([0, 1.1, 1.2, -1.1, 100.0, 1e-15, 1e15])
frames = st.fixed_dictionaries(
    {
        "c": prices,
        "t": st.none()
        | st.sampled_from([0, DAY - 86_400, DAY - 60, DAY, DAY + 60, DAY + 1000, 4102444800]),
        "mode": st.sampled_from(["candle", "askbid", "initial", "close"]),
        "update": st.none() | st.sampled_from([NOW, 4102444800.0]),
        **dict.fromkeys(("o", "h", "l", "a", "b"), prices),
        "history": st.none() | st.lists(st.builds(Candle, c=prices), max_size=1),
    }
)


@given(st.lists(frames, max_size=20), st.sampled_from(TIMEFRAMES))
@settings(deadline=None)
def test_whatever_came_right_frames_are_shown_soon(
    came: list[dict[str, Any]], timeframe: str
) -> None:
    feed, sent = Feed(timeframe), {None, 1.1, 1.2, 1.0}
    for fields in came:
        sent |= {fields[name] for name in "cohlab"}
        if any(fields[name] is not None for name in "cab"):
            feed.say(**fields)
        assert {*feed.shown, feed.snapshot.a, feed.snapshot.b} <= sent

    feed.intake.doubt()
    for _ in range(WITNESSES):
        feed.say(1.1, h=1.2, l=1.0, t=DAY)

    assert (feed.snapshot.t, *feed.shown) == (DAY, 1.1, 1.1, 1.2, 1.0)
