"""What a process can tell of what it did not hear."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from django_fcs.fanout.hearing import Hearing
from django_fcs.layer.events import Beat, GroupEvent
from django_fcs.prices.paths import PathReport
from django_fcs.prices.sessions import Markets
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price
from django_fcs.protocol.intervals import DEFAULT
from django_fcs.rooms import Room
from django_fcs.streaming.streamed import Streamed
from tests.support.hubs import EURUSD, USDJPY, update

GAP = "a price is missing"
SILENCE = "no heartbeat from fcs_stream (is it running?)"


def hearing_of(*rooms: Room) -> Hearing:
    hearing = Hearing()
    hearing.begin(0.0)
    for room in rooms or (EURUSD, USDJPY):
        hearing.add(room)
    hearing.follow([EURUSD, USDJPY])
    return hearing


def price(n: int, *, room: Room = EURUSD, epoch: int = 7) -> Update:
    """The nth text of a room under an epoch."""
    return update(room, seq=epoch * 1000 + n, epoch=epoch)


def has_gap(*burst: GroupEvent) -> bool:
    return hearing_of().note(burst, 1.0)


# -- prices


def test_texts_that_follow_each_other_are_no_gap_whichever_came_first() -> None:
    assert not has_gap(price(5), price(6), price(3, room=USDJPY), price(7), price(4, room=USDJPY))


def test_a_text_that_was_skipped_is_told_once() -> None:
    hearing = hearing_of()

    assert not hearing.note([price(5), price(6)], 1.0)
    assert hearing.note([price(8)], 1.0)
    assert not hearing.note([price(10)], 1.0)
    assert hearing.trouble(1.0) == GAP


def test_a_text_that_is_repeated_or_comes_late_is_no_gap() -> None:
    assert not has_gap(price(5), price(6), price(6), price(5), price(7))


def test_gaps_are_seen_again_after_a_number_that_was_too_high() -> None:
    hearing = hearing_of()
    hearing.note([price(9_000_000_000)], 1.0)

    assert not hearing.note([price(5), price(6), price(7)], 1.0)
    assert hearing.note([price(9)], 1.0)


def test_a_room_that_is_left_and_joined_again_starts_without_earlier_numbers() -> None:
    hearing = hearing_of()
    hearing.note([price(9), price(5)], 1.0)
    hearing.discard(EURUSD)
    hearing.add(EURUSD)
    hearing.follow([EURUSD])

    assert not hearing.note([price(6), price(7)], 1.0)


def test_the_first_texts_of_a_new_stream_are_no_gap_and_those_behind_may_be() -> None:
    assert not has_gap(price(5), price(0, epoch=8), price(1, epoch=8))
    assert not has_gap(price(5), price(3, epoch=8), price(4, epoch=8))
    assert has_gap(price(5), price(0, epoch=8), price(2, epoch=8))


def test_what_nobody_here_watches_and_what_is_no_price_counts_for_nothing() -> None:
    assert not hearing_of(USDJPY).note([price(1), price(9)], 1.0)
    assert not has_gap(Beat(7, PathReport(1.0, online=True, reason="")))
    assert not has_gap(price(0, epoch=0), price(1, epoch=0))


def test_what_a_new_member_hears_first_is_no_gap() -> None:
    hearing = hearing_of()
    hearing.note([price(1), price(5)], 1.0)
    hearing.begin(2.0)
    hearing.follow([EURUSD])

    assert not hearing.note([price(9), price(10)], 3.0)
    assert hearing.trouble(3.0) == ""


def test_what_comes_before_a_group_is_joined_is_followed_by_no_gap() -> None:
    hearing = hearing_of()
    hearing.begin(2.0)

    assert not hearing.note([price(1), price(2)], 3.0)
    hearing.follow([EURUSD])
    assert not hearing.note([price(5), price(6)], 3.0)
    hearing.follow([EURUSD])
    assert hearing.note([price(8)], 3.0)


TICKS = st.lists(
    st.tuples(st.sampled_from([EURUSD, USDJPY]), st.integers(0, 300), st.booleans()), max_size=60
)


@given(TICKS)
def test_what_a_stream_merges_repeats_or_forgets_is_never_a_gap(
    ticks: list[tuple[Room, int, bool]],
) -> None:
    streamed, hearing = Streamed(epoch=7, markets=Markets()), hearing_of()
    for at, (room, t, goes_out) in enumerate(ticks):
        price = Price(
            symbol=room.symbol,
            timeframe=room.timeframe,
            mode="candle",
            t=t - t % 60,
            o=1.0,
            h=1.0,
            l=1.0,
            c=1.0,
        )
        streamed.merge(room, price, at)
        if t % 7 == 0:
            streamed.repeat([EURUSD, USDJPY])
        if t % 11 == 0:
            streamed.forget([room])
        if goes_out:
            assert not hearing.note(streamed.take_updates(), 1.0)


# -- beats


def test_two_beats_that_do_not_come_are_silence() -> None:
    hearing = hearing_of()
    hearing.note([Beat(7, PathReport(1.0, online=False, reason="whatever"))], 10.0)

    assert hearing.trouble(10.0 + DEFAULT.beat_missing) == ""
    assert hearing.trouble(10.1 + DEFAULT.beat_missing) == SILENCE


def test_a_new_member_has_time_to_hear_the_first() -> None:
    hearing = hearing_of()
    hearing.begin(100.0)

    assert hearing.trouble(100.0 + DEFAULT.beat_missing) == ""


# -- how often


def test_it_is_tried_ever_more_seldom_while_it_does_not_help() -> None:
    hearing, starts = hearing_of(), []
    for tenths in range(3000):
        now = tenths / 10
        hearing.note([price(2 * tenths)], now)
        if hearing.trouble(now):
            starts.append(now)
            hearing.begin(now)
            hearing.follow([EURUSD])

    pauses = [other - one for one, other in zip(starts, starts[1:], strict=False)]
    assert pauses[:4] == pytest.approx([2, 4, 8, 16], abs=0.5)
    assert pauses[4:] == pytest.approx([30] * len(pauses[4:]), abs=0.5)
    assert 10 <= len(starts) <= 15


def test_after_a_while_without_trouble_the_next_is_tried_at_once_again() -> None:
    hearing, starts = hearing_of(), []
    for now in (7.0, 10.0, 20.0, 27.0, 1000.0, 1003.0):
        if hearing.trouble(now):
            starts.append(now)

    assert starts == [7.0, 10.0, 20.0, 1000.0, 1003.0]
