"""What a stream asks the vendor's history for: only what nobody has, and as little as it can."""

from __future__ import annotations

from hypothesis import given, strategies as st

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.series import Series
from django_fcs.layer.events import Wish
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room
from django_fcs.streaming.asking import (
    Ask,
    Stock,
    credits_of,
    finished,
    holes_before,
    next_ask,
    note_answer,
)

ROOM = Room("BINANCE:BTCUSDT", "1")
NOW = 1_766_400_030.0
T = 1_766_400_000
"""When the forming candle opened."""


def bar(t: int, c: float = 2.0) -> Bar:
    return Bar(t, 1.0, 3.0, 0.5, c, 1.0)


def vendor(ask: Ask, *, oldest: int = T - 60 * 1000, most: int = 10_000) -> list[Bar]:
    """Answer as the vendor does: the newest bars of what was asked for."""
    last = T if ask.end is None else min(T, ask.end)
    times = range(last - last % 60, max(oldest, ask.start or 0) - 1, -60)
    return [bar(t) for t in times][: min(ask.length, most)]


def stock(
    series: Series, wish: Wish, *, holes: list[tuple[int, int]] | None = None, keep: int = 600
) -> Stock:
    stop = None if wish.before is None else wish.before + 1
    known = {one.t for one, _ in series.bars(before=stop, limit=wish.limit + 1)}
    places = keep + 1 - len(series) if known or stop is None else 0
    return Stock(series, holes or [], min(known, default=None), len(known - {wish.before}), places)


def fulfil(series: Series, wish: Wish, *, most: int = 10_000) -> list[Ask]:
    asks: list[Ask] = []
    while ask := next_ask(stock(series, wish), wish, NOW):
        asks.append(ask)
        note_answer(stock(series, wish), ask, vendor(ask, most=most), NOW)
        assert len(asks) < 50, "it never ends"
    return asks


def test_a_room_is_asked_for_once_in_whole_hundreds() -> None:
    series = Series("1", keep=600)

    assert fulfil(series, Wish(ROOM, limit=250)) == [Ask(300)]
    assert len(series) == 300
    assert fulfil(series, Wish(ROOM, limit=250)) == []
    assert [credits_of(bars) for bars in (1, 100, 101, 300)] == [1, 1, 2, 3]


def test_what_was_seen_live_is_asked_for_too_as_the_stream_may_have_joined_in_its_middle() -> None:
    series = Series("1", keep=600)
    series.put(bar(T), rank=Rank.LIVE, at=NOW)

    assert fulfil(series, Wish(ROOM, limit=10)) == [Ask(100)]


def test_older_candles_are_asked_for_before_the_oldest_one() -> None:
    series = Series("1", keep=600)
    fulfil(series, Wish(ROOM, limit=100))
    [ask] = fulfil(series, Wish(ROOM, limit=300))

    assert ask == Ask(200, end=T - 99 * 60 - 1)
    assert fulfil(series, Wish(ROOM, limit=50, before=T - 200 * 60)) == []


def test_no_more_is_asked_for_than_can_be_kept() -> None:
    series = Series("1", keep=200)
    wish = Wish(ROOM, limit=1000)
    while ask := next_ask(stock(series, wish, keep=200), wish, NOW):
        note_answer(stock(series, wish, keep=200), ask, vendor(ask), NOW)

    assert len(series) == 201


def test_a_plan_that_sends_300_at_most_is_asked_again_for_the_rest() -> None:
    series = Series("1", keep=600)
    asks = fulfil(series, Wish(ROOM, limit=600), most=300)

    assert [ask.length for ask in asks] == [600, 300]
    assert len(series) == 600


def test_a_symbol_with_little_history_is_asked_until_the_vendor_has_nothing_older() -> None:
    series = Series("1", keep=600)
    wish = Wish(ROOM, limit=300)
    asks = []
    while ask := next_ask(stock(series, wish), wish, NOW):
        asks.append(ask)
        note_answer(stock(series, wish), ask, vendor(ask, oldest=T - 60 * 20), NOW)

    assert asks == [Ask(300), Ask(300, end=T - 60 * 20 - 1)]
    assert series.is_exhausted


def test_a_vendor_that_ignores_the_end_of_a_range_is_not_asked_for_ever() -> None:
    series = Series("1", keep=600)
    wish = Wish(ROOM, limit=300)
    for _ in range(3):
        ask = next_ask(stock(series, wish), wish, NOW)
        if ask is None:
            break
        note_answer(stock(series, wish), ask, vendor(Ask(100)), NOW)

    assert ask is None


def test_the_newest_hole_is_repaired_first_from_the_candle_before_it() -> None:
    series = Series("1", keep=600)
    fulfil(series, Wish(ROOM, limit=100))
    holes = [(T - 3600, T - 3000), (T - 600, T - 420)]
    wish = Wish(ROOM, limit=1)
    before = stock(series, wish, holes=holes)
    ask = next_ask(before, wish, NOW)

    assert ask == Ask(100, T - 660, T - 420)
    note_answer(before, ask, vendor(ask), NOW)
    assert list(series.repaired) == [(T - 600, T - 420)]


def test_an_answer_without_candles_answers_for_all_that_was_asked() -> None:
    series = Series("1", keep=600)
    series.answered.add(T - 60, T)
    span = (T - 3600, T - 1800)
    wish = Wish(ROOM, limit=1)
    note_answer(stock(series, wish, holes=[span]), Ask(100, *span), [], NOW)

    assert span in list(series.answered) and not series.repaired and not series.is_exhausted


