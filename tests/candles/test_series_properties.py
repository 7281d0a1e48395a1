"""A series, fed with pages and live bars in any order: it equals what one works out on paper."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, strategies as st

from django_fcs.candles.bars import Bar, Rank, read_bar
from django_fcs.candles.kept import Kept
from django_fcs.candles.series import REST_LATE_SECONDS, Series

KEEP = 9
NOW = 3000.0


class Live(NamedTuple):
    """A bar of the socket."""

    bar: Bar
    at: float
    is_final: bool


class Page(NamedTuple):
    """An answer of REST: rows of numbers or of their texts."""

    rows: tuple[tuple[Any, ...], ...]
    at: float


prices = st.integers(1, 5).map(lambda n: n / 8)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    t = 60 * draw(st.integers(0, 14))
    l, c, o, h = sorted(draw(st.lists(prices, min_size=4, max_size=4)))  # noqa: E741
    return Bar(t, o, h, l, c, draw(st.none() | st.integers(0, 2).map(float)))


def row_of(bar: Bar, is_text: bool) -> tuple[Any, ...]:
    return tuple(repr(value) if is_text and value is not None else value for value in bar)


rows = st.builds(row_of, bars(), st.booleans())
times = st.integers(0, 2000).map(float)
lives = st.builds(Live, bars(), times, st.booleans())
pages = st.builds(Page, st.lists(rows, max_size=16).map(tuple), times)
events = st.lists(lives | pages, max_size=14)


def feed(series: Series, event: Live | Page) -> None:
    if isinstance(event, Live):
        series.put(event.bar, rank=Rank.LIVE, at=event.at, is_final=event.is_final)
    else:
        series.take_page(read(event), fetched_at=event.at)


def read(page: Page) -> list[Bar]:
    found = [read_bar(*row, timeframe="1", now=NOW) for row in page.rows]
    assert None not in found
    return [bar for bar in found if bar is not None]


def ranked(events: Iterable[Live | Page]) -> list[tuple[int, float, Bar, bool]]:
    """Return all bars with rank and arrival, and whether something says that they have ended."""
    found = []
    for event in events:
        if isinstance(event, Live):
            found.append((1, event.at, event.bar, event.is_final))
        else:
            bars = read(event)
            for bar in bars:
                over = event.at - REST_LATE_SECONDS >= bar.t + 60
                has_ended = over or any(other.t > bar.t for other in bars)
                found.append((2 if has_ended else 0, event.at, bar, False))
    return found


def on_paper(events: list[Live | Page]) -> list[tuple[Bar, bool]]:
    """Return the bars that count, by the rules alone, and whether each is final."""
    found = ranked(events)
    kept = sorted({bar.t for _, _, bar, _ in found})[-KEEP - 1 :]
    result = []
    for t in kept:
        best = max((o for o in found if o[2].t == t), key=lambda one: one[:2])
        rank, arrived, bar, _ = best
        ended = any(told for _, _, other, told in found if other.t == t)
        result.append((bar, rank == 2 or ended or t < kept[-1]))
    return result


def without_ties(events: list[Live | Page]) -> list[Live | Page]:
    """Return the events with arrivals of their own, and pages without doubles that differ."""
    clean: list[Live | Page] = []
    for number, event in enumerate(events):
        arrived = event.at + number / 1000
        if isinstance(event, Page):
            rows = {int(row[0]): row for row in event.rows}
            doubled = [*rows.values(), *rows.values()]
            Random(number).shuffle(doubled)
            clean.append(Page(tuple(doubled), arrived))
        else:
            clean.append(event._replace(at=arrived))
    return clean


@given(events, st.randoms(use_true_random=False))
def test_any_order_of_pages_and_live_bars_ends_in_the_series_of_the_rules(
    events: list[Live | Page], random: Random
) -> None:
    events = without_ties(events)
    series = Series("1", keep=KEEP)
    for number, event in enumerate(events, 1):
        feed(series, event)
        # With every prefix, and so with every source that comes later than a better one.
        assert series.bars() == on_paper(events[:number])

    other = Series("1", keep=KEEP)
    for event in random.sample(events, len(events)):
        feed(other, event)
    assert other.bars() == series.bars()


@given(events)
def test_bars_ascend_without_a_double_and_nothing_final_is_open_again(
    events: list[Live | Page],
) -> None:
    series = Series("1", keep=KEEP)
    final: set[int] = set()
    for event in events:
        version, before = series.version, series.bars()
        feed(series, event)
        found = series.bars()
        times = [bar.t for bar, _ in found]
        assert times == sorted(set(times)) == series.times()
        assert len(series) <= KEEP + 1
        assert final.isdisjoint(bar.t for bar, is_final in found if not is_final)
        final |= {bar.t for bar, is_final in found if is_final}
        assert (series.version > version) == (found != before)


moments = st.sampled_from([300.0, 301.0])
crowded = st.builds(Live, bars(), moments, st.booleans())
crowded_pages = st.builds(Page, st.lists(rows, max_size=9).map(tuple), moments)
crowds = st.lists(crowded | crowded_pages, max_size=9)


@given(crowds, crowds)
def test_arrivals_at_the_same_moment_end_in_one_series_too(
    events: list[Live | Page], more: list[Live | Page]
) -> None:
    one, other = Series("1", keep=KEEP), Series("1", keep=KEEP)
    for event in (*events, *more):
        feed(one, event)
    for event in (*more, *reversed(events)):
        feed(other, event)

    assert one.bars() == other.bars()


@given(events, events)
def test_what_an_earlier_stream_kept_is_merged_as_if_it_had_been_seen(
    earlier: list[Live | Page], later: list[Live | Page]
) -> None:
    before, series, whole = (Series("1", keep=KEEP) for _ in range(3))
    for event in earlier:
        feed(before, event)
        feed(whole, event)
    for event in later:
        feed(series, event)
        feed(whole, event)

    kept = Kept.decode(Kept.of(before, saved_at=NOW).encode(), "1")
    assert kept is not None
    series.recall(kept.series(KEEP))

    assert series.bars() == whole.bars()
