"""When markets are open: the forex week, coins always, exchanges by their calendars.

Times are unix seconds and always arguments. Unknown hours are ``None``, never closed.
A calendar may be wrong, so a price has priority over it (``states.Pulse``).
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from .symbols import exchange_of, is_currency_pair, is_metal, market_of

__all__ = ["Hours", "Markets", "Phase", "Timetable", "vendor_says_open"]

_NEW_YORK = ZoneInfo("America/New_York")

#: The forex day D runs from this hour of D - 1 to the same hour of D, in New York.
_ROLLOVER = 17

#: Metals pause for the hour after the rollover, like their futures.
_METALS_OPEN = 18

#: Month and day of holidays, each from the rollover of the day before to that of the day.
_HOLIDAYS = ((12, 25), (1, 1))

#: How many days to list before and after a day: more than the forex week ever stays open or
#: closed.
_WINDOW_DAYS = 10

#: How many days are prepared at once. Day by day, to look through a history of decades would hold
#: up prices for a fifth of a second.
_YEAR_DAYS = 364

_DAY_SECONDS = 86_400

#: Calendars are corrected now and then, so each is read again after this time.
_KEEP_SECONDS = 7 * _DAY_SECONDS

#: Exchange as the vendor spells it → calendar. The vendor's TSE is Tokyo, while XTSE is
#: Toronto. Both exchanges of Mumbai have the same hours, and an index has those of its shares.
_CALENDARS = {
    **dict.fromkeys(("NASDAQ", "NYSE", "AMEX", "SP", "DJ"), "XNYS"),
    **dict.fromkeys(("BSE", "NSE"), "XBOM"),
    **{"LSE": "XLON", "TSE": "XTKS", "HKEX": "XHKG", "PSX": "XKAR", "IDX": "XIDX"},
}

_OPEN_SESSIONS = ("market", "regular", "pre_market", "post_market")


class Phase(NamedTuple):
    """Whether a market is open, since when, and until when; ``None`` means unknown."""

    is_open: bool | None
    since: float | None = None
    until: float | None = None


_UNKNOWN = Phase(None)


class Hours(Protocol):
    """When one market is open."""

    def phase(self, now: float) -> Phase:
        """Return what is known about this moment."""


class Timetable:
    """A list of times at which a market is open.

    Nothing is known before its first and after its last entry.

    Args:
        intervals: Opening and closing times, ascending. Intervals that touch are merged.
    """

    def __init__(self, intervals: Iterable[tuple[float, float]] = ()) -> None:
        self._opens: list[float] = []
        self._closes: list[float] = []
        for opens, closes in intervals:
            if self._closes and self._closes[-1] == opens:
                self._closes[-1] = closes
            else:
                self._opens.append(opens)
                self._closes.append(closes)

    def phase(self, now: float) -> Phase:
        """Return the phase; at its opening time a market is open, at its closing time closed."""
        index = bisect_right(self._opens, now) - 1
        if index < 0:
            return _UNKNOWN
        if now < self._closes[index]:
            return Phase(True, self._opens[index], self._closes[index])
        if index + 1 == len(self._opens):
            return _UNKNOWN
        return Phase(False, self._closes[index], self._opens[index + 1])


class _Always:
    def phase(self, now: float) -> Phase:
        return Phase(True)


class _Forex:
    """The forex week; ``is_sure`` means that all of it is trading time.

    Indices, oil and gas on a forex feed are closed when forex is, and at further hours of
    their own.
    """

    def __init__(self, *, opens: int = _ROLLOVER, is_sure: bool = True) -> None:
        self._opens = opens
        self._is_sure = is_sure

    def phase(self, now: float) -> Phase:
        phase = _forex_year(int(now // _DAY_SECONDS) // _YEAR_DAYS, self._opens).phase(now)
        return phase if self._is_sure or not phase.is_open else phase._replace(is_open=None)


class _Exchange:
    """A stock exchange; its table is empty until its calendar has been read."""

    def __init__(self) -> None:
        self.table = Timetable()
        self.read_at: float | None = None

    def phase(self, now: float) -> Phase:
        return self.table.phase(now)

    def is_lacking(self, now: float) -> bool:
        return self.read_at is None or abs(now - self.read_at) > _KEEP_SECONDS


class Markets:
    """The hours of every symbol's market.

    The hours of a stock exchange are unknown until ``learn`` has received its calendar.
    """

    def __init__(self) -> None:
        self._always = _Always()
        self._forex = _Forex()
        self._metals = _Forex(opens=_METALS_OPEN)
        self._beside_forex = _Forex(is_sure=False)
        self._nothing = Timetable()
        self._exchanges: dict[str, _Exchange] = {}

    def hours(self, symbol: str) -> Hours:
        """Return the hours of a symbol; the object is updated when its calendar is read."""
        market = market_of(symbol)
        if market == "crypto":
            return self._always
        if market == "forex":
            if is_currency_pair(symbol):
                return self._forex
            return self._metals if is_metal(symbol) else self._beside_forex
        exchange = exchange_of(symbol)
        if exchange in _CALENDARS:
            return self._exchanges.setdefault(_CALENDARS[exchange], _Exchange())
        return self._nothing

    def lacking(self, symbols: Iterable[str], now: float) -> frozenset[str]:
        """Return the calendars to read, for the first time or again, for these symbols."""
        exchanges = {exchange_of(symbol) for symbol in symbols}
        names = {_CALENDARS[exchange] for exchange in exchanges if exchange in _CALENDARS}
        return frozenset(
            name
            for name in names
            if name not in self._exchanges or self._exchanges[name].is_lacking(now)
        )

    def learn(self, calendar: str, table: Timetable, now: float) -> None:
        """Store what was read from a calendar; an empty table means unknown hours."""
        exchange = self._exchanges.setdefault(calendar, _Exchange())
        exchange.table = table
        exchange.read_at = now


def vendor_says_open(profile: Mapping[str, Any]) -> bool | None:
    """Return whether a profile's session is open; ``None`` if the profile has no session."""
    session = profile.get("current_session")
    return session in _OPEN_SESSIONS if isinstance(session, str) else None


@functools.lru_cache(maxsize=64)
def _forex_year(year: int, opens: int) -> Timetable:
    """Return the trading days of a year of ``_YEAR_DAYS``, counted from 1970, and around it."""
    first = date(1970, 1, 1) + timedelta(year * _YEAR_DAYS)
    days = (
        first + timedelta(offset) for offset in range(-_WINDOW_DAYS, _YEAR_DAYS + _WINDOW_DAYS + 1)
    )
    return Timetable(
        (_in_new_york(day - timedelta(1), opens), _in_new_york(day, _ROLLOVER))
        for day in days
        if day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS
    )


def _in_new_york(day: date, hour: int) -> float:
    return datetime.combine(day, time(hour), _NEW_YORK).timestamp()
