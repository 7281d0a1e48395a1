"""Last prices for views and templates."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from .conf import conf
from .exceptions import ConfigurationError, ProtocolError
from .prices.entries import drop_malformed
from .prices.paths import PathReport
from .prices.states import Expectation, State, decide
from .prices.store import LastValue
from .prices.updates import price_of
from .protocol.ticks import Head
from .rooms import Room
from .site import site_store

__all__ = ["Quote", "aget_quote", "get_quote", "quotes_of"]


@dataclass(frozen=True)
class Quote:
    """The last value of a room, with its age and state.

    Prices are in the instrument's own unit; ``None`` means that the feed has not sent
    the value. ``t`` is the open time of the candle, ``at`` the arrival of the price and
    ``until`` the time at which a closed market opens, all in unix seconds. ``age`` and
    ``delay`` are in seconds.
    """

    room: Room
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None
    ask: float | None
    bid: float | None
    previous_close: float | None
    change: float | None
    change_percent: float | None
    spread: float | None
    digits: int
    t: int | None
    updated: datetime
    """The feed's own time if it sends one, otherwise the arrival; in UTC."""
    at: float
    age: float
    state: State
    delay: int | None
    until: int | None = None

    @property
    def direction(self) -> str | None:
        """``"up"`` or ``"down"``, by the sign of the change."""
        if not self.change:
            return None
        return "up" if self.change > 0 else "down"


def get_quote(symbol: str, timeframe: str | None = None) -> Quote | None:
    """Return the last value of a room, or ``None`` if none is known.

    Raises ``BadSymbol`` or ``BadTimeframe``, never an error of the cache.
    """
    room = Room.parse(symbol, timeframe)
    try:
        values, path = site_store().load([room])
    except ConfigurationError:
        return None
    return _quote(room, values.get(room), path, time.time())


async def aget_quote(symbol: str, timeframe: str | None = None) -> Quote | None:
    """Return what ``get_quote`` returns, without blocking the event loop."""
    room = Room.parse(symbol, timeframe)
    try:
        values, path = await site_store().aload([room])
    except ConfigurationError:
        return None
    return _quote(room, values.get(room), path, time.time())


def quotes_of(rooms: Iterable[Room]) -> dict[Room, Quote]:
    """Return the last value of each room that has one, in a single read.

    Raises ``ConfigurationError``.
    """
    values, path = site_store().load(rooms)
    now = time.time()
    quotes = {room: _quote(room, value, path, now) for room, value in values.items()}
    return {room: quote for room, quote in quotes.items() if quote is not None}


def _quote(
    room: Room, value: LastValue | None, path: PathReport | None, now: float
) -> Quote | None:
    head = None if value is None else _read(room, value)
    if value is None or head is None:
        return None
    price, at = head.prices, head.at
    state = _state(at, value.expected, path, now)
    return Quote(
        room=room,
        open=price.o,
        high=price.h,
        low=price.l,
        close=price.c,
        volume=price.v,
        ask=price.a,
        bid=price.b,
        previous_close=price.pc,
        change=price.ch,
        change_percent=price.chp,
        spread=_spread(price.a, price.b, price.digits or 0),
        digits=price.digits or 0,
        t=price.t,
        updated=datetime.fromtimestamp(price.update or at, timezone.utc),
        at=at,
        age=max(0.0, now - at),
        state=state,
        delay=price.delay,
        until=value.expected.opens_at if state is State.CLOSED else None,
    )


def _read(room: Room, value: LastValue) -> Head | None:
    try:
        return price_of(room, value.text)
    except ProtocolError as error:
        drop_malformed(error)
        return None


def _spread(ask: float | None, bid: float | None, digits: int) -> float | None:
    return None if ask is None or bid is None else round(ask - bid, digits)


def _state(at: float, expected: Expectation, path: PathReport | None, now: float) -> State:
    offline_after = conf.FCS_OFFLINE_AFTER_SECONDS
    return decide(
        # A price from the future counts like an old one: some clock was set.
        age=abs(now - at),
        expected=expected,
        now=now,
        broken=path is None or path.is_broken(path.age(now), offline_after),
        stale_after=conf.FCS_STALE_AFTER_SECONDS,
        outdated=path is not None and path.outage.outdates(at, now, offline_after),
    )
