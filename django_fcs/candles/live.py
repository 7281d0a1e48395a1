"""The bar that is forming, from the last value of a room."""

from __future__ import annotations

from typing import NamedTuple

from django_fcs.exceptions import ProtocolError
from django_fcs.prices.entries import drop_malformed
from django_fcs.prices.sessions import Markets
from django_fcs.prices.states import Expectation
from django_fcs.prices.store import LastValue
from django_fcs.prices.updates import price_of
from django_fcs.protocol.ticks import Head
from django_fcs.rooms import Room
from django_fcs.values.timeframes import LENGTHS, LONGEST

from .bars import Bar, read_bar
from .sessions import bar_end

__all__ = ["LiveBar", "live_bars"]

_DAY = 86_400

_markets = Markets()


class LiveBar(NamedTuple):
    """A bar that came over the socket."""

    bar: Bar
    at: float
    """When its last change came, in unix seconds."""
    is_final: bool
    """Whether the vendor has closed it."""
    is_moved: bool = False
    """Whether ask and bid may have moved its close."""


def live_bars(room: Room, value: LastValue, now: float) -> list[LiveBar]:
    """Return the bar in the last value of a room, after the bar that ended before it.

    Ask and bid move the close within low and high, and only until the bar ends: a later change
    of them hides with which close it ended. Bars that cannot be used are left out. ``now`` is in
    unix seconds.
    """
    try:
        head = price_of(room, value.text)
    except ProtocolError as error:
        drop_malformed(error)
        return []
    bars = []
    if value.ended is not None:
        ended = read_bar(*value.ended, timeframe=room.timeframe, now=now)
        bars += [] if ended is None else [LiveBar(ended, head.at, is_final=True)]
    current = _current(room, head, value.expected, now)
    if current is not None:
        bars.append(LiveBar(current, head.at, head.mode == "close", head.mode == "askbid"))
    return bars


def _current(room: Room, head: Head, expected: Expectation, now: float) -> Bar | None:
    p = head.prices
    if p.t is None or p.c is None or p.h is None or p.l is None:
        return None
    close = p.c
    if head.mode == "askbid":
        if _has_ended(head, p.t, room, expected):
            return None
        close = min(max(close, p.l), p.h)
    return read_bar(p.t, p.o, p.h, p.l, close, p.v, timeframe=room.timeframe, now=now)


def _has_ended(head: Head, t: int, room: Room, expected: Expectation) -> bool:
    """Tell whether a bar had ended when ask and bid changed.

    The hours of exchanges are known to the stream alone, which says when they have closed.
    """
    tick_at, timeframe = head.prices.update or head.at, room.timeframe
    end = bar_end(_markets.hours(room.symbol), timeframe, t)
    # Weeks and months outlast sessions.
    closed_at = expected.since if expected.closed and LENGTHS[timeframe] <= _DAY else None
    is_over = tick_at >= (t + LONGEST[timeframe] if end is None else end)
    return is_over or (closed_at is not None and t < closed_at <= tick_at)
