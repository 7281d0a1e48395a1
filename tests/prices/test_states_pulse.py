"""The pulse of a room: ticks, the vendor's word and hours, and what follows from them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from django_fcs.prices.sessions import Hours, Markets, Phase, Timetable
from django_fcs.prices.states import CEILING_SECONDS, Expectation, Pulse, State, decide
from django_fcs.protocol import Price, parse
from django_fcs.recording import read
from tests.support.recordings import FILES

FLOOR = 60.0
HOUR = 3600.0

#: What a new room is given, in the steps in which patience is told.
FIRST = 202.5

#: It opens at 10,000, closes at 20,000 and so on.
HOURS = Timetable([(10_000, 20_000), (30_000, 40_000), (50_000, 60_000)])
ALWAYS: Hours = Markets().hours("BINANCE:BTCUSDT")
UNKNOWN: Hours = Markets().hours("MOON:ROCK")


def pulse_of(hours: Hours = HOURS, *, at: float = 11_000, ticks: int = 200) -> Pulse:
    """Return a room that has ticked once a second until ``at``."""
    pulse = Pulse(hours, floor=FLOOR, at=at - ticks)
    pulse.initial(at - ticks)
    for ago in reversed(range(ticks)):
        pulse.tick(at - ago)
    return pulse


def state_at(now: float, pulse: Pulse, *, at: float) -> State:
    """Decide as hubs do, for a price that came at ``at``."""
    expected = pulse.expect(now)
    return decide(age=now - at, expected=expected, now=now, broken=False, stale_after=FLOOR)


def test_a_room_goes_live_stale_and_closed_as_hours_and_ticks_say() -> None:
    pulse = pulse_of(at=19_000)

    assert [state_at(now, pulse, at=19_000) for now in (19_060, 19_061, 19_999, 20_000)] == [
        *(State.LIVE, State.STALE, State.STALE, State.CLOSED),
    ]
    # It opens with its first tick, or is missed when one was due.
    assert [state_at(now, pulse, at=19_000) for now in (29_999, 30_060, 30_061)] == [
        *(State.CLOSED, State.CLOSED, State.STALE),
    ]
    pulse.tick(30_062)
    assert state_at(30_062, pulse, at=30_062) is State.LIVE
    assert pulse.expect(30_062) == Expectation(False, FIRST, 30_000, 40_000)


def test_a_slow_room_is_closed_with_its_market_and_not_when_its_patience_ends() -> None:
    pulse = Pulse(HOURS, floor=FLOOR, at=10_000)
    for now in (10_000, 10_150, 10_550, 11_700, 14_900, 19_900):
        pulse.tick(now)

    assert pulse.expect(19_999).patience > HOUR
    assert [state_at(now, pulse, at=19_900) for now in (19_999, 20_000)] == [
        *(State.LIVE, State.CLOSED),
    ]


def test_what_was_missed_while_the_feed_was_gone_teaches_nothing() -> None:
    pulse = pulse_of(ALWAYS)
    pulse.initial(11_000 + HOUR)
    pulse.tick(11_001 + HOUR)

    assert pulse.expect(11_001 + HOUR).patience == FLOOR


def test_time_in_a_closed_market_teaches_nothing() -> None:
    pulse = pulse_of(at=19_999)
    pulse.tick(30_001)

    assert pulse.expect(30_001).patience == FLOOR


def test_a_tick_opens_a_market_that_calendars_call_closed_for_as_long_as_ticks_are_due() -> None:
    pulse = pulse_of(at=19_999)
    assert pulse.expect(25_000) == Expectation(True, FLOOR, 20_000, 30_000)
    pulse.tick(25_000)

    patience = pulse.expect(25_000).patience
    assert pulse.expect(25_000) == Expectation(False, patience, None, None)
    assert state_at(25_000 + patience, pulse, at=25_000) is State.LIVE
    assert state_at(25_001 + patience, pulse, at=25_000) is State.CLOSED


def test_an_initial_opens_nothing() -> None:
    pulse = pulse_of(at=19_999)
    pulse.initial(25_000)

    assert state_at(25_000, pulse, at=25_000) is State.CLOSED


@pytest.mark.parametrize("hours", [HOURS, ALWAYS, UNKNOWN])
def test_the_vendor_may_close_a_market_until_a_tick_comes(hours: Hours) -> None:
    pulse = pulse_of(hours)
    pulse.describe(is_open=False, delay=None, at=11_001)
    pulse.initial(11_001)

    assert pulse.expect(19_000) == Expectation(True, FLOOR, None, None)
    assert state_at(19_000, pulse, at=11_001) is State.CLOSED
    pulse.tick(19_000)
    assert state_at(19_000, pulse, at=19_000) is State.LIVE


@pytest.mark.parametrize("word", [True, None])
def test_a_newer_profile_takes_the_vendors_word_back(word: bool | None) -> None:
    pulse = pulse_of()
    pulse.describe(is_open=False, delay=None, at=11_001)
    pulse.describe(is_open=word, delay=None, at=11_002)

    assert not pulse.expect(11_003).closed


def test_what_the_vendor_said_of_one_session_does_not_hold_in_the_next() -> None:
    pulse = pulse_of(at=19_999)
    pulse.describe(is_open=False, delay=None, at=29_999)

    assert pulse.expect(29_999) == Expectation(True, FLOOR, 20_000, 30_000)
    assert pulse.expect(30_000) == Expectation(False, FLOOR, 30_000, 40_000)


def test_that_a_market_is_open_at_night_is_not_believed() -> None:
    pulse = pulse_of(at=19_999)
    pulse.describe(is_open=True, delay=None, at=25_000)

    assert pulse.expect(25_000).closed


def test_the_hours_of_a_delayed_feed_are_later_and_its_age_is_not() -> None:
    pulse = pulse_of(at=19_999)
    pulse.describe(is_open=True, delay=900, at=19_999)
    pulse.tick(20_899)

    assert state_at(20_899, pulse, at=20_899) is State.LIVE
    assert pulse.expect(21_200) == Expectation(True, FIRST, 20_900, 30_900)
    assert state_at(30_899, pulse, at=20_899) is State.CLOSED
    assert pulse.expect(30_900).since == 30_900

    pulse.describe(is_open=True, delay=None, at=30_901)
    assert pulse.expect(30_901).since == 30_000


def test_a_clock_that_is_an_hour_off_and_back_makes_nothing_live() -> None:
    pulse = pulse_of(ALWAYS)
    pulse.tick(11_000 + HOUR)
    pulse.tick(11_001)

    assert state_at(11_001 + 400, pulse, at=11_001) is State.STALE


# -- what watchdogs ask


def test_a_tick_is_due_once_the_rooms_own_patience_is_over() -> None:
    pulse = pulse_of(at=19_000)

    assert [pulse.is_due(now) for now in (19_060, 19_061)] == [False, True]


def test_no_tick_is_due_of_a_closed_market_nor_at_once_when_it_opens() -> None:
    pulse = pulse_of(at=19_000)

    assert not any(pulse.is_due(now) for now in range(20_000, 30_061, 20))
    assert pulse.is_due(30_061)


def test_a_tick_is_due_of_a_room_that_was_confirmed_and_never_heard_of() -> None:
    for hours in (HOURS, ALWAYS):
        pulse = Pulse(hours, floor=FLOOR, at=11_000)
        assert [pulse.is_due(now) for now in (11_202, 11_203)] == [False, True]


def test_no_first_tick_is_due_of_a_market_whose_hours_nobody_knows() -> None:
    pulse = Pulse(UNKNOWN, floor=FLOOR, at=0)
    pulse.initial(1)
    assert not pulse.is_due(1e6)
    pulse.tick(1e6)
    assert pulse.is_due(1e6 + CEILING_SECONDS)


def test_a_rejoined_room_is_given_its_time_again() -> None:
    pulse = pulse_of(ALWAYS)
    assert pulse.is_due(11_100)
    pulse.initial(11_100)

    assert [pulse.is_due(now) for now in (11_160, 11_161)] == [False, True]


def test_what_is_overdue_stays_so_until_a_tick_comes_or_the_market_opens_anew() -> None:
    pulse = pulse_of(at=19_000)
    pulse.note_overdue(19_100)
    pulse.initial(19_110)
    assert state_at(19_110, pulse, at=19_110) is State.STALE
    assert state_at(20_000, pulse, at=19_110) is State.CLOSED
    assert state_at(30_001, pulse, at=19_110) is State.CLOSED
    pulse.note_overdue(30_100)
    pulse.initial(30_110)
    assert state_at(30_110, pulse, at=30_110) is State.STALE
    pulse.tick(30_111)

    assert state_at(30_111, pulse, at=30_111) is State.LIVE


events = st.lists(
    st.tuples(
        st.sampled_from(["tick", "initial", "overdue", "open", "closed", "unsaid", "delayed"]),
        st.floats(0, 2e4),
    ),
    max_size=20,
)


@given(hours=st.sampled_from([HOURS, ALWAYS, UNKNOWN]), events=events, later=st.floats(0, 1e5))
def test_whatever_happens_the_parts_agree(
    hours: Hours, events: list[tuple[str, float]], later: float
) -> None:
    now, pulse, heard = 9000.0, Pulse(hours, floor=FLOOR, at=9000.0), None
    for event, gap in events:
        now += gap
        if event in ("tick", "initial"):
            getattr(pulse, event)(now)
            heard = now
        elif event == "overdue":
            pulse.note_overdue(now)
        else:
            word = {"open": True, "closed": False}.get(event)
            pulse.describe(is_open=word, delay=900 if event == "delayed" else None, at=now)
        if event == "tick":
            assert state_at(now, pulse, at=now) is State.LIVE
    now += later
    expected = pulse.expect(now)

    assert FLOOR <= expected.patience <= CEILING_SECONDS
    assert expected.since is None or expected.since <= now
    assert expected.until is None or expected.until > now
    assert not (expected.closed and pulse.is_due(now))
    if heard is not None and pulse.is_due(now):
        assert state_at(now, pulse, at=heard) is State.STALE


def test_an_expectation_is_a_few_numbers() -> None:
    assert pulse_of().expect(11_000) == Expectation(False, FLOOR, 10_000, 20_000, False)
    assert Expectation(False, 90.0).open_for(11_000) is None
    assert Expectation(since=10_000).open_for(11_000) == 1000
    assert Expectation(closed=True, since=10_000).open_for(11_000) is None


def test_patience_is_told_in_few_steps() -> None:
    pulse, told = Pulse(ALWAYS, floor=FLOOR, at=0), set()
    for second in range(1000):
        pulse.tick(float(second))
        told.add(pulse.expect(float(second)).patience)

    assert sorted(told) == [FLOOR, 90, 135, FIRST]


# -- real ticks


class Open:
    """A market that opened a minute before the first tick and closes never."""

    def __init__(self, opened: float) -> None:
        self._phase = Phase(True, opened, None)

    def phase(self, now: float) -> Phase:
        return self._phase


@functools.cache
def recorded(path: Path) -> list[tuple[float, Price]]:
    """Read when a recording's prices came; days are played as minutes where it has only days."""
    prices = [
        (frame.at, message)
        for frame in read(path)
        for message in parse(frame.text)
        if isinstance(message, Price)
    ]
    first = prices[0][0]
    pace = 1440 if "daily" in path.name else 1
    return [(1.6e9 + (at - first) / pace, price) for at, price in prices]


