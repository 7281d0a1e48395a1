"""What to ask the vendor's history for next: only ranges that nobody has.

A hundred bars cost one credit and a part of a hundred costs as much, so whole hundreds are asked
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django_fcs.candles.bars import Bar
from django_fcs.candles.holes import missing_among
from django_fcs.candles.series import REST_LATE_SECONDS, Series
from django_fcs.candles.sessions import pieces
from django_fcs.candles.spans import Span
from django_fcs.layer.events import Wish
from django_fcs.prices.sessions import Hours
from django_fcs.protocol.bounds import CANDLES_MAX
from django_fcs.values.timeframes import LENGTHS, LONGEST

__all__ = [
    "Ask",
    "Outcome",
    "Stock",
    "affordable",
    "bars_for",
    "credits_of",
    "finished",
    "holes_before",
    "next_ask",
    "note_answer",
    "note_saved",
    "range_of",
]

_HUNDRED = 100

#: The bars of one request for a range, with those at both of its ends. Longer ranges take several.
RANGE_BARS = 1000

#: REST may be that late with the candles of a room that has just been joined, as its prices are.
NEAR_SECONDS = 3600

#: No market is closed for longer, in seconds.
_CLOSED_MAX_SECONDS = 14 * 86_400


class Ask(NamedTuple):
    """One request to the vendor: so many bars, of a range if it is given, in unix seconds."""

    length: int
    start: int | None = None
    end: int | None = None


class Stock(NamedTuple):
    """What is known of a room's candles, as far as a wish for them is concerned."""

    series: Series
    holes: Sequence[Span]
    """The ranges without candles in which nobody knows whether there are any."""
    oldest: int | None
    """When the oldest candle opened that is kept here, the database included. ``None`` if there
    is none."""
    have: int
    """How many candles before the time of the wish are kept here."""
    places: int
    """How many more older candles can be kept."""


class Outcome(NamedTuple):
    """What an answer has brought."""

    span: Span | None
    """When the first and the last of its bars opened; ``None`` without bars."""
    is_late: bool
    """Whether the vendor may know more of the range soon."""


