"""The candles that a site has stored, for ``manage.py fcs_candles``.

The newest ones of each room are in the candle store. Older ones are in the database, where the
site has the app ``django_fcs.candles``.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from typing import NamedTuple, Protocol

from django.utils.dateparse import parse_datetime

from django_fcs.candles.bars import Bar
from django_fcs.candles.kept import BARS_MAX
from django_fcs.candles.patterns import matches
from django_fcs.candles.reading import candle_store
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import CandleStore
from django_fcs.conf import conf
from django_fcs.exceptions import BadTimeframe, ConfigurationError, FCSError, RoomError
from django_fcs.operations.status import plan, shared_store
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.rooms import Room, excerpt
from django_fcs.site import site_store
from django_fcs.values.timeframes import ALIASES

__all__ = ["Places", "StoredRoom", "moment", "room_named", "table", "time_text", "write_csv"]

_IN_MEMORY = "only the web process knows the newest candles, because the channel layer is in memory"
_NO_DATABASE = (
    "no candles are in the database: add django_fcs.candles to INSTALLED_APPS, "
    "and run manage.py migrate"
)

_HEAD = ("room", "where", "first (UTC)", "last (UTC)", "candles", "holes", "size")
_CSV_HEAD = ("time", "t", "open", "high", "low", "close", "volume")


class Writable(Protocol):
    """Where text is written to."""

    def write(self, text: str) -> object:
        """Write a text."""


class StoredRoom(NamedTuple):
    """What one place has of a room. Times are unix seconds, ``None`` without a candle."""

    room: Room
    place: str
    number: int
    first: int | None = None
    last: int | None = None
    holes: tuple[tuple[int, int], ...] | None = None
    """``None`` where they are not known: only the stream knows when markets are open."""
    size: int | None = None
    """In bytes; ``None`` if the place does not tell."""


class Places:
    """The candle store and the database, as far as this process can read them.

    Raises ``ConfigurationError``, with the fix, if it can read neither.
    """

    def __init__(self) -> None:
        conf.validate()
        self._store, self.note = _recent()
        """``note`` tells why the candle store cannot be read; empty if it can."""
        self._saved = SavedCandles() if SavedCandles.is_installed() else None
        if self._store is None and self._saved is None:
            raise ConfigurationError(f"{self.note}; {_NO_DATABASE}")

    def keeps(self, room: Room) -> bool:
        """Tell whether the stream saves candles of a room in the database."""
        return self._saved is not None and matches(room, conf.FCS_SAVE_CANDLES)

    def overview(self, rooms: Sequence[Room]) -> list[StoredRoom]:
        """Return what is stored of these rooms, or of all that are known.

        Known are the rooms of the running stream, of ``FCS_ROOMS`` and of the database. Raises
        ``FCSError`` if the cache fails, and what the database raises.
        """
        saved = list(self._in_database(rooms or None))
        known = dict.fromkeys(rooms or sorted({*_running(), *(one.room for one in saved)}, key=str))
        recent = [one for room in known for one in self._in_store(room)]
        if self._store is not None and self._store.failure:
            raise FCSError(f"the cache does not answer: {self._store.failure}")
        found = sorted([*recent, *saved], key=lambda one: (str(one.room), one.place))
        nothing = set(rooms) - {one.room for one in found}
        return [*found, *(StoredRoom(room, "nowhere", 0) for room in rooms if room in nothing)]

    def bars(self, room: Room) -> Iterator[Bar]:
        """Yield all finished candles of a room, ascending; raises what the database raises."""
        kept = self._store.load([room]).get(room) if self._store else None
        recent = [bar for bar, final in kept.series(BARS_MAX).bars() if final] if kept else []
        return _merged(self._saved.export(room) if self._saved else (), recent)

    def delete(self, room: Room, before: int) -> int:
        """Delete older candles of a room from the database; return how many there were.

        Raises ``ConfigurationError`` without a database, and what the database raises.
        """
        if self._saved is None:
            raise ConfigurationError(_NO_DATABASE)
        return self._saved.delete(room, before)

    def _in_store(self, room: Room) -> Iterator[StoredRoom]:
        kept = self._store.load([room]).get(room) if self._store else None
        if self._store is None or kept is None:
            return
        series = kept.series(BARS_MAX)
        place = "cache" if self._store.is_lasting else "memory"
        first, last = series.oldest, series.newest
        yield StoredRoom(
            room,
            place,
            len(series),
            first and first.t,
            last and last.t,
            kept.missing,
            len(kept.encode()),
        )

    def _in_database(self, rooms: Iterable[Room] | None) -> Iterator[StoredRoom]:
        for one in self._saved.overview(rooms) if self._saved else ():
            with suppress(RoomError):  # Other code may have written to the table.
                room = Room.parse(one.symbol, one.timeframe)
                yield StoredRoom(room, "database", one.number, one.first, one.last)


def room_named(text: str) -> Room:
    """Read ``FX:EURUSD_60``, or ``FX:EURUSD`` in the site's timeframe.

    Raises ``RoomError``, which names the right spelling where it can.
    """
    symbol, _, suffix = text.rpartition("_")
    # No symbol has lower-case letters, so this can only be meant as a timeframe.
    if ":" in symbol and suffix in ALIASES and suffix != suffix.upper():
        right = excerpt(f"{symbol}_{ALIASES[suffix]}")
        raise BadTimeframe(f"room {excerpt(text)}: write {right}")
    return Room.from_text(text)


def moment(option: str, text: object) -> int:
    """Read a date, or date and time, as unix seconds. Without an offset it is in UTC.

    Raises ``ConfigurationError``, which names the option.
    """
    try:
        at = parse_datetime(str(text))
        seconds = -1.0 if at is None else _aware(at).timestamp()
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= TIME_MAX:
        raise ConfigurationError(f"{option} {excerpt(text)} is no date such as 2026-01-31")
    return int(seconds)


def table(found: Sequence[StoredRoom]) -> Iterator[str]:
    """Yield the lines that people read."""
    rows = [_HEAD, *map(_cells, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:4], widths[:4], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[4:], widths[4:], strict=True)]
        yield "  ".join([*left, *right])


def time_text(t: int) -> str:
    """Return a time as people read it, in UTC."""
    return f"{datetime.fromtimestamp(t, timezone.utc):%Y-%m-%d %H:%M}"


def write_csv(bars: Iterable[Bar], out: Writable) -> None:
    """Write candles as CSV. Times are in UTC; no number has an exponent."""
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(_CSV_HEAD)
    for bar in bars:
        at = datetime.fromtimestamp(bar.t, timezone.utc)
        lines.writerow([f"{at:%Y-%m-%dT%H:%M:%SZ}", bar.t, *map(_plain, bar[1:])])


def _recent() -> tuple[CandleStore | None, str]:
    if plan() is not None:
        return None, _IN_MEMORY
    try:
        shared_store()
    except ConfigurationError as error:
        return None, str(error)
    return candle_store(), ""


def _running() -> Iterator[Room]:
    """Yield the rooms of the running stream, and those that it always joins."""
    _, report = site_store().report()
    for text in report.rooms if report else ():
        with suppress(RoomError):  # The cache may hold anything.
            yield Room.from_text(text)
    yield from map(Room.from_text, conf.FCS_ROOMS)


def _merged(older: Iterable[Bar], recent: Iterable[Bar]) -> Iterator[Bar]:
    """Yield the bars of both, ascending. Of the same time, the recent one counts."""
    rest = deque(recent)
    for bar in older:
        while rest and rest[0].t < bar.t:
            yield rest.popleft()
        if not rest or rest[0].t != bar.t:
            yield bar
    yield from rest


def _cells(one: StoredRoom) -> tuple[str, ...]:
    return (
        str(one.room),
        one.place,
        "-" if one.first is None else time_text(one.first),
        "-" if one.last is None else time_text(one.last),
        f"{one.number:,}",
        "-" if one.holes is None else f"{len(one.holes):,}",
        "-" if one.size is None else f"{one.size / 1000:,.1f} kB",
    )


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at


def _plain(value: float | None) -> str:
    return "" if value is None else f"{Decimal(repr(value)):f}"
