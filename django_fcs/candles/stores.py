"""Where the candles of rooms and the account of credits are kept: in memory or in the cache.

Anybody may have written to the site's cache. A malformed entry counts as missing, and no
other entry is affected. Callers never get an error of the cache.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import NamedTuple, Protocol

from django_fcs.prices.calls import PATIENCE_SECONDS, CacheCalls
from django_fcs.prices.entries import (
    Cache,
    WritableCache,
    decode,
    encode,
    found_in,
    key_of,
)
from django_fcs.prices.store import LastValue
from django_fcs.rooms import Room
from django_fcs.sharing.mark import site_mark
from django_fcs.tools.worker import Worker

from .kept import Kept
from .ledger import Account

__all__ = ["CachedCandles", "CandleStore", "MemoryCandles", "Stored"]

KEEP_SECONDS = 30 * 24 * 3600

#: Rooms that a process keeps in memory. The least recently saved room is dropped first.
MEMORY_ROOMS = 1000

#: How many rooms one call reads or writes, so that it ends in time: 10,000 bars have 570 kB.
ROOMS_OF_A_CALL = 4

_NO_ANSWER: tuple[bool, Account | None] = (False, None)


class Stored(NamedTuple):
    """What a page needs of a room."""

    kept: Kept | None
    value: LastValue | None
    """The last value, whose candle may be newer than those that are kept."""


class CandleStore(Protocol):
    """Where candles and account are kept; no method raises an error of the store."""

    @property
    def is_lasting(self) -> bool:
        """Whether all of it outlives this process."""

    @property
    def failure(self) -> str:
        """Why the last call failed, for operators; empty if it did not."""

    def load(self, rooms: Iterable[Room]) -> dict[Room, Kept]:
        """Return what is kept of these rooms; nothing if the store does not answer."""

    async def aload(self, rooms: Iterable[Room]) -> dict[Room, Kept] | None:
        """Return what is kept of these rooms; ``None`` if the store does not answer."""

    async def asave(self, kept: Mapping[Room, Kept]) -> bool:
        """Keep these rooms. Return False if some of them may not have been saved."""

    def account(self) -> Account | None:
        """Return the account; ``None`` if there is none or the store does not answer."""

    async def aaccount(self) -> tuple[bool, Account | None]:
        """Return whether the store answers, and the account, if there is one."""

    async def asave_account(self, account: Account) -> bool:
        """Keep the account, unless that of a later leader is kept.

        Return False if it may not have been saved.
        """


class MemoryCandles:
    """Candles of a site that runs in one process: of ``rooms_max`` rooms at most."""

    is_lasting = False
    failure = ""

    def __init__(
        self, *, rooms_max: int = MEMORY_ROOMS, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._rooms_max = rooms_max
        self._kept: OrderedDict[Room, Kept] = OrderedDict()
        self._account: Account | None = None

    def load(self, rooms: Iterable[Room]) -> dict[Room, Kept]:
        """Return what is kept of these rooms."""
        return {room: self._kept[room] for room in rooms if room in self._kept}

    async def aload(self, rooms: Iterable[Room]) -> dict[Room, Kept] | None:
        """Return the same as ``load``."""
        return self.load(rooms)

    async def asave(self, kept: Mapping[Room, Kept]) -> bool:
        """Keep these rooms."""
        for room, one in kept.items():
            self._kept[room] = one
            self._kept.move_to_end(room)
        while len(self._kept) > self._rooms_max:
            self._kept.popitem(last=False)
        return True

    def account(self) -> Account | None:
        """Return the account, if there is one."""
        return self._account

    async def aaccount(self) -> tuple[bool, Account | None]:
        """Return True, and the account, if there is one."""
        return True, self._account

    async def asave_account(self, account: Account) -> bool:
        """Keep the account, unless that of a later leader is kept."""
        if not account.may_replace(self._account, self._clock()):
            return False
        self._account = account
        return True

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._account = None


class CachedCandles:
    """Candles in one of Django's caches, shared by all processes of a site.

    Raises ``ConfigurationError`` if Django cannot make the cache.

    Args:
        alias: Its name in ``CACHES``.
        patience: How many seconds a caller waits for ``ROOMS_OF_A_CALL`` rooms.
        worker: The thread that calls it; not the one that saves prices.
        monotonic: Seconds of a clock that is never set.
        clock: Unix seconds.
    """

    is_lasting = True

    def __init__(
        self,
        alias: str,
        *,
        patience: float = PATIENCE_SECONDS,
        worker: Worker | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        thread = worker or Worker("fcs-candles")
        self._calls = CacheCalls(alias, patience=patience, worker=thread, monotonic=monotonic)

    @property
    def failure(self) -> str:
        """Why the last call failed; empty if it did not."""
        return self._calls.failure

    def load(self, rooms: Iterable[Room]) -> dict[Room, Kept]:
        """Return what is kept of these rooms, as far as the cache answers."""
        nothing: dict[Room, Kept] = {}
        found: dict[Room, Kept] = {}
        for some in _batches(rooms):
            found |= self._calls.ask(partial(_read, some), nothing)
        return found

    async def aload(self, rooms: Iterable[Room]) -> dict[Room, Kept] | None:
        """Return what is kept of these rooms; ``None`` if the cache does not answer."""
        found: dict[Room, Kept] = {}
        for some in _batches(rooms):
            read = await self._calls.aask(partial(_read, some), None)
            if read is None:
                return None
            found |= read
        return found

    def see(self, room: Room) -> Stored | None:
        """Return what a page needs of a room, in one call; ``None`` without an answer."""
        return self._calls.ask(partial(_read_both, room), None)

    async def asee(self, room: Room) -> Stored | None:
        """Return the same as ``see``, without blocking the loop."""
        return await self._calls.aask(partial(_read_both, room), None)

    async def asave(self, kept: Mapping[Room, Kept]) -> bool:
        """Keep these rooms. Return False if some of them may not have been saved."""
        done = True
        for some in _batches(kept):
            of_some = {room: kept[room] for room in some}
            done &= await self._calls.aask(partial(_write, of_some), False)
        return done

    def account(self) -> Account | None:
        """Return the account; ``None`` if there is none or the cache does not answer."""
        return self._calls.ask(_read_account, _NO_ANSWER)[1]

    async def aaccount(self) -> tuple[bool, Account | None]:
        """Return whether the cache answers, and the account, if there is one."""
        return await self._calls.aask(_read_account, _NO_ANSWER)

    async def asave_account(self, account: Account) -> bool:
        """Keep the account, unless that of a later leader is kept.

        Return False if it may not have been saved.
        """
        return await self._calls.aask(partial(_write_account, account, self._clock()), False)


def _batches(rooms: Iterable[Room]) -> Iterator[list[Room]]:
    rest = iter(rooms)
    while some := list(islice(rest, ROOMS_OF_A_CALL)):
        yield some


def _key(room: Room, mark: str) -> str:
    return key_of(f"candles:{room.group_of(mark)}", mark)


def _ledger_key() -> str:
    return key_of("ledger", site_mark())


def _read(rooms: list[Room], cache: Cache) -> dict[Room, Kept]:
    mark = site_mark()
    keys = {room: _key(room, mark) for room in rooms}
    found = found_in(cache, list(keys.values()))
    read = {room: Kept.decode(found.get(key), room.timeframe) for room, key in keys.items()}
    return {room: kept for room, kept in read.items() if kept is not None}


def _read_both(room: Room, cache: Cache) -> Stored | None:
    mark = site_mark()
    candles, value = _key(room, mark), key_of(room.group_of(mark), mark)
    found = found_in(cache, [candles, value])
    kept = Kept.decode(found.get(candles), room.timeframe)
    return Stored(kept, decode(found.get(value), LastValue))


def _write(kept: Mapping[Room, Kept], cache: WritableCache) -> bool:
    mark = site_mark()
    entries = {_key(room, mark): one.encode() for room, one in kept.items()}
    # Some caches return the keys that they could not store.
    return not cache.set_many(entries, timeout=KEEP_SECONDS)


def _read_account(cache: Cache) -> tuple[bool, Account | None]:
    key = _ledger_key()
    return True, decode(found_in(cache, [key]).get(key), Account)


def _write_account(account: Account, now: float, cache: WritableCache) -> bool:
    _, stored = _read_account(cache)
    if not account.may_replace(stored, now):
        return False
    return not cache.set_many({_ledger_key(): encode(account)}, timeout=KEEP_SECONDS)
