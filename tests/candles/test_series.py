"""A series: which of two bars counts, and when a bar is final."""

from __future__ import annotations

import pytest

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.series import Series
from django_fcs.prices.sessions import Hours, Markets, Timetable
from tests.candles.making import at, bar, series_of

NOON = at("2026-03-05 12:00")
ALWAYS = Markets().hours("BINANCE:BTCUSDT")
FOREX = Markets().hours("FX:EURUSD")
METALS = Markets().hours("FX:XAUUSD")


def closes(series: Series) -> list[tuple[int, float, bool]]:
    """Return opening (minutes after noon), close, and whether it is final, of each bar."""
    return [((bar.t - NOON) // 60, bar.c, is_final) for bar, is_final in series.bars()]


def minute(number: int, c: float = 1.2) -> Bar:
    return bar(NOON + 60 * number, c)


def live(series: Series, number: int, c: float, at: float, *, is_final: bool = False) -> bool:
    bar = minute(number, c)
    return series.put(bar, rank=Rank.LIVE, at=NOON + at, is_final=is_final)


def minutes() -> Series:
    return Series("1", keep=600)


# -- REST and the socket


def test_the_last_row_of_rest_is_not_final_until_a_later_bar_is_there() -> None:
    series = minutes()

    assert series.take_page([minute(0), minute(1)], fetched_at=NOON + 90) == 2
    assert closes(series) == [(0, 1.2, True), (1, 1.2, False)]
    assert series.last_final == minute(0)
    live(series, 2, 1.3, 121)
    assert closes(series) == [(0, 1.2, True), (1, 1.2, True), (2, 1.3, False)]


def test_of_the_same_time_the_live_bar_counts_while_it_is_forming() -> None:
    series = minutes()
    live(series, 1, 1.3, 70)
    series.take_page([minute(0), minute(1, 1.25)], fetched_at=NOON + 90)

    assert closes(series) == [(0, 1.2, True), (1, 1.3, False)]
    live(series, 1, 1.4, 80)
    assert closes(series)[-1] == (1, 1.4, False)


def test_after_its_end_the_bar_of_rest_counts_and_no_live_one_changes_it() -> None:
    series = minutes()
    live(series, 1, 1.3, 119)
    live(series, 2, 1.35, 125)
    assert series.take_page([minute(1, 1.31), minute(2, 1.34)], fetched_at=NOON + 130) == 1

    assert closes(series) == [(1, 1.31, True), (2, 1.35, False)]
    assert not live(series, 1, 9.9, 140)
    assert not series.take_page([minute(1, 9.9), minute(2, 1.34)], fetched_at=NOON + 129)
    assert series.take_page([minute(1, 1.32), minute(2, 1.34)], fetched_at=NOON + 150) == 1


def test_rest_that_is_one_bar_behind_changes_neither_that_bar_nor_the_live_one() -> None:
    series = minutes()
    live(series, 1, 1.3, 119)
    live(series, 2, 1.35, 121)

    assert series.take_page([minute(0), minute(1, 1.28)], fetched_at=NOON + 122) == 1
    assert closes(series) == [(0, 1.2, True), (1, 1.3, True), (2, 1.35, False)]


def test_long_after_its_end_the_last_row_of_rest_is_final() -> None:
    series = minutes()
    series.take_page([minute(0)], fetched_at=NOON + 179)
    assert closes(series) == [(0, 1.2, False)]

    assert not series.take_page([minute(0)], fetched_at=NOON + 180, delay=900)
    assert series.take_page([minute(0)], fetched_at=NOON + 180) == 1
    assert closes(series) == [(0, 1.2, True)]


def test_a_day_of_25_hours_has_not_ended_after_24() -> None:
    # Clocks in Europe are set back on 25 October: this day begins and ends at midnight there.
    opens = at("2026-10-24 22:00")
    series = Series("1D", keep=600)
    for fetched_at in (at("2026-10-25 22:59"), at("2026-10-25 23:01")):
        series.take_page([bar(opens)], fetched_at=fetched_at)
        assert not series.last_final

    series.take_page([bar(opens)], fetched_at=at("2026-10-25 23:02"))
    assert series.last_final == bar(opens)


def test_pages_that_overlap_in_any_order_are_one_series() -> None:
    series = minutes()
    pages = [[minute(n) for n in numbers] for numbers in ((5, 3, 4), (1, 0, 2, 3), (4, 6, 5, 5))]

    changed = [series.take_page(page, fetched_at=NOON + 900) for page in pages]

    assert changed == [3, 3, 1]
    assert series.times() == [NOON + 60 * n for n in range(7)]


def test_a_live_bar_that_comes_late_goes_where_it_belongs() -> None:
    series = series_of("1", NOON, NOON + 180)
    live(series, 1, 1.4, 200)

    assert closes(series) == [(0, 1.2, True), (1, 1.4, True), (3, 1.2, False)]


def test_a_bar_that_is_told_to_have_ended_is_final_with_the_values_that_come_later_too() -> None:
    series = minutes()
    assert live(series, 0, 1.2, 59)
    version = series.version
    assert live(series, 0, 1.2, 60, is_final=True)
    assert closes(series) == [(0, 1.2, True)]
    assert series.version == version + 1
    assert not live(series, 0, 1.2, 61, is_final=True)
    assert live(series, 0, 1.21, 62)
    assert closes(series) == [(0, 1.21, True)]
    assert live(series, 1, 1.3, 63)
    assert closes(series)[-1] == (1, 1.3, False)


# -- bounds


def test_the_newest_bars_are_kept_besides_the_one_that_may_be_forming() -> None:
    series = Series("1", keep=3)
    series.is_exhausted = True
    assert series.take_page((minute(n) for n in range(4)), fetched_at=NOON + 180) == 4
    assert series.is_exhausted

    live(series, 4, 1.2, 240)
    assert series.times() == [NOON + 60 * n for n in (1, 2, 3, 4)]
    assert not series.is_exhausted
    assert not live(series, 0, 1.2, 250)
    assert series.take_page([minute(0), minute(1)], fetched_at=NOON + 300) == 0
    assert series.take_page([minute(n) for n in range(10_000)], fetched_at=NOON) == 4
    assert series.times() == [NOON + 60 * n for n in range(9996, 10_000)]


def test_the_bars_before_a_time_are_read_as_one_pages_back() -> None:
    series = series_of("1", *(NOON + 60 * n for n in range(5)))

    def read(before: int | None, limit: int | None) -> list[int]:
        found = series.bars(before=before, limit=limit)
        return [(bar.t - NOON) // 60 for bar, _ in found]

    assert read(None, 2) == [3, 4]
    assert read(NOON + 180, 2) == [1, 2]
    assert read(NOON + 179, None) == [0, 1, 2]
    assert read(NOON, 2) == read(None, 0) == []
    assert series.times(before=NOON + 180, limit=2) == [NOON + 60, NOON + 120]
    assert [bar for bar, _ in series.bars(start=NOON + 121, limit=9)] == [minute(3), minute(4)]
    assert series.bars(start=NOON + 120, before=NOON + 121, limit=9) == [(minute(2), True)]
    assert series.bars(start=NOON + 180, before=NOON + 120) == []
    assert series.bars(before=NOON + 300)[-1] == (minute(4), False)
    assert (series.oldest, series.newest) == (minute(0), minute(4))


def test_an_empty_series_knows_nothing() -> None:
    series = minutes()

    assert (len(series), series.bars(), series.times()) == (0, [], [])
    assert (series.oldest, series.newest, series.last_final) == (None, None, None)
    assert not series.is_uneven
    assert not series.settle(FOREX, NOON)
    assert series.take_page([], fetched_at=NOON) == 0


# -- times that do not fit


@pytest.mark.parametrize(
    ("timeframe", "step", "uneven"),
    [("60", 3600, False), ("60", 64 * 3600, False), ("60", 1800, True), ("1D", 82_800, False)],
)
def test_a_live_bar_at_no_multiple_of_its_period_is_uneven(
    timeframe: str, step: int, uneven: bool
) -> None:
    series = series_of(timeframe, NOON, NOON + step)
    assert series.is_uneven is uneven

    series.take_page([bar(NOON), bar(NOON + step)], fetched_at=NOON + 2**30)
    assert not series.is_uneven


def test_after_a_step_back_nothing_is_left_of_the_times_that_were_wrong() -> None:
    series = series_of("1", NOON + 120, NOON + 180, NOON + 600)
    series.take_page([minute(0), minute(1)], fetched_at=NOON + 130)

    assert series.go_back_to(NOON + 120) == 2
    assert closes(series) == [(0, 1.2, True), (1, 1.2, True), (2, 1.2, False)]
    live(series, 2, 1.2, 190, is_final=True)
    assert series.go_back_to(NOON + 60) == 1
    assert closes(series) == [(0, 1.2, True), (1, 1.2, False)]
    version = series.version
    assert series.go_back_to(NOON + 60) == 0
    assert series.go_back_to(NOON - 60) == 1
    assert series.version == version + 1
    assert closes(series) == [(0, 1.2, True)]


# -- the end of a session


def bombay() -> Timetable:
    """A day, a half day, a holiday and a day of an exchange in Mumbai."""
    days = [("2026-03-04", "10:00"), ("2026-03-05", "07:00"), ("2026-03-09", "10:00")]
    return Timetable((at(f"{day} 03:45"), at(f"{day} {closing}")) for day, closing in days)


def with_lunch() -> Timetable:
    """Two days of an exchange in Tokyo."""
    return Timetable(
        (at(f"{day} {opens}"), at(f"{day} {closes}"))
        for day in ("2026-03-04", "2026-03-05")
        for opens, closes in (("00:00", "02:30"), ("03:30", "06:30"))
    )


@pytest.mark.parametrize(
    ("hours", "timeframe", "opens", "ends"),
    [
        (FOREX, "1", "2026-03-06 21:59", "2026-03-06 22:00"),
        (FOREX, "60", "2026-03-06 21:00", "2026-03-06 22:00"),
        (FOREX, "1D", "2026-03-05 22:00", "2026-03-06 22:00"),
        (FOREX, "1D", "2026-03-06 00:00", "2026-03-06 22:00"),
        # A week later, clocks in New York are an hour ahead.
        (FOREX, "60", "2026-03-13 20:00", "2026-03-13 21:00"),
        (FOREX, "1D", "2026-12-23 22:00", "2026-12-24 22:00"),
        (METALS, "60", "2026-03-04 21:00", "2026-03-04 22:00"),
        (METALS, "1D", "2026-03-03 23:00", "2026-03-04 22:00"),
        (bombay(), "60", "2026-03-04 09:45", "2026-03-04 10:00"),
        (bombay(), "1D", "2026-03-05 03:45", "2026-03-05 07:00"),
        (bombay(), "1D", "2026-03-05 00:00", "2026-03-05 07:00"),
        (with_lunch(), "1D", "2026-03-04 00:00", "2026-03-04 06:30"),
        (with_lunch(), "60", "2026-03-04 02:00", "2026-03-04 02:30"),
    ],
)
def test_a_minute_after_the_end_of_its_session_a_bar_is_final(
    hours: Hours, timeframe: str, opens: str, ends: str
) -> None:
    series = series_of(timeframe, at(opens))

    assert not series.settle(hours, at(ends) + 59)
    assert not series.settle(hours, at(ends) + 60, delay=900)
    assert series.settle(hours, at(ends) + 60)
    assert series.last_final == bar(at(opens))
    assert not series.settle(hours, at(ends) + 60)


@pytest.mark.parametrize(
    ("hours", "timeframe", "opens"),
    [
        (FOREX, "1", "2026-03-06 21:58"),
        (FOREX, "1D", "2026-03-04 22:00"),
        (FOREX, "1W", "2026-03-08 21:00"),
        (METALS, "240", "2026-03-04 20:00"),
        (ALWAYS, "1D", "2026-03-04 00:00"),
        (with_lunch(), "240", "2026-03-04 00:00"),
        (bombay(), "60", "2026-03-04 12:00"),
        (bombay(), "1D", "2026-03-09 00:00"),
        (bombay(), "60", "2026-03-09 09:00"),
        (Timetable(), "1D", "2026-03-04 00:00"),
    ],
)
def test_a_bar_whose_session_goes_on_or_is_not_known_is_not(
    hours: Hours, timeframe: str, opens: str
) -> None:
    assert not series_of(timeframe, at(opens)).settle(hours, at("2026-03-31 00:00"))


# -- what REST has answered


def test_of_the_holes_that_rest_answered_for_those_are_repaired_that_have_bars_now() -> None:
    series = series_of("1", NOON, NOON + 600)
    holes = ((NOON + 60, NOON + 300), (NOON + 360, NOON + 600))
    series.take_page([minute(0), minute(2), minute(5)], fetched_at=NOON + 900)

    series.note_answer(NOON, NOON + 480, holes=holes)

    assert list(series.repaired) == [(NOON + 60, NOON + 300)]
    assert list(series.answered) == [(NOON, NOON + 480)]


def test_a_hole_is_repaired_by_a_bar_that_opens_before_the_session() -> None:
    # Hours of four begin at midnight in UTC, and the session at 21:00 on Sunday.
    sunday = at("2026-03-08 20:00")
    series = series_of("240", at("2026-03-06 20:00"), sunday + 14_400)
    holes = ((sunday + 3600, sunday + 14_400),)
    series.take_page([bar(sunday), bar(sunday + 14_400)], fetched_at=sunday + 90_000)

    series.note_answer(sunday - 90_000, sunday + 14_400, holes=holes)

    assert list(series.repaired) == [*holes]


def test_of_an_earlier_stream_all_that_it_knew_is_taken() -> None:
    before, series = series_of("1", NOON), series_of("1", NOON + 300)
    for number, spans in enumerate((before.joined, before.answered, before.repaired)):
        spans.add(NOON, NOON + 60 + number)
    before.since, before.is_exhausted = NOON - 9.5, True
    series.joined.add(NOON + 250, NOON + 300)
    series.since = NOON + 250

    series.recall(before)

    assert list(series.joined) == [(NOON, NOON + 60), (NOON + 250, NOON + 300)]
    assert (list(series.answered), list(series.repaired)) == (
        [(NOON, NOON + 61)],
        [(NOON, NOON + 62)],
    )
    assert (series.since, series.is_exhausted) == (NOON - 9.5, True)
    assert series.times() == [NOON, NOON + 300]

    series.recall(Series("1", keep=9))
    assert (series.since, series.is_exhausted) == (NOON - 9.5, True)
    other = series_of("1", NOON - 60)
    other.recall(before)
    assert (other.since, other.is_exhausted) == (NOON - 9.5, False)
