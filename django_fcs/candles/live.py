"""The bar that is forming, from the last value of a room."""

from __future__ import annotations

from typing import NamedTuple

from django_fcs.exceptions import ProtocolError
from django_fcs.prices.entries import drop_malformed
from django_fcs.prices.states import Expectation
from django_fcs.prices.store import LastValue
from django_fcs.prices.updates import price_of
from django_fcs.protocol.ticks import Head
from django_fcs.rooms import Room
from django_fcs.values.timeframes import LENGTHS, LONGEST

from .bars import Bar, read_bar

__all__ = ["LiveBar", "live_bar"]

_DAY = 86_400


class LiveBar(NamedTuple):
    """A bar that came over the socket."""

    bar: Bar
    at: float
    """When its last change came, in unix seconds."""
    is_final: bool
    """Whether the vendor has closed it."""


def live_bar(room: Room, value: LastValue, now: float) -> LiveBar | None:
    """Return the bar in the last value of a room; ``None`` if the value has no usable bar.

    A change of ask and bid moves the close while the bar forms, but not out of high and low,
    which are the vendor's. A change after its end hides with which close it ended. ``now``
    is in unix seconds.
    """
    try:
        head = price_of(room, value.text)
    except ProtocolError as error:
        drop_malformed(error)
        return None
    p = head.prices
    if p.t is None or p.c is None or p.h is None or p.l is None:
        return None
    close = p.c
    if head.mode == "askbid":
        if not _is_forming(head, p.t, room.timeframe, value.expected):
            return None
        close = min(max(close, p.l), p.h)
    bar = read_bar(p.t, p.o, p.h, p.l, close, p.v, timeframe=room.timeframe, now=now)
    return None if bar is None else LiveBar(bar, head.at, head.mode == "close")


def _is_forming(head: Head, t: int, timeframe: str, expected: Expectation) -> bool:
    """Tell whether ask and bid changed within a bar; weeks and months outlast sessions."""
    tick_at = head.prices.update or head.at
    end = float(t + LONGEST[timeframe])
    closed_at = expected.since
    if expected.closed and LENGTHS[timeframe] <= _DAY and closed_at is not None and closed_at > t:
        end = min(end, closed_at)
    return t <= tick_at < end