def test_a_range_is_asked_for_from_its_end_in_parts_and_goes_on_where_it_stopped() -> None:
    series = Series("1", keep=600)
    wish = Wish(ROOM, start=T - 60 * 900, before=T + 1)
    first = next_ask(stock(series, wish), wish, NOW)

    assert first == Ask(1000, T - 60 * 900, T)
    note_answer(stock(series, wish), first, vendor(first, most=300), NOW)
    second = next_ask(stock(series, wish), wish, NOW)
    assert second == Ask(700, T - 60 * 900, T - 60 * 299)
    assert [ask.end for ask in fulfil(series, wish, most=300)] == [
        T - 60 * minutes for minutes in (299, 598, 897)
    ]


def test_a_range_ends_before_the_candle_that_opens_at_its_end() -> None:
    series = Series("1", keep=600)
    wish = Wish(ROOM, start=T - 60 * 110, before=T - 60 * 10)
    [ask] = fulfil(series, wish)

    assert ask == Ask(100, T - 60 * 110, T - 60 * 10 - 1), "a hundred candles cost one credit"
    assert [one.t for one in vendor(ask)] == list(range(T - 60 * 11, T - 60 * 111, -60))
    after = Wish(ROOM, start=T - 60 * 10, before=T - 60 * 9)
    assert fulfil(series, after) == [Ask(100, T - 60 * 10, T - 60 * 9 - 1)], "it was not asked for"


def test_a_long_range_costs_ten_credits_for_each_thousand_candles() -> None:
    series = Series("1", keep=600)
    wish = Wish(ROOM, start=T - 60 * 2500, before=T - 60 * 2)
    asks = []
    while ask := next_ask(stock(series, wish), wish, NOW):
        asks.append(ask)
        note_answer(stock(series, wish), ask, vendor(ask, oldest=0), NOW)

    assert [credits_of(ask.length) for ask in asks] == [10, 10, 5]


def test_a_range_that_is_older_than_the_series_leaves_no_hole_in_it() -> None:
    series = Series("1", keep=600)
    fulfil(series, Wish(ROOM, limit=100))
    times = series.times()
    old = Wish(ROOM, start=T - 60 * 900, before=T - 60 * 800)
    fulfil(series, old)
    assert series.times() == times and not next_ask(stock(series, old), old, NOW)

    unseen = Series("1", keep=600)
    fulfil(unseen, old)
    assert not len(unseen)
    assert fulfil(unseen, Wish(ROOM, limit=100)) == [Ask(100)], "the newest ones were never asked"


@given(
    st.sets(st.integers(1, 60)),
    st.integers(1, 59).flatmap(lambda first: st.tuples(st.just(first), st.integers(first + 1, 60))),
    st.integers(1, 60),
)
def test_a_hole_is_closed_whatever_of_it_the_vendor_has(
    known: set[int], ends: tuple[int, int], most: int
) -> None:
    series = Series("1", keep=600)
    series.answered.add(T, T + 1)
    hole, wish = (T - 60 * ends[1], T - 60 * ends[0]), Wish(ROOM, limit=1)
    asks = 0
    while holes := series.answered.outside(*hole):
        ask = next_ask(stock(series, wish, holes=holes), wish, NOW)
        assert ask is not None
        asks += 1
        assert asks <= len(known) + 1
        bars = [one for one in vendor(ask) if (T - one.t) // 60 in known][:most]
        note_answer(stock(series, wish, holes=holes), ask, bars, NOW + 3600)


def test_holes_of_the_database_are_found_up_to_the_series_or_the_page() -> None:
    hours = Markets().hours(ROOM.symbol)
    series = Series("1", keep=600)
    fulfil(series, Wish(ROOM, limit=100))
    oldest = series.times()[0]
    rows = [bar(oldest - 60 * minutes) for minutes in (*range(2000, 1990, -1), *range(50, 0, -1))]
    gap = (oldest - 60 * 1990, oldest - 60 * 50)

    assert holes_before(series, None, rows, hours) == (gap,)
    assert holes_before(series, oldest - 60 * 1990, rows[:10], hours) == ()
    assert holes_before(series, None, rows[:-10], hours) == (gap, (oldest - 60 * 10, oldest))
    assert holes_before(Series("1", keep=600), None, rows[10:], hours) == ()
    series.answered.add(*gap)
    assert holes_before(series, None, rows, hours) == ()


@given(st.integers(1, 1000), st.integers(1, 700), st.integers(50, 1000))
def test_every_wish_ends_after_few_requests(limit: int, older: int, most: int) -> None:
    series = Series("1", keep=600)
    asks = fulfil(series, Wish(ROOM, limit=limit), most=most)
    asks += fulfil(series, Wish(ROOM, limit=limit, before=T - older * 60), most=most)

    assert len(asks) <= 601 // most + 4
    times = series.times()
    assert times == sorted(set(times))


def test_the_last_candle_of_an_answer_may_be_forming_and_is_not_finished() -> None:
    bars = [bar(T), bar(T - 120), bar(T - 60)]

    assert finished(bars, "1", NOW) == bars[1:]
    assert finished(bars, "1", T + 60.0) == bars[1:], "the vendor may be late"
    assert finished(bars, "1", T + 180.0) == bars
