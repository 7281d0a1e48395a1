"""A page of candles, put together from the store, the last value and the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from django_fcs.candles import Candles
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.live import LiveBar
from django_fcs.candles.pages import Page
from django_fcs.candles.ranges import Range
from django_fcs.candles.series import Series
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room

ROOM = Room("FX:EURUSD", "60")
HOUR = 3600
T = 1_766_361_600
KEEP = 600
HOURS = Markets().hours(ROOM.symbol)


def bar(number: int, close: float = 1.5) -> Bar:
    """Return the bar that opens so many hours after ``T``."""
    return Bar(T + number * HOUR, 1.5, 2.0, 1.0, close, None)


def live(number: int, close: float, at: float, *, is_final: bool = False) -> LiveBar:
    return LiveBar(bar(number, close), at, is_final)


def kept(numbers: Iterable[int], *, rank: Rank = Rank.LIVE, at: float = 0.0, **known: Any) -> Kept:
    series = Series("60", keep=KEEP)
    series.is_exhausted = known.pop("is_exhausted", False)
    series.since = known.pop("since", None)
    for name in ("answered", "repaired"):
        for start, stop in known.pop(name, ()):
            getattr(series, name).add(start, stop)
    for number in numbers:
        series.put(bar(number), rank=rank, at=at)
    return Kept.of(series, saved_at=T, **known)


def page(
    stored: Kept | None = None,
    forming: LiveBar | None = None,
    *,
    limit: int = 300,
    before: int | None = None,
    keep: int = KEEP,
) -> Page:
    live = [] if forming is None else [forming]
    return Page(ROOM, Range.read(limit, before), stored, live, keep=keep)


def whole(page: Page, *, is_fetched: bool = False, is_saved: bool = False) -> Candles:
    return page.candles(is_fetched=is_fetched, is_saved=is_saved)


def hours(candles: Candles) -> list[int]:
    return [(candle.t - T) // HOUR for candle in candles]


# -- the last value and the store


def test_the_live_bar_ends_the_one_before_it() -> None:
    found = whole(page(kept([0, 1]), live(2, 1.7, at=10)))

    assert [(candle.t, candle.close, candle.final) for candle in found] == [
        (T, 1.5, True),
        (T + HOUR, 1.5, True),
        (T + 2 * HOUR, 1.7, False),
    ]


def test_the_live_bar_is_newer_than_the_one_that_was_saved_a_minute_ago() -> None:
    found = whole(page(kept([0, 1], at=5), live(1, 1.7, at=10)))

    assert found[-1].close == 1.7 and not found[-1].final


@pytest.mark.parametrize("number", [0, 1])
def test_what_is_saved_may_be_newer_than_the_last_value(number: int) -> None:
    found = whole(page(kept([0, 1], at=20), live(number, 1.7, at=10)))

    assert hours(found) == [0, 1]
    assert {candle.close for candle in found} == {1.5}


def test_the_last_value_fills_no_gap_between_older_bars() -> None:
    assert hours(whole(page(kept([0, 2]), live(1, 1.7, at=10)))) == [0, 2]


def test_a_bar_that_the_vendor_sent_after_its_end_stays_as_it_is() -> None:
    found = whole(page(kept([0, 1], rank=Rank.ENDED), live(1, 1.7, at=10)))

    assert found[-1].close == 1.5 and found[-1].final


def test_a_bar_that_the_vendor_has_closed_is_final() -> None:
    assert whole(page(kept([0]), live(1, 1.7, at=10, is_final=True)))[-1].final


def test_the_last_value_alone_is_a_history_of_one_bar() -> None:
    found = whole(page(None, live(0, 1.7, at=10)))

    assert hours(found) == [0] and not found[0].final


# -- the range


@pytest.mark.parametrize(
    ("limit", "before", "expected"),
    [
        (2, None, [4, 5]),
        (10, None, [0, 1, 2, 3, 4, 5]),
        (2, T + 3 * HOUR, [1, 2]),
        (2, T + 3 * HOUR + 1, [2, 3]),
        (2, T, []),
        (2, T + 10 * HOUR, [4, 5]),
    ],
)
def test_a_range_has_the_newest_bars_that_open_before_its_end(
    limit: int, before: int | None, expected: list[int]
) -> None:
    found = whole(page(kept(range(5)), live(5, 1.7, at=10), limit=limit, before=before))

    assert hours(found) == expected


def test_older_bars_come_from_the_database_and_one_more_shows_that_there_are_more() -> None:
    one = page(kept([3, 4]), limit=4)
    assert (one.lacking, one.begins) == (3, T + 3 * HOUR)
    one.put_older([bar(0), bar(1), bar(2)], HOURS)
    found = whole(one)

    assert hours(found) == [1, 2, 3, 4] and found.more
    assert [candle.final for candle in found] == [True, True, True, False]


def test_a_database_that_has_no_more_ends_the_history() -> None:
    one = page(kept([3, 4]), limit=4)
    one.put_older([bar(2)], HOURS)
    found = whole(one)

    assert hours(found) == [2, 3, 4] and not found.more


@pytest.mark.parametrize("before", [None, T])
def test_a_room_that_the_store_does_not_know_is_all_in_the_database(before: int | None) -> None:
    one = page(None, limit=2, before=before)

    assert (one.lacking, one.begins) == (3, before)


@given(
    st.sets(st.integers(0, 30)),
    st.sets(st.integers(0, 30)),
    st.integers(1, 40),
    st.none() | st.integers(0, 35),
)
def test_pages_one_after_the_other_are_the_whole_history(
    stored: set[int], saved: set[int], limit: int, end: int | None
) -> None:
    oldest = min(stored, default=31)
    older = sorted(number for number in saved if number < oldest)
    before = None if end is None else T + end * HOUR
    expected = sorted(number for number in {*stored, *older} if end is None or number < end)

    read: list[int] = []
    for _ in range(70):
        one = page(kept(sorted(stored)) if stored else None, limit=limit, before=before)
        fitting = [
            bar(number) for number in older if one.begins is None or bar(number).t < one.begins
        ]
        one.put_older(fitting[-one.lacking :] if one.lacking else [], HOURS)
        found = whole(one)
        read[:0] = hours(found)
        if not found.more:
            break
        before = found[0].t

    assert read == expected


# -- whether there are more


@pytest.mark.parametrize(
    ("exhausted", "fetched", "saved", "full", "more"),
    [
        (False, False, False, False, False),
        (False, True, False, False, True),
        (True, True, True, False, False),
        (False, True, False, True, False),
        (False, True, True, True, True),
        (False, False, True, True, False),
    ],
)
def test_there_may_be_more_if_the_vendor_can_be_asked_and_there_is_a_place_for_it(
    exhausted: bool, fetched: bool, saved: bool, full: bool, more: bool
) -> None:
    one = page(kept([0, 1], is_exhausted=exhausted), keep=2 if full else 3)

    assert whole(one, is_fetched=fetched, is_saved=saved).more is more


# -- what is said of it


def test_holes_are_told_as_far_as_they_are_in_the_range() -> None:
    holes = ((T - 9 * HOUR, T - 8 * HOUR), (T + HOUR, T + 3 * HOUR), (T + 4 * HOUR, T + 5 * HOUR))
    stored = kept([0, 3, 5], missing=holes, repaired=[(T + 3 * HOUR, T + 6 * HOUR)])

    found = whole(page(stored))
    assert found.missing == holes[1:]
    assert found.repaired == ((T + 3 * HOUR, T + 6 * HOUR),)
    found = whole(page(stored, before=T + 2 * HOUR))
    assert found.missing == ((T + HOUR, T + 2 * HOUR),) and found.repaired == ()


def test_without_a_rest_key_people_are_told_since_when_the_stream_has_seen_the_room() -> None:
    stored = kept([0], since=T + 125.5)
    found = whole(page(stored))

    assert found.since == T + 125.5
    assert found.note == "these are the candles that the stream has seen since 2025-12-22 00:02 UTC"
    assert whole(page(stored), is_fetched=True).note == ""


def test_the_note_of_the_stream_comes_first() -> None:
    stored = kept([0], since=T, note="no credits are left until 1 January")

    assert whole(page(stored)).note == "no credits are left until 1 January"


def test_an_empty_page_says_why() -> None:
    assert whole(page(None)).note == "no candles of FX:EURUSD_60 are known"
    found = whole(page(kept([5]), before=T), is_fetched=True)
    assert found.note == "no candles of FX:EURUSD_60 before this time are known"


def test_a_database_that_fails_is_told() -> None:
    one = page(kept([0]))
    one.put_older([], HOURS, trouble="the database does not answer")

    assert whole(one).note == "the database does not answer"


@pytest.mark.parametrize(("is_moved", "close"), [(True, 1.5), (False, 1.8)])
def test_ask_and_bid_change_no_bar_that_the_store_has_as_final(
    is_moved: bool, close: float
) -> None:
    stored = msgspec.structs.replace(kept([0, 1]), has_ended=True)
    found = whole(page(stored, LiveBar(bar(1, 1.8), 9.0, False, is_moved)))

    assert (found[-1].close, found[-1].final) == (close, True)
    assert whole(page(stored, LiveBar(bar(2, 1.8), 9.0, False, is_moved)))[-1].close == 1.8


def test_holes_among_older_bars_and_up_to_those_of_the_store_are_missing() -> None:
    stored = kept([20, 21], answered=[(T + 4 * HOUR, T + 6 * HOUR)])
    one = page(stored, limit=10)
    one.put_older([bar(number) for number in (0, 1, 3, 6, 7, 10)], HOURS)
    found = whole(one)

    assert hours(found) == [0, 1, 3, 6, 7, 10, 20, 21]
    assert in_hours(found.missing) == [(2, 3), (8, 10), (11, 20)]
    few = page(stored, limit=4)
    few.put_older([bar(number) for number in (3, 6, 7)], HOURS)
    assert in_hours(whole(few).missing) == [(8, 20)], "of the candles that it has"


def test_a_weekend_among_older_bars_and_a_time_before_them_are_not_missing() -> None:
    friday, sunday = -51, -2  # The last candle before 17:00 in New York, and the first after it.
    one = page(limit=5)
    one.put_older([bar(friday), bar(sunday), bar(-1)], HOURS)

    assert whole(one).missing == ()


def in_hours(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    return [((start - T) // HOUR, (stop - T) // HOUR) for start, stop in spans]
