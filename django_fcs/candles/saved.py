"""Candles in the site's database, where the app ``django_fcs.candles`` is installed.

The stream and the pages never get an error of the database: it is logged once and told by
``failure``. What operators ask for, ``overview``, ``export`` and ``delete``, raises it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from asgiref.sync import sync_to_async
from django.apps import apps
from django.core.exceptions import SynchronousOnlyOperation
from django.db import close_old_connections, connections, router, transaction
from django.db.models import Count, Max, Min, Model, QuerySet

from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.redaction import reason_of

from .bars import Bar, read_bar

__all__ = ["SavedCandles", "SavedRoom", "trouble_of"]

logger = logger_of(__name__)

#: How many rows one transaction writes or deletes: others wait for the database meanwhile.
ROWS_AT_ONCE = 1000

#: How many rows one statement writes. With thousands of objects at once, Python would collect
#: garbage eight times as often, and prices would wait for that.
ROWS_OF_A_STATEMENT = 100

#: How long pages wait for the database, in seconds.
WAIT_SECONDS = 2

_HANGS = "no answer in time"
_MODEL = "fcs_candles.Candle"
_KEY = ("symbol", "timeframe", "t")
_VALUES = ("open", "high", "low", "close", "volume")
_COLUMNS = ("t", *_VALUES)


T = TypeVar("T")


class SavedRoom(NamedTuple):
    """What the database has of one room."""

    symbol: str
    timeframe: str
    first: int
    """When its first candle opened, in unix seconds."""
    last: int
    """When its last candle opened."""
    number: int
    """How many candles there are."""


class SavedCandles:
    """The table of candles. All calls but ``aload`` block.

    Args:
        clock: Unix seconds. A candle that opens too far ahead of it is none.
        wait_seconds: How long ``aload`` waits, in seconds.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.time, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._hanging: set[asyncio.Future[list[Bar]]] = set()
        """Reads for which ``aload`` waits no longer."""
        self._failures: dict[str, str] = {}

    @staticmethod
    def is_installed() -> bool:
        """Tell whether the site has the table."""
        return apps.is_installed("django_fcs.candles")

    @property
    def failure(self) -> str:
        """Why saving or loading failed the last time; empty if neither did."""
        return "; ".join(self._failures.values())

    def save(self, room: Room, bars: Iterable[Bar]) -> int:
        """Store finished bars, in place of those of the same time; return how many are stored.

        For a thread of its own, because it closes connections as Django does after a request.
        If the database fails, the rest is not stored: ``failure`` tells why.
        """
        stored = 0
        try:
            with _own_connections():
                for some in _batches(self._sound(room, bars), ROWS_AT_ONCE):
                    _upsert(room, some)
                    stored += len(some)
        except Exception as error:  # Whatever a driver or a router raises.
            self._fail("save", error)
        else:
            self._failures.pop("save", None)
        count("candles_saved", stored)
        return stored

    def load(self, room: Room, *, before: int | None = None, limit: int) -> list[Bar]:
        """Return the newest bars that open before a time, ascending; none if this fails."""
        rows = self._newest(room, before, limit)
        return self._read(room, reversed(rows))

    def first(self, room: Room, start: int, stop: int) -> int | None:
        """Return when the first bar opens between two times, or ``stop``; ``None`` if this fails.

        It is read where bars are written: a replica may not have the newest.
        """

        def read(alias: str) -> list[int]:
            rows = _rows(room, alias).filter(t__gte=start, t__lt=stop)
            return [*rows.order_by("t").values_list("t", flat=True)[:1], stop]

        return next(iter(self._answer(read, router.db_for_write)), None)

    async def aload(self, room: Room, *, before: int | None = None, limit: int) -> list[Bar]:
        """Return what ``load`` returns, from the thread of Django's async queries.

        After ``WAIT_SECONDS`` this counts as a failure. The thread then still hangs, so until it
        is free again, further calls fail at once.
        """
        if self._hanging:
            self._fail("load", TimeoutError(_HANGS))
            return []
        load = sync_to_async(self.load)(room, before=before, limit=limit)
        reading = asyncio.ensure_future(load)
        # Cancelling it would wait for the thread.
        done, _ = await asyncio.wait((reading,), timeout=self._wait_seconds)
        if done:
            return reading.result()
        self._hanging.add(reading)
        reading.add_done_callback(self._note_end)
        self._fail("load", TimeoutError(_HANGS))
        return []

    def overview(self, rooms: Iterable[Room] | None = None) -> list[SavedRoom]:
        """Return what is stored of these rooms, or of all; raises what the database raises."""
        alias = router.db_for_read(_model())
        if rooms is None:
            return _summed(_model()._default_manager.using(alias))
        return [one for room in rooms for one in _summed(_rows(room, alias))]

    def export(self, room: Room) -> Iterator[Bar]:
        """Yield all bars of a room, ascending; raises what the database raises."""
        query = _rows(room, router.db_for_read(_model())).order_by("t")
        after = -1
        # Page by page: a cursor would stay open for as long as the reader takes.
        while rows := list(query.filter(t__gt=after).values_list(*_COLUMNS)[:ROWS_AT_ONCE]):
            yield from self._read(room, rows)
            after = rows[-1][0]

    def delete(self, room: Room, before: int) -> int:
        """Delete the bars that open before a time in unix seconds; return how many there were.

        Raises what the database raises. What was deleted until then stays deleted.
        """
        query = _rows(room, router.db_for_write(_model())).filter(t__lt=before)
        deleted = 0
        while times := list(query.order_by("t").values_list("t", flat=True)[:ROWS_AT_ONCE]):
            deleted += query.filter(t__lte=times[-1]).delete()[0]
        return deleted

    def _note_end(self, reading: asyncio.Future[list[Bar]]) -> None:
        """Forget a read that hung; nobody waits for its result."""
        self._hanging.discard(reading)
        if not reading.cancelled():
            reading.exception()

    def _newest(self, room: Room, before: int | None, limit: int) -> list[tuple[Any, ...]]:
        """Return the newest rows before a time, descending; none if this fails."""

        def read(alias: str) -> list[tuple[Any, ...]]:
            query = _rows(room, alias)
            if before is not None:
                query = query.filter(t__lt=before)
            return list(query.order_by("-t").values_list(*_COLUMNS)[:limit])

        return self._answer(read, router.db_for_read)

    def _answer(
        self, read: Callable[[str], list[T]], alias_for: Callable[[type[Model]], str]
    ) -> list[T]:
        """Return what is read from the database of an alias; nothing if this fails."""
        try:
            alias = alias_for(_model())
            # An error may not spoil a transaction of the caller.
            with transaction.atomic(using=alias):
                rows = read(alias)
        except SynchronousOnlyOperation:
            raise  # A mistake of the caller, no failure of the database.
        except Exception as error:
            self._fail("load", error)
            return []
        self._failures.pop("load", None)
        return rows

    def _sound(self, room: Room, bars: Iterable[Bar]) -> list[Bar]:
        """Return the bars that can be true, ascending, each time once."""
        of_times = {bar.t: bar for bar in self._read(room, bars)}
        return [of_times[t] for t in sorted(of_times)]

    def _read(self, room: Room, rows: Iterable[Sequence[Any]]) -> list[Bar]:
        """Return the bars that can be true. Other code may have written to the table."""
        now, sound, impossible = self._clock(), [], 0
        for row in rows:
            bar = read_bar(*row, timeframe=room.timeframe, now=now)
            if bar is None:
                impossible += 1
            else:
                # Most bars are as they were. Thousands of copies would be garbage to collect.
                sound.append(row if isinstance(row, Bar) and row == bar else bar)
        if impossible and count("candles_impossible", impossible):
            logger.warning("impossible candles ignored room=%s", room)
        return sound

    def _fail(self, what: str, error: Exception) -> None:
        """Log a failure once, and forget a connection that it has broken."""
        reason = trouble_of(error)
        count("candles_database_failures")
        if what not in self._failures:
            logger.warning("database failed to %s candles reason=%s", what, reason)
        self._failures[what] = reason
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred and not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()


