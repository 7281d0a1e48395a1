"""Last values for templates and for the first moment after a join; hubs do not rely on them.

They are JSON texts under versioned keys, kept for 7 days. Callers never get an error of the
cache.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, NamedTuple, Protocol, TypeVar

import msgspec

from django_fcs.protocol.bounds import OpenTime, Price, Volume
from django_fcs.rooms import Room
from django_fcs.sharing.mark import site_mark
from django_fcs.tools.worker import Worker

from .calls import PATIENCE_SECONDS, CacheCalls
from .entries import Cache, WritableCache, decode, encode, found_in, key_of
from .minutes import Minutes
from .offset import ClockOffset
from .paths import PathReport
from .rendered import AGAIN_SECONDS, Place, Rendered, Shelf, Slot, read_slots
from .reports import Report
from .states import Expectation
from .updates import TEXT_MAX

__all__ = ["CacheStore", "LastValue", "MemoryStore", "Seen", "Store"]

KEEP_SECONDS = 7 * 24 * 3600

#: Rooms that a process keeps in memory. The least recently saved room is dropped first.
MEMORY_ROOMS = 10_000

#: Of rooms of which nothing new is to be saved.
NO_MINUTES: Mapping[Room, Minutes] = {}

T = TypeVar("T")

_Reports = tuple[PathReport | None, Report | None]


#: A candle: when it opened, in unix seconds, then open, high, low, close and volume.
EndedCandle = tuple[OpenTime, Price, Price, Price, Price, Volume | None]


class LastValue(msgspec.Struct, frozen=True):
    """The last text of a room, as sent to browsers, and what is expected of the room."""

    text: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
    expected: Expectation = Expectation()
    ended: EndedCandle | None = None
    """The last candle that the stream saw end, for candles that are saved less often."""


_Values = tuple[dict[Room, LastValue], PathReport | None]


class Seen(NamedTuple):
    """What pages and views get of rooms in one read."""

    values: dict[Room, LastValue]
    path: PathReport | None
    """The last heartbeat."""
    minutes: dict[Room, Minutes]


class Store(Protocol):
    """Where last values are kept; no method raises an error of the store."""

    def save(self, values: Mapping[Room, LastValue], path: PathReport) -> None:
        """Save values and heartbeat."""

    def load(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the saved values of these rooms, and the last heartbeat."""

    async def asave(
        self,
        values: Mapping[Room, LastValue],
        path: PathReport,
        report: Report | None = None,
        minutes: Mapping[Room, Minutes] = NO_MINUTES,
    ) -> bool:
        """Save values, heartbeat, minutes, and the report, if any, without blocking the loop.

        Return False if they may not have been saved.
        """

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the same as ``load``, without blocking the loop."""

    def see(self, rooms: Iterable[Room]) -> Seen:
        """Return the saved values of these rooms, with their minutes, and the last heartbeat."""

    async def asee(self, rooms: Iterable[Room]) -> Seen:
        """Return the same as ``see``, without blocking the loop."""

    async def arecall(self, rooms: Iterable[Room]) -> dict[Room, Minutes] | None:
        """Return the saved minutes of these rooms; ``None`` if the store does not answer."""

    def note_rendered(self, room: Room) -> None:
        """Note that a page shows a room; returns at once."""

    async def arendered(self) -> dict[int, Slot]:
        """Return the rooms that pages show, by slot; nothing if the store does not answer."""

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

    def __init__(
        self,
        *,
        rooms_max: int = MEMORY_ROOMS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rooms_max = rooms_max
        self._monotonic = monotonic
        self._rendered = Shelf(seconds=AGAIN_SECONDS)
        self._times_rendered = 0
        self._values: OrderedDict[Room, LastValue] = OrderedDict()
        self._minutes: OrderedDict[Room, Minutes] = OrderedDict()
        self._path: PathReport | None = None
        self._report: Report | None = None
        self.offset = ClockOffset()

    def save(self, values: Mapping[Room, LastValue], path: PathReport) -> None:
        """Save values and heartbeat."""
        self._path = path
        _put(self._values, values, self._rooms_max)

    def load(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the saved values of these rooms, and the last heartbeat."""
        return _present(self._values, rooms), self._path

    async def asave(
        self,
        values: Mapping[Room, LastValue],
        path: PathReport,
        report: Report | None = None,
        minutes: Mapping[Room, Minutes] = NO_MINUTES,
    ) -> bool:
        """Save values, heartbeat, minutes, and the report, if any."""
        self.save(values, path)
        _put(self._minutes, minutes, self._rooms_max)
        self._report = report or self._report
        return True

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the same as ``load``."""
        return self.load(rooms)

    def see(self, rooms: Iterable[Room]) -> Seen:
        """Return the saved values of these rooms, with their minutes, and the last heartbeat."""
        wanted = list(rooms)
        values, path = self.load(wanted)
        return Seen(values, path, _present(self._minutes, wanted))

    async def asee(self, rooms: Iterable[Room]) -> Seen:
        """Return the same as ``see``."""
        return self.see(rooms)

    async def arecall(self, rooms: Iterable[Room]) -> dict[Room, Minutes] | None:
        """Return the saved minutes of these rooms."""
        return _present(self._minutes, rooms)

    def note_rendered(self, room: Room) -> None:
        """Note that a page shows a room."""
        self._rendered.note(room, self._monotonic())
        self._times_rendered += 1

    async def arendered(self) -> dict[int, Slot]:
        """Return the rooms that pages of this process show, as one slot."""
        rooms = self._rendered.rooms(self._monotonic())
        return {0: Slot("here", self._times_rendered, tuple(map(str, rooms)))}

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._minutes.clear()
        self._rendered = Shelf(seconds=AGAIN_SECONDS)
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

    Raises ``ConfigurationError`` if Django cannot make the cache.

    Args:
        alias: Its name in ``CACHES``.
        patience: How many seconds a caller waits for the cache.
        worker: The thread that calls it.
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
        self._clock = clock
        self._calls = CacheCalls(alias, patience=patience, worker=worker, monotonic=monotonic)
        self._rendered = Rendered(self._write_rendered)
        self.offset = ClockOffset()

    @property
    def failure(self) -> str:
        """Why the last call failed; empty if it did not."""
        return self._calls.failure

    def save(self, values: Mapping[Room, LastValue], path: PathReport) -> None:
        """Save values and heartbeat, waiting ``patience`` seconds at most."""
        self._calls.ask(lambda cache: _write(cache, values, path, None, NO_MINUTES), False)

    def load(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the saved values of these rooms, and the last heartbeat."""
        wanted = list(rooms)
        nothing: _Values = ({}, None)
        return self._calls.ask(lambda cache: self._read(cache, wanted), nothing)

    async def asave(
        self,
        values: Mapping[Room, LastValue],
        path: PathReport,
        report: Report | None = None,
        minutes: Mapping[Room, Minutes] = NO_MINUTES,
    ) -> bool:
        """Save values, heartbeat, minutes, and the report, if any, without blocking the loop.

        Return False if they may not have been saved.
        """
        return await self._calls.aask(
            lambda cache: _write(cache, values, path, report, minutes), False
        )

    async def aload(self, rooms: Iterable[Room]) -> tuple[dict[Room, LastValue], PathReport | None]:
        """Return the same as ``load``, without blocking the loop."""
        wanted = list(rooms)
        nothing: _Values = ({}, None)
        return await self._calls.aask(lambda cache: self._read(cache, wanted), nothing)

    def see(self, rooms: Iterable[Room]) -> Seen:
        """Return the saved values of these rooms, with their minutes, and the last heartbeat."""
        wanted = list(rooms)
        return self._calls.ask(lambda cache: self._read_all(cache, wanted), Seen({}, None, {}))

    async def asee(self, rooms: Iterable[Room]) -> Seen:
        """Return the same as ``see``, without blocking the loop."""
        wanted = list(rooms)
        return await self._calls.aask(
            lambda cache: self._read_all(cache, wanted), Seen({}, None, {})
        )

    async def arecall(self, rooms: Iterable[Room]) -> dict[Room, Minutes] | None:
        """Return the saved minutes of these rooms; ``None`` if the cache does not answer."""
        wanted = list(rooms)
        return await self._calls.aask(lambda cache: _read_minutes(cache, wanted), None)

    def note_rendered(self, room: Room) -> None:
        """Note that a page shows a room: a thread writes it to the cache, soon."""
        self._rendered.note(room)

    async def arendered(self) -> dict[int, Slot]:
        """Return the rooms that pages show, by slot; nothing if the cache does not answer."""
        nothing: dict[int, Slot] = {}
        return await self._calls.aask(read_slots, nothing)

    def report(self) -> tuple[PathReport | None, Report | None]:
        """Return the last heartbeat and the last report of the stream."""
        nothing: _Reports = (None, None)
        return self._calls.ask(self._read_report, nothing)

    def _write_rendered(self, place: Place, rooms: tuple[str, ...]) -> bool:
        return self._calls.ask(lambda cache: place.put(cache, rooms), False)

    def _read(
        self, cache: Cache, rooms: list[Room]
    ) -> tuple[dict[Room, LastValue], PathReport | None]:
        mark = site_mark()
        keys, beat = _keys(rooms, mark), key_of("beat", mark)
        found = found_in(cache, [*keys, beat])
        path = self._noted(decode(found.get(beat), PathReport))
        return _decoded(found, keys, LastValue), path

    def _read_all(self, cache: Cache, rooms: list[Room]) -> Seen:
        mark = site_mark()
        keys, beat = _keys(rooms, mark), key_of("beat", mark)
        minutes = _keys(rooms, mark, of="minutes:")
        found = found_in(cache, [*keys, *minutes, beat])
        path = self._noted(decode(found.get(beat), PathReport))
        return Seen(_decoded(found, keys, LastValue), path, _decoded(found, minutes, Minutes))

    def _read_report(self, cache: Cache) -> tuple[PathReport | None, Report | None]:
        mark = site_mark()
        beat, report = key_of("beat", mark), key_of("report", mark)
        found = found_in(cache, [beat, report])
        path = self._noted(decode(found.get(beat), PathReport))
        return path, decode(found.get(report), Report)

    def _noted(self, path: PathReport | None) -> PathReport | None:
        if path is not None:
            self.offset.note_read(path.at, self._clock())
        return path


