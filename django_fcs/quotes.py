"""Last prices for views and templates."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from .conf import Settings
from .exceptions import ConfigurationError, ProtocolError
from .prices.entries import drop_malformed
from .prices.names import usual_digits
from .prices.paths import PathReport
from .prices.recent import SeenRoom
from .prices.snapshots import spread_of
from .prices.states import Expectation, State, decide
from .prices.store import LastValue, Seen, Store
from .prices.updates import price_of
from .protocol.bounds import SEQ_MAX
from .protocol.ticks import Head
from .rooms import Room
from .site import (
    name_to_show,
    note_mistake,
    room_to_show,
    setting_to_show,
    site_store,
    value_to_show,
)

__all__ = ["Quote", "aget_quote", "aget_quotes", "get_quote", "get_quotes", "quote_to_show"]

K = TypeVar("K", str, Room)


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
    recent: tuple[float | None, ...] = ()
    """The last price of each of the 60 minutes before the current one, the oldest first.

    ``None`` is a minute without a price. For some seconds after a minute has ended, the newest
    one is the minute before it. Empty if no such minute was ever saved.
    """

    @property
    def name(self) -> str:
        """What the instrument is called, in the active language: ``Euro / US dollar``.

        ``FCS_NAMES`` comes first. An instrument without a known name has its ticker.
        """
        return name_to_show(self.room.symbol)

    @property
    def direction(self) -> str | None:
        """``"up"`` or ``"down"``, by the sign of the change."""
        if not self.change:
            return None
        return "up" if self.change > 0 else "down"

    def as_dict(self) -> dict[str, Any]:
        """Return the quote as JSON has it, for ``JsonResponse`` or ``json.dumps``.

        The keys are the names of the fields, with ``symbol`` and ``timeframe`` in place
        of ``room``, and ``name`` and ``direction``. ``updated`` is a text in ISO 8601, in UTC.
        """
        values = {name: _strict(getattr(self, name)) for name in _PLAIN_FIELDS}
        return {
            "symbol": self.room.symbol,
            "timeframe": self.room.timeframe,
            "name": self.name,
            **values,
            "recent": list(self.recent),
            "updated": self.updated.isoformat().replace("+00:00", "Z"),
            "state": self.state.value,
            "direction": self.direction,
        }


def get_quote(symbol: str, timeframe: str | None = None) -> Quote | None:
    """Return the last value of a room, or ``None`` if none is known.

    Raises ``BadSymbol`` or ``BadTimeframe``, never an error of the cache or of a setting:
    that is logged once an hour, and a wrong setting counts as its default.
    """
    return get_quotes([symbol], timeframe)[symbol]


async def aget_quote(symbol: str, timeframe: str | None = None) -> Quote | None:
    """Return what ``get_quote`` returns, without blocking the event loop."""
    return (await aget_quotes([symbol], timeframe))[symbol]


def get_quotes(symbols: Iterable[K], timeframe: str | None = None) -> dict[K, Quote | None]:
    """Return the last value of each room, ``None`` if none is known, in a single read.

    The keys are the symbols as given, in their order. A ``Room`` may stand in place of a
    symbol; it has its own timeframe. Raises ``BadSymbol`` or ``BadTimeframe``, never an
    error of the cache or of a setting.
    """
    rooms = _rooms(symbols, timeframe)
    try:
        store = site_store()
        seen = store.see(set(rooms.values()))
    except ConfigurationError as error:
        note_mistake(error)
        return dict.fromkeys(rooms)
    return _quotes(rooms, seen, _stream_time(store))


async def aget_quotes(symbols: Iterable[K], timeframe: str | None = None) -> dict[K, Quote | None]:
    """Return what ``get_quotes`` returns, without blocking the event loop."""
    rooms = _rooms(symbols, timeframe)
    try:
        store = site_store()
        seen = await store.asee(set(rooms.values()))
    except ConfigurationError as error:
        note_mistake(error)
        return dict.fromkeys(rooms)
    return _quotes(rooms, seen, _stream_time(store))


def quote_to_show(room: Room) -> Quote | None:
    """Return the last value of a room for a widget: all widgets of a page share a read."""
    try:
        store = site_store()
        seen = value_to_show(room, store)
    except ConfigurationError as error:
        note_mistake(error)
        return None
    return _quote(room, seen, _stream_time(store))


def _rooms(symbols: Iterable[K], timeframe: str | None) -> dict[K, Room]:
    # Read letter by letter, one symbol would be many.
    several: Iterable[K] = [symbols] if isinstance(symbols, str) else symbols
    return {one: one if isinstance(one, Room) else room_to_show(one, timeframe) for one in several}


def _stream_time(store: Store) -> float:
    """Return the unix time on the clock of the stream, whose times the prices have."""
    return time.time() - store.offset.seconds


def _quotes(rooms: dict[K, Room], seen: Seen, now: float) -> dict[K, Quote | None]:
    return {
        key: _quote(room, SeenRoom(seen.values.get(room), seen.path, seen.minutes.get(room)), now)
        for key, room in rooms.items()
    }


def _strict(value: float | None) -> float | None:
    """Return a number that JSON has and scripts read as it is; ``None`` for the others."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is not None and abs(value) <= SEQ_MAX else None


#: The fields of a quote that are numbers.
_PLAIN_FIELDS = (
    *("open", "high", "low", "close", "volume", "ask", "bid", "previous_close"),
    *("change", "change_percent", "spread", "digits", "t", "at", "age", "delay", "until"),
)


def _quote(room: Room, seen: SeenRoom, now: float) -> Quote | None:
    value = seen.value
    head = None if value is None else _read(room, value)
    if value is None or head is None:
        return None
    price, at = head.prices, head.at
    state = _state(at, value.expected, seen.path, now)
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
        spread=spread_of(price.a, price.b),
        digits=(usual_digits(room.symbol) or 0) if price.digits is None else price.digits,
        t=price.t,
        updated=datetime.fromtimestamp(price.update or at, timezone.utc),
        at=at,
        age=max(0.0, now - at),
        state=state,
        delay=price.delay,
        until=value.expected.opens_at if state is State.CLOSED else None,
        recent=seen.minutes.seen_at(now) if seen.minutes is not None else (),
    )


def _read(room: Room, value: LastValue) -> Head | None:
    try:
        return price_of(room, value.text)
    except ProtocolError as error:
        drop_malformed(error)
        return None


def _state(at: float, expected: Expectation, path: PathReport | None, now: float) -> State:
    offline_after = setting_to_show(Settings.FCS_OFFLINE_AFTER_SECONDS)
    return decide(
        # A price from the future counts like an old one: some clock was set.
        age=abs(now - at),
        expected=expected,
        now=now,
        broken=path is None or path.is_broken(path.age(now), offline_after),
        stale_after=setting_to_show(Settings.FCS_STALE_AFTER_SECONDS),
        outdated=path is not None and path.outage.outdates(at, now, offline_after),
    )