def credits_of(bars: int) -> int:
    """Return what the vendor charges for so many bars."""
    return -(-bars // _HUNDRED)


def bars_for(credits: int) -> int:
    """Return how many bars so many credits buy."""
    return credits * _HUNDRED


def affordable(ask: Ask, credits: float) -> Ask | None:
    """Return as much of a request as some credits buy; ``None`` if they buy none of it."""
    if credits < 1:
        return None
    return ask if credits_of(ask.length) <= credits else ask._replace(length=bars_for(int(credits)))


def range_of(wish: Wish, now: float) -> Span:
    """Return the first and the last second of a wish for a range: ``before`` is no part of it."""
    assert wish.start is not None, "it has a range"
    return wish.start, int(now if wish.before is None else wish.before) - 1


def next_ask(stock: Stock, wish: Wish, now: float) -> Ask | None:
    """Return what to ask for next to fulfil a wish; ``None`` if there is nothing to ask."""
    if wish.start is not None:
        return _in_range(stock, *range_of(wish, now))
    if _is_new(stock.series, now):
        return Ask(_hundreds(min(wish.limit, max(stock.places, 1))))
    return _repair(stock) or _older(stock, wish)


def note_answer(
    stock: Stock, ask: Ask, bars: Sequence[Bar], fetched_at: float, *, delay: float = 0
) -> Outcome:
    """Merge what the vendor answered.

    A page may have fewer bars than were asked for, as some plans are limited. So the answer
    counts from its oldest bar on, and an answer without bars for all that was asked. It counts
    up to its newest bar, or to the time that the vendor must know by now. The series takes only
    bars that leave no gap before those it has.
    """
    series, longest = stock.series, LONGEST[stock.series.timeframe]
    stop = int(fetched_at) if ask.end is None else ask.end
    inside = [bar.t for bar in bars if (ask.start or 0) <= bar.t <= stop]
    if stop >= _begin(series, fetched_at) - 1:
        series.take_page(bars, fetched_at=fetched_at, delay=delay)
    known = int(min(stop, max([fetched_at - delay - REST_LATE_SECONDS, *inside])))
    if ask.start is None:
        start = min(inside, default=known - 1)
        series.is_exhausted |= not inside
    else:
        # The bar at the end is known already: with that alone, the same would be asked again.
        start = min((t for t in inside if t < stop), default=ask.start)
        start = ask.start if start - ask.start <= longest else start
    series.note_answer(start, known, holes=stock.holes)
    is_late = ask.start is not None and known < stop
    return Outcome((min(inside), max(inside)) if inside else None, is_late)


def note_saved(series: Series, rows: Sequence[Bar], start: int, stop: int, hours: Hours) -> bool:
    """Note where rows of the database adjoin between two moments; return whether any do.

    Nothing is missing there, as if REST had answered. Runs of less than a hundred bars save no
    credit and are left out.
    """
    longest, first, count, found = LONGEST[series.timeframe], 0, 0, False
    nexts = [*(bar.t for bar in rows[1:]), stop]
    for row, after in zip(rows, nexts, strict=False):  # Without rows there is one time.
        first, count = (first, count + 1) if count else (row.t, 1)
        is_last = after - row.t > longest and not _is_closed(hours, row.t + longest, after)
        if not is_last and after < stop:
            continue
        span = max(first, start), row.t + 1 if is_last else stop
        if count >= _HUNDRED and span[0] < span[1]:
            series.answered.add(*span)
            found = True
        count = 0
    return found


def _is_closed(hours: Hours, start: int, stop: int) -> bool:
    if stop - start > _CLOSED_MAX_SECONDS:
        return False
    return all(piece.is_open is False for piece in pieces(hours, start, stop))


def holes_before(
    series: Series, stop: int | None, rows: Sequence[Bar], hours: Hours
) -> tuple[Span, ...]:
    """Return the holes among candles of the database, and up to the series or to ``stop``.

    Somebody may have fetched a range that is older than all others.
    """
    ends = [at for at in (stop, series.oldest and series.oldest.t) if at is not None]
    end = min(ends, default=0)
    older = [bar.t for bar in rows if bar.t < end]
    looked = series.joined, series.answered
    return missing_among(older, series.timeframe, looked, hours, end)


def finished(bars: Sequence[Bar], timeframe: str, fetched_at: float) -> list[Bar]:
    """Return the bars of an answer that had ended when it came."""
    last = max((bar.t for bar in bars), default=0)
    ended = fetched_at - REST_LATE_SECONDS - LONGEST[timeframe]
    return [bar for bar in bars if bar.t < last or bar.t <= ended]


def _begin(series: Series, now: float) -> float:
    """Return when the bars of a series begin; without any, when the next one may begin."""
    return now - LONGEST[series.timeframe] if series.oldest is None else series.oldest.t


def _is_new(series: Series, now: float) -> bool:
    """Tell whether REST has not answered yet for the time from which the series goes on."""
    since = (now if series.since is None else series.since) - NEAR_SECONDS
    return not series.is_exhausted and not any(stop > since for _, stop in series.answered)


def _repair(stock: Stock) -> Ask | None:
    """Ask for the newest hole, from the candle before it to the candle after it."""
    if not stock.holes:
        return None
    start, stop = stock.holes[-1]
    length, timeframe = LENGTHS[stock.series.timeframe], stock.series.timeframe
    start = max(start - LONGEST[timeframe], stop - (RANGE_BARS - 2) * length)
    return Ask(_hundreds((stop - start) // length + 2), start, stop)


def _older(stock: Stock, wish: Wish) -> Ask | None:
    few = min(wish.limit - stock.have, stock.places)
    if few <= 0 or stock.series.is_exhausted:
        return None
    return Ask(_hundreds(few), end=_last(stock.oldest))


def _in_range(stock: Stock, start: int, stop: int) -> Ask | None:
    """Ask for the newest part of a range for which the vendor has not answered."""
    length = LENGTHS[stock.series.timeframe]
    parts = [part for part in stock.series.answered.outside(start, stop) if part[1] - part[0] > 1]
    if not parts:
        return None
    first, last = parts[-1]
    first = max(first, last - RANGE_BARS * length + 1)
    return Ask(_hundreds((last - first) // length + 1), first, last)


def _hundreds(bars: int) -> int:
    return min(credits_of(bars) * _HUNDRED, CANDLES_MAX)


def _last(before: int | None) -> int | None:
    return None if before is None else max(before - 1, 0)