def trouble_of(error: Exception) -> str:
    """Return an error of the database in one line, with the fix if there is no table."""
    text = str(error)
    is_new = "no such table" in text or "not exist" in text or "doesn't exist" in text
    return reason_of(error) + ("; run manage.py migrate" if is_new else "")


@contextmanager
def _own_connections() -> Iterator[None]:
    """Close connections that are too old, before and after, as Django does for a request."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def _model() -> type[Model]:
    """Return the model. Raises ``LookupError`` without the app."""
    return apps.get_model(_MODEL)


def _rows(room: Room, alias: str) -> QuerySet[Model]:
    manager = _model()._default_manager.using(alias)
    return manager.filter(symbol=room.symbol, timeframe=room.timeframe)


def _summed(query: QuerySet[Model]) -> list[SavedRoom]:
    rooms = query.order_by("symbol", "timeframe").values_list("symbol", "timeframe")
    return [SavedRoom(*row) for row in rooms.annotate(Min("t"), Max("t"), Count("t"))]


def _batches(bars: Iterable[Bar], size: int) -> Iterator[list[Bar]]:
    rest = iter(bars)
    while some := list(islice(rest, size)):
        yield some


def _upsert(room: Room, bars: list[Bar]) -> None:
    model = _model()
    alias = router.db_for_write(model)
    # MySQL takes every unique index for the target, and may not be told which.
    has_target = connections[alias].features.supports_update_conflicts_with_target
    with transaction.atomic(using=alias):
        for some in _batches(bars, ROWS_OF_A_STATEMENT):
            model._default_manager.using(alias).bulk_create(
                [_row(model, room, bar) for bar in some],
                update_conflicts=True,
                unique_fields=_KEY if has_target else None,
                update_fields=_VALUES,
            )


def _row(model: type[Model], room: Room, bar: Bar) -> Model:
    values = dict(zip(_COLUMNS, bar, strict=True))
    return model(symbol=room.symbol, timeframe=room.timeframe, **values)