def _read_minutes(cache: Cache, rooms: list[Room]) -> dict[Room, Minutes] | None:
    keys = _keys(rooms, site_mark(), of="minutes:")
    return _decoded(found_in(cache, [*keys]), keys, Minutes)


def _write(
    cache: WritableCache,
    values: Mapping[Room, LastValue],
    path: PathReport,
    report: Report | None,
    minutes: Mapping[Room, Minutes],
) -> bool:
    mark = site_mark()
    texts = {key: encode(values[room]) for key, room in _keys(values, mark).items()}
    of_minutes = _keys(minutes, mark, of="minutes:")
    texts |= {key: encode(minutes[room]) for key, room in of_minutes.items()}
    texts[key_of("beat", mark)] = encode(path)
    if report is not None:
        texts[key_of("report", mark)] = encode(report)
    # Some caches return the keys that they could not store.
    return not cache.set_many(texts, timeout=KEEP_SECONDS)


def _keys(rooms: Iterable[Room], mark: str, *, of: str = "") -> dict[str, Room]:
    return {key_of(f"{of}{room.group_of(mark)}", mark): room for room in rooms}


def _decoded(found: Mapping[str, object], keys: dict[str, Room], kind: type[T]) -> dict[Room, T]:
    values = {room: decode(found.get(key), kind) for key, room in keys.items()}
    return {room: value for room, value in values.items() if value is not None}


def _present(kept: Mapping[Room, T], rooms: Iterable[Room]) -> dict[Room, T]:
    found = {room: kept.get(room) for room in rooms}
    return {room: value for room, value in found.items() if value is not None}


def _put(kept: OrderedDict[Room, T], values: Mapping[Room, T], rooms_max: int) -> None:
    for room, value in values.items():
        kept[room] = value
        kept.move_to_end(room)
    while len(kept) > rooms_max:
        kept.popitem(last=False)
