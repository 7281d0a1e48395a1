"""Holes: where bars are missing, and the many places where none is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from django_fcs.candles.holes import HOLES_MAX, missing
from django_fcs.candles.series import Series
from django_fcs.prices.sessions import Hours, Markets, Phase, Timetable
from tests.candles.making import at, series_of

HOUR, DAY = 3600, 86_400

MARKETS = Markets()
ALWAYS = MARKETS.hours("BINANCE:BTCUSDT")
FOREX = MARKETS.hours("FX:EURUSD")
METALS = MARKETS.hours("FX:XAUUSD")
UNSURE = MARKETS.hours("FX:US30USD")


def days(first: str, *, opens: str, count: int) -> list[int]:
    start = at(f"{first} {opens}")
    return [start + n * DAY for n in range(count)]


def between(first: str, last: str, step: int) -> list[int]:
    return list(range(at(first), at(last), step))


def spans(*texts: tuple[str, str]) -> tuple[tuple[int, int], ...]:
    return tuple((at(start), at(stop)) for start, stop in texts)


#: Days of currencies begin at 17:00 in New York: the hour in UTC before and after its change.
EARLY, LATE = "21:00", "22:00"

#: Around 8 March, when New York changes, and 29 March, when Europe does.
SPRING = [
    *days("2026-03-01", opens=LATE, count=5),
    *days("2026-03-08", opens=EARLY, count=5),
    *days("2026-03-15", opens=EARLY, count=5),
    *days("2026-03-22", opens=EARLY, count=5),
    *days("2026-03-29", opens=EARLY, count=5),
]

#: Around 25 October, when Europe changes, and 1 November, when New York does.
AUTUMN = [
    *days("2026-10-18", opens=EARLY, count=5),
    *days("2026-10-25", opens=EARLY, count=5),
    *days("2026-11-01", opens=LATE, count=5),
]

#: Christmas and New Year are Fridays, and nothing trades from Thursday evening on.
CHRISTMAS = [
    *days("2026-12-20", opens=LATE, count=4),
    *days("2026-12-27", opens=LATE, count=4),
    *days("2027-01-03", opens=LATE, count=5),
]

HOURS_OF_SPRING = [
    *between("2026-03-05 00:00", "2026-03-06 22:00", HOUR),
    *between("2026-03-08 21:00", "2026-03-13 21:00", HOUR),
    *between("2026-03-15 21:00", "2026-03-17 00:00", HOUR),
]
HOURS_OF_AUTUMN = [
    *between("2026-10-29 00:00", "2026-10-30 21:00", HOUR),
    *between("2026-11-01 22:00", "2026-11-03 00:00", HOUR),
]

#: A feed whose hours of four begin at midnight in UTC.
FOUR_HOURS = [
    *between("2026-03-05 00:00", "2026-03-07 00:00", 4 * HOUR),
    *between("2026-03-08 20:00", "2026-03-11 00:00", 4 * HOUR),
]

WEEKS = [
    at(f"2026-{day} {LATE if day < '03-08' else EARLY}") for day in ("03-01", "03-08", "03-15")
]

#: The first of each month, and the months of currencies: they begin the evening before, or on
#: Sunday.
MONTHS = [at(f"2026-{month:02}-01 00:00") for month in range(1, 13)]
MONTHS_OF_FOREX = [
    at(opening)
    for opening in (
        *("2026-01-01 22:00", "2026-02-01 22:00", "2026-03-01 22:00", "2026-03-31 21:00"),
        *("2026-04-30 21:00", "2026-05-31 21:00", "2026-06-30 21:00", "2026-08-02 21:00"),
    )
]

#: Midnight in London: a day of 23 hours in March, one of 25 in October.
DAY_OF_23 = [at(f"2026-03-{day}") for day in ("28 00:00", "29 00:00", "29 23:00", "30 23:00")]
DAY_OF_25 = [at(f"2026-10-{day}") for day in ("23 23:00", "24 23:00", "26 00:00", "27 00:00")]


def nasdaq() -> Timetable:
    """Two days, Thanksgiving, half a day, a weekend, and two days."""
    whole = ("2026-11-24", "2026-11-25", "2026-11-30", "2026-12-01")
    sessions = [(at(f"{day} 14:30"), at(f"{day} 21:00")) for day in whole]
    half = (at("2026-11-27 14:30"), at("2026-11-27 18:00"))
    return Timetable(sorted([*sessions, half]))


NASDAQ_DAYS = [at(f"2026-{day} 14:30") for day in ("11-24", "11-25", "11-27", "11-30", "12-01")]
NASDAQ_HOURS = [
    *between("2026-11-24 14:30", "2026-11-24 21:00", HOUR),
    *between("2026-11-25 14:30", "2026-11-25 21:00", HOUR),
    *between("2026-11-27 14:30", "2026-11-27 18:00", HOUR),
    *between("2026-11-30 14:30", "2026-11-30 21:00", HOUR),
]

WHOLE = [
    ("1D", FOREX, SPRING),
    ("1D", FOREX, AUTUMN),
    ("1D", FOREX, CHRISTMAS),
    ("60", FOREX, HOURS_OF_SPRING),
    ("60", FOREX, HOURS_OF_AUTUMN),
    ("240", FOREX, FOUR_HOURS),
    (
        "60",
        METALS,
        between("2026-03-04 12:00", "2026-03-04 22:00", HOUR) + [at("2026-03-04 23:00")],
    ),
    ("1W", FOREX, WEEKS),
    ("1M", ALWAYS, MONTHS),
    ("1M", FOREX, MONTHS_OF_FOREX),
    ("1D", ALWAYS, DAY_OF_23),
    ("1D", ALWAYS, DAY_OF_25),
    ("1D", nasdaq(), NASDAQ_DAYS),
    ("60", nasdaq(), NASDAQ_HOURS),
    ("1", ALWAYS, between("2026-03-05 00:00", "2026-03-05 01:00", 60)),
]


@pytest.mark.parametrize(("timeframe", "hours", "times"), WHOLE)
def test_of_a_whole_series_nothing_is_missing(
    timeframe: str, hours: Hours, times: list[int]
) -> None:
    assert missing(series_of(timeframe, *times), hours, times[-1] + 60) == ()


@pytest.mark.parametrize(
    ("timeframe", "hours", "times", "lost", "holes"),
    [
        # Monday's day, from Sunday evening on. The day before it may have had 25 hours.
        ("1D", FOREX, SPRING, ["2026-03-08 21:00"], [("2026-03-08 21:00", "2026-03-09 21:00")]),
        ("1D", FOREX, SPRING, ["2026-03-10 21:00"], [("2026-03-10 22:00", "2026-03-11 21:00")]),
        ("1D", FOREX, AUTUMN, ["2026-10-29 21:00"], [("2026-10-29 22:00", "2026-10-30 21:00")]),
        ("1D", FOREX, AUTUMN, ["2026-11-01 22:00"], [("2026-11-01 22:00", "2026-11-02 22:00")]),
        ("1D", FOREX, CHRISTMAS, ["2026-12-23 22:00"], [("2026-12-23 23:00", "2026-12-24 22:00")]),
        # The Sunday open.
        (
            *("60", FOREX, HOURS_OF_SPRING, ["2026-03-08 21:00", "2026-03-08 22:00"]),
            [("2026-03-08 21:00", "2026-03-08 23:00")],
        ),
        (
            "60",
            FOREX,
            HOURS_OF_SPRING,
            ["2026-03-06 21:00"],
            [("2026-03-06 21:00", "2026-03-06 22:00")],
        ),
        # One hole over a weekend.
        (
            *("60", FOREX, HOURS_OF_AUTUMN, ["2026-10-30 20:00", "2026-11-01 22:00"]),
            [("2026-10-30 20:00", "2026-11-01 23:00")],
        ),
        ("1W", FOREX, WEEKS, ["2026-03-08 21:00"], [("2026-03-08 23:00", "2026-03-13 21:00")]),
        ("1M", ALWAYS, MONTHS, ["2026-03-01 00:00"], [("2026-03-04 01:00", "2026-04-01 00:00")]),
        ("1D", ALWAYS, DAY_OF_25, ["2026-10-24 23:00"], [("2026-10-25 00:00", "2026-10-26 00:00")]),
        # Half a day, and the day after Thanksgiving from its second hour on.
        (
            "1D",
            nasdaq(),
            NASDAQ_DAYS,
            ["2026-11-27 14:30"],
            [("2026-11-27 14:30", "2026-11-27 18:00")],
        ),
        (
            "1D",
            nasdaq(),
            NASDAQ_DAYS,
            ["2026-11-25 14:30"],
            [("2026-11-25 15:30", "2026-11-25 21:00")],
        ),
        (
            *("60", nasdaq(), NASDAQ_HOURS, ["2026-11-27 15:30", "2026-11-27 16:30"]),
            [("2026-11-27 15:30", "2026-11-27 17:30")],
        ),
        (
            "60",
            nasdaq(),
            NASDAQ_HOURS,
            ["2026-11-25 20:30"],
            [("2026-11-25 20:30", "2026-11-25 21:00")],
        ),
    ],
)
def test_a_bar_that_is_lost_is_a_hole_in_the_hours_of_its_market(
    timeframe: str, hours: Hours, times: list[int], lost: list[str], holes: list[tuple[str, str]]
) -> None:
    series = series_of(timeframe, *(t for t in times if t not in map(at, lost)))

    assert missing(series, hours, times[-1] + 60) == spans(*holes)


# -- who looked


NOON = at("2026-03-05 12:00")


def silent_for_two_hours() -> Series:
    return series_of("1", NOON, NOON + 2 * HOUR)


def test_a_symbol_that_was_silent_while_its_room_was_joined_has_no_hole() -> None:
    series = silent_for_two_hours()
    assert missing(series, FOREX, NOON + 2 * HOUR) == ((NOON + 60, NOON + 2 * HOUR),)

    series.joined.add(NOON - 100, NOON + HOUR)
    assert missing(series, FOREX, NOON + 2 * HOUR) == ((NOON + HOUR, NOON + 2 * HOUR),)
    series.joined.add(NOON + HOUR + 19, NOON + 2 * HOUR)
    assert missing(series, FOREX, NOON + 2 * HOUR) == ()


def test_once_rest_has_answered_there_is_no_hole_whatever_it_sent() -> None:
    series = silent_for_two_hours()
    series.answered.add(NOON, NOON + HOUR)

    assert missing(series, FOREX, NOON + 2 * HOUR) == ((NOON + HOUR, NOON + 2 * HOUR),)


def test_the_time_since_the_newest_bar_can_be_a_hole_too() -> None:
    series = series_of("1", NOON)

    assert missing(series, FOREX, NOON + 79) == ()
    assert missing(series, FOREX, NOON + 80.5) == ((NOON + 60, NOON + 80),)


def test_holes_are_looked_for_from_a_time_on() -> None:
    series = silent_for_two_hours()

    assert missing(series, FOREX, NOON + 2 * HOUR, since=NOON - HOUR) == (
        (NOON - HOUR, NOON),
        (NOON + 60, NOON + 2 * HOUR),
    )
    assert missing(series, FOREX, NOON + 2 * HOUR, since=NOON + HOUR + 0.5) == (
        (NOON + HOUR, NOON + 2 * HOUR),
    )
    assert missing(series, FOREX, NOON + 2 * HOUR, since=NOON + 3 * HOUR) == ()
    empty = Series("1", keep=9)
    assert missing(empty, FOREX, NOON) == ()
    assert missing(empty, FOREX, NOON, since=NOON - HOUR) == ((NOON - HOUR, NOON),)


@pytest.mark.parametrize("hours", [UNSURE, Timetable()])
def test_unknown_hours_are_no_hole(hours: Hours) -> None:
    assert missing(series_of("60", NOON, NOON + 9 * DAY), hours, NOON + 9 * DAY) == ()


def test_a_calendar_that_begins_or_ends_in_a_gap_is_believed_as_far_as_it_goes() -> None:
    hours = Timetable([(NOON, NOON + HOUR), (NOON + DAY, NOON + DAY + HOUR)])
    series = series_of("60", NOON - 3 * DAY - HOUR, NOON + 5 * DAY)

    assert missing(series, hours, NOON + 5 * DAY) == ((NOON, NOON + DAY + HOUR),)


def test_short_sessions_are_a_hole_together() -> None:
    quarters = [(NOON + n * HOUR, NOON + n * HOUR + 900) for n in range(3)]
    series = series_of("60", NOON - HOUR, NOON + 2 * HOUR)

    assert missing(series, Timetable(quarters), NOON) == ((NOON, NOON + HOUR + 900),)


# -- bounds


class Asked:
    """Hours that count how often they are asked."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self.times = 0

    def phase(self, now: float) -> Phase:
        self.times += 1
        return self.hours.phase(now)


