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

    Ask and bid move the close, and with it high and low, only until the bar ends. A later
    change of them hides with which close it ended. ``now`` is in unix seconds.
    """
    try:
        head = price_of(room, value.text)
    except ProtocolError as error:
        drop_malformed(error)
        return None
    p = head.prices
    if p.t is None or p.c is None or p.h is None or p.l is None:
        return None
    high, low = p.h, p.l
    if head.mode == "askbid":
        if _has_ended(head, p.t, room.timeframe, value.expected):
            return None
        high, low = max(high, p.c), min(low, p.c)
    bar = read_bar(p.t, p.o, high, low, p.c, p.v, timeframe=room.timeframe, now=now)
    return None if bar is None else LiveBar(bar, head.at, head.mode == "close")


def _has_ended(head: Head, t: int, timeframe: str, expected: Expectation) -> bool:
    """Tell whether a bar had ended when ask and bid changed; weeks and months outlast sessions."""
    tick_at = head.prices.update or head.at
    closed_at = expected.since if expected.closed and LENGTHS[timeframe] <= _DAY else None
    return tick_at >= t + LONGEST[timeframe] or (closed_at is not None and t < closed_at <= tick_at)