def replayed(path: Path, pulse: Pulse) -> Iterator[tuple[float, float]]:
    """Let a pulse hear a recording; yield each pair of neighbours, between the two."""
    before = None
    for at, price in recorded(path):
        if before is not None:
            yield before, at
        (pulse.initial if price.mode == "initial" else pulse.tick)(at)
        before = at


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("hours", [Open(1.6e9 - 60), UNKNOWN], ids=["open", "unknown"])
def test_no_recorded_room_is_called_stale_while_it_ticks_and_each_is_when_it_stops(
    path: Path, hours: Hours
) -> None:
    pulse = Pulse(hours, floor=FLOOR, at=1.6e9)
    for before, at in replayed(path, pulse):
        assert state_at(at - 1e-6, pulse, at=before) is State.LIVE
        assert not pulse.is_due(at - 1e-6)
    last = recorded(path)[-1][0]
    patience = pulse.expect(last).patience

    assert patience <= HOUR / 4
    assert state_at(last + patience - 1, pulse, at=last) is State.LIVE
    assert state_at(last + patience + 1, pulse, at=last) is State.STALE
    assert pulse.is_due(last + patience + 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_silence_in_the_midst_of_a_recording_is_stale(path: Path) -> None:
    pulse = Pulse(UNKNOWN, floor=FLOOR, at=1.6e9)
    for number, (before, _) in enumerate(replayed(path, pulse)):
        if number % 50 == 10:
            patience = pulse.expect(before).patience
            assert state_at(before + patience + 1, pulse, at=before) is State.STALE