@pytest.mark.parametrize(
    ("hours", "most"), [(FOREX, 5), (METALS, 5), (ALWAYS, 5), (UNSURE, 400), (nasdaq(), 400)]
)
def test_a_gap_of_thirty_years_of_minutes_is_not_walked_along(hours: Hours, most: int) -> None:
    asked = Asked(hours)
    start = NOON - 30 * 365 * DAY

    holes = missing(series_of("1", start, NOON), asked, NOON)

    assert asked.times <= most
    assert holes == (((start + 60, NOON),) if most == 5 else ())


def test_of_too_many_holes_the_oldest_are_one() -> None:
    series = series_of("1", *(NOON + 120 * n for n in range(HOLES_MAX + 3)))

    holes = missing(series, ALWAYS, NOON)

    assert len(holes) == HOLES_MAX
    assert holes[:2] == ((NOON + 60, NOON + 60 + 120 * 2 + 60), (NOON + 420, NOON + 480))
    assert holes[-1] == (NOON + 60 + 120 * (HOLES_MAX + 1), NOON + 120 * (HOLES_MAX + 2))


# -- whatever it is


def seconds_of(spans: list[tuple[int, int]]) -> set[int]:
    return {second for start, stop in spans for second in range(start, stop)}


def runs(seconds: set[int]) -> Iterator[list[int]]:
    """Yield the seconds that follow each other."""
    run: list[int] = []
    for second in sorted(seconds):
        if run and second > run[-1] + 1:
            yield run
            run = []
        run.append(second)
    if run:
        yield run


@given(
    st.sets(st.integers(0, 18), max_size=9),
    st.lists(st.integers(1, 150), max_size=9),
    *[st.lists(st.tuples(st.integers(0, 1200), st.integers(1, 400)), max_size=3)] * 2,
)
def test_holes_are_what_counting_the_seconds_gives(
    bars: set[int],
    lengths: list[int],
    joined: list[tuple[int, int]],
    answered: list[tuple[int, int]],
) -> None:
    edges = [sum(lengths[:n]) for n in range(len(lengths) + 1)]
    sessions = list(zip(edges[::2], edges[1::2], strict=False))
    series = series_of("1", *sorted(60 * n for n in bars))
    for spans, added in ((series.joined, joined), (series.answered, answered)):
        for start, length in added:
            spans.add(start, start + length)

    found = missing(series, Timetable(sessions), 1200, since=0)

    seen = seconds_of([(60 * n, 60 * n + 60) for n in bars])
    seen |= seconds_of([*series.joined, *series.answered])
    is_open = seconds_of(sessions)
    unseen = ([s for s in run if s in is_open] for run in runs(set(range(1200)) - seen))
    assert found == tuple((run[0], run[-1] + 1) for run in unseen if len(run) >= 20)
