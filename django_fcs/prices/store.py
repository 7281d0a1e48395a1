"""Last values for templates and for the first moment after a join; hubs do not rely on them.

They are JSON texts under versioned keys, kept for 7 days. If the cache fails or is slow,
this is logged once and the cache is not used for a while. Callers never get its error.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, TimeoutError as FutureTimeoutError
from typing import Annotated, Protocol, TypeVar

import msgspec
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from django_fcs.exceptions import ConfigurationError
from django_fcs.rooms import Room
from django_fcs.sharing.mark import marked, site_mark
from django_fcs.tools.logs import logger_of
from django_fcs.tools.redaction import reason_of
from django_fcs.tools.worker import Worker

from .entries import decode, encode, found_in
from .offset import ClockOffset
from .paths import PathReport
from .reports import Report
from .states import Expectation
from .updates import TEXT_MAX

__all__ = ["CacheStore", "LastValue", "MemoryStore", "Store"]

logger = logger_of(__name__)

#: Raise it with every change of the stored format, so that versions never read each other's.
VERSION = 4

KEEP_SECONDS = 7 * 24 * 3600

#: How long a caller waits for the cache, and how long a failing cache is not used.
PATIENCE_SECONDS = 0.5
REST_SECONDS = 5

#: Rooms that a process keeps in memory. The least recently saved room is dropped first.
MEMORY_ROOMS = 10_000

T = TypeVar("T")


class LastValue(msgspec.Struct, frozen=True):
    """The last text of a room, as sent to browsers, and what is expected of the room."""

    text: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
    expected: Expectation = Expectation()


class Store(Protocol):
    """Where last values are kept; no method raises an error of the store."""

    def save(self, values: Mapping[Room, LastValue], path: PathReport) -> None:
        """Save values and heartbeat."""

    def load(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the saved values of these rooms, and the last heartbeat."""

    async def asave(
        self, values: Mapping[Room, LastValue], path: PathReport, report: Report | None = None
    ) -> bool:
        """Save values, heartbeat and the report, if any, without blocking the loop.

        Return False if they may not have been saved.
        """

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the same as ``load``, without blocking the loop."""

    def report(self) -> tuple[PathReport | None, Report | None]:
        """Return the last heartbeat and the last report of the stream."""

    @property
    def failure(self) -> str:
        """Why the last call failed, for operators; empty if it did not."""

    @property
    def offset(self) -> ClockOffset:
        """How far this clock is ahead of the clock of the stream that saves."""


class MemoryStore:
    """Last values of a site that runs in one process: of ``rooms_max`` rooms at most."""

    def __init__(self, *, rooms_max: int = MEMORY_ROOMS) -> None:
        self._rooms_max = rooms_max
        self._values: OrderedDict[Room, LastValue] = OrderedDict()
        self._path: PathReport | None = None
        self._report: Report | None = None
        self.offset = ClockOffset()

    def save(self, values: Mapping[Room, LastValue], path: PathReport) -> None:
        """Save values and heartbeat."""
        self._path = path
        for room, value in values.items():
            self._values[room] = value
            self._values.move_to_end(room)
        while len(self._values) > self._rooms_max:
            self._values.popitem(last=False)

    def load(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the saved values of these rooms, and the last heartbeat."""
        found = {room: self._values.get(room) for room in rooms}
        return {room: value for room, value in found.items() if value}, self._path

    async def asave(
        self, values: Mapping[Room, LastValue], path: PathReport, report: Report | None = None
    ) -> bool:
        """Save values, heartbeat and the report, if any."""
        self.save(values, path)
        self._report = report or self._report
        return True

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the same as ``load``."""
        return self.load(rooms)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._path = self._report = None

    def report(self) -> tuple[PathReport | None, Report | None]:
        """Return the last heartbeat and the last report of the stream."""
        return self._path, self._report

    @property
    def failure(self) -> str:
        """Always empty: memory does not fail."""
        return ""


class CacheStore:
    """Last values in one of Django's caches, shared by all processes of a site.

    One thread makes all calls, through its own instance of the cache: Django's async cache
    calls would queue behind the site's ORM. Raises ``ConfigurationError`` if Django cannot
    make the cache.

    Args:
        alias: Its name in ``CACHES``.
        patience: How many seconds a caller waits for the cache.
        worker: The thread.
        clock: Unix seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        alias: str,
        *,
        patience: float = PATIENCE_SECONDS,
        worker: Worker | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alias = alias
        self._clock = clock
        self._monotonic = monotonic
        self._patience = patience
        self._thread = worker or Worker("fcs-cache")
        self._rests_until = 0.0
        self.offset = ClockOffset()
        self.failure = ""
        """Why the last call failed; empty if it did not."""
        try:
            self._caches = {os.getpid(): caches.create_connection(alias)}
        except Exception as error:  # A missing library, or whatever the backend raises.
            missing = isinstance(error, KeyError)
            reason = f"CACHES has no {error}" if missing else reason_of(error)
            raise ConfigurationError(f"FCS_CACHE names {alias!r}: {reason}") from None

    def save(self, values: Mapping[Room, LastValue], path: PathReport) -> None:
        """Save values and heartbeat, waiting ``patience`` seconds at most."""
        self._wait(self._submit(lambda: self._write(values, path, None)), False)

    def load(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the saved values of these rooms, and the last heartbeat."""
        wanted = list(rooms)
        return self._wait(self._submit(lambda: self._read(wanted)), ({}, None))

    async def asave(
        self, values: Mapping[Room, LastValue], path: PathReport, report: Report | None = None
    ) -> bool:
        """Save values, heartbeat and the report, if any, without blocking the loop.

        Return False if they may not have been saved.
        """
        return await self._await(self._submit(lambda: self._write(values, path, report)), False)

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the same as ``load``, without blocking the loop."""
        wanted = list(rooms)
        return await self._await(self._submit(lambda: self._read(wanted)), ({}, None))

    def report(self) -> tuple[PathReport | None, Report | None]:
        """Return the last heartbeat and the last report of the stream."""
        return self._wait(self._submit(self._read_report), (None, None))

    @property
    def _cache(self) -> BaseCache:
        """The connection of this process; that of a parent process would mix up the answers.

        Only the thread uses it. The parent's stays open: closing it could end it for both.
        """
        if os.getpid() not in self._caches:
            self._caches[os.getpid()] = caches.create_connection(self._alias)
        return self._caches[os.getpid()]

    def _write(
        self, values: Mapping[Room, LastValue], path: PathReport, report: Report | None
    ) -> bool:
        mark = site_mark()
        texts = {_key(room.group_of(mark), mark): encode(value) for room, value in values.items()}
        texts[_key("beat", mark)] = encode(path)
        if report is not None:
            texts[_key("report", mark)] = encode(report)
        # Some caches return the keys that they could not store.
        return not self._cache.set_many(texts, timeout=KEEP_SECONDS)

    def _read(self, rooms: list[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        mark = site_mark()
        keys, beat = {_key(room.group_of(mark), mark): room for room in rooms}, _key("beat", mark)
        found = found_in(self._cache, [*keys, beat])
        path = self._noted(decode(found.get(beat), PathReport))
        values = {room: decode(found.get(key), LastValue) for key, room in keys.items()}
        return {room: value for room, value in values.items() if value is not None}, path

    def _read_report(self) -> tuple[PathReport | None, Report | None]:
        mark = site_mark()
        beat, report = _key("beat", mark), _key("report", mark)
        found = found_in(self._cache, [beat, report])
        path = self._noted(decode(found.get(beat), PathReport))
        return path, decode(found.get(report), Report)

    def _noted(self, path: PathReport | None) -> PathReport | None:
        if path is not None:
            self.offset.note_read(path.at, self._clock())
        return path

    def _submit(self, work: Callable[[], T]) -> Future[T] | None:
        if self._monotonic() < self._rests_until:
            return None
        return self._thread.submit(work)

    def _wait(self, future: Future[T] | None, otherwise: T) -> T:
        if future is None:
            return otherwise
        try:
            result = future.result(self._patience)
        except Exception as error:
            future.cancel()  # Otherwise calls would queue up behind a call that hangs.
            return self._rest(error, otherwise)
        self.failure = ""
        return result

    async def _await(self, future: Future[T] | None, otherwise: T) -> T:
        if future is None:
            return otherwise
        try:
            result = await asyncio.wait_for(asyncio.wrap_future(future), self._patience)
        except Exception as error:
            return self._rest(error, otherwise)
        self.failure = ""
        return result

    def _rest(self, error: Exception, otherwise: T) -> T:
        """Stop using a failing cache for a while; log this once, not at each call."""
        self._rests_until = self._monotonic() + REST_SECONDS
        slow = isinstance(error, (FutureTimeoutError, asyncio.TimeoutError))
        reason = f"no answer in {self._patience} s" if slow else reason_of(error)
        if not self.failure:
            logger.warning("cache failed alias=%s reason=%s", self._alias, reason)
        self.failure = reason
        return otherwise


def _key(name: str, mark: str) -> str:
    return marked(f"fcs:{VERSION}:{name}", mark)
