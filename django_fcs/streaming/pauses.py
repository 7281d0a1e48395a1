"""When the vendor's history may be asked again after requests that failed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django_fcs.candles.answers import RefusalKind, Refused
from django_fcs.rooms import Room

__all__ = ["PAUSE_SECONDS", "Delay", "Pauses"]

#: After a request that failed, its room waits, in seconds, and twice as long each time. Others
#: wait half as long, so that the next request is one of them.
PAUSE_SECONDS = 5
PAUSE_MAX_SECONDS = 300

#: The longest pause of a room whose answers cannot be read, in seconds: each may cost credits.
MALFORMED_MAX_SECONDS = 86_400

#: More failures than that make no pause longer.
_FAILURES_MAX = 20

#: How long a room is not asked for again after the vendor has refused it, in seconds.
REFUSED_SECONDS = 3600

#: After so many rooms in a row, a refusal that names no known reason concerns the account.
ROOMS_IN_A_ROW = 5

#: Rooms that are remembered. The one that failed first is forgotten first.
ROOMS_MAX = 1000

#: The failures that may be those of the vendor as a whole.
_OF_VENDOR = (RefusalKind.UNAVAILABLE, RefusalKind.MALFORMED)


class Delay(NamedTuple):
    """Why a request was not made or was not answered, and when to try it again."""

    note: str
    """For visitors."""
    wait: float
    """In seconds."""


class _Pause(NamedTuple):
    began: float
    seconds: float
    reason: str

    def delay(self, now: float) -> Delay | None:
        """Return what is left of it; nothing if the clock was set back."""
        passed = now - self.began
        return Delay(self.reason, self.seconds - passed) if 0 <= passed < self.seconds else None


class _Trouble(NamedTuple):
    pause: _Pause
    failures: int
    """How many there were in a row."""


class Pauses:
    """The pauses of single rooms, and of all of them. All times are unix seconds."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[Room, _Trouble] = OrderedDict()
        self._refused: set[Room] = set()
        """Rooms that were refused without a known reason since the last answer."""
        self._all: _Trouble | None = None
        """That of all rooms, until the vendor answers again."""
        self._is_probed = False

    def delay(self, room: Room, now: float) -> Delay | None:
        """Return why a room may not be asked for now; ``None`` if it may.

        After a pause of all rooms, one request has to succeed before others are made.
        """
        known = self._rooms.get(room)
        delay = None if known is None else known.pause.delay(now)
        if delay is not None or self._all is None:
            return delay
        pause = self._all.pause
        return pause.delay(now) or (Delay(pause.reason, PAUSE_SECONDS) if self._is_probed else None)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Note that a request is made, which is a probe if the one before failed."""
        is_probe = self._all is not None
        self._is_probed = self._is_probed or is_probe
        try:
            yield
        finally:
            self._is_probed = self._is_probed and not is_probe

    def end(self, room: Room) -> None:
        """Note that the vendor has answered for a room."""
        self._rooms.pop(room, None)
        self._refused.clear()
        self._all = None

    def begin(self, room: Room, refused: Refused, now: float) -> Delay:
        """Note a refusal that does not concern the account; return how long its room waits."""
        if refused.kind in _OF_VENDOR:
            self._begin_all(refused, now)
        else:  # The vendor is there, and its answers can be read.
            self._all = None
        known = self._rooms.pop(room, None)
        failures = 0 if known is None else known.failures
        seconds = _seconds_of(refused, failures)
        self._rooms[room] = _after(failures, _Pause(now, seconds, refused.public))
        while len(self._rooms) > ROOMS_MAX:
            self._rooms.popitem(last=False)
        return Delay(refused.public, seconds)

    def _begin_all(self, refused: Refused, now: float) -> None:
        # Requests that ran at the same time fail together, and are one failure.
        current = None if self._all is None else self._all.pause.delay(now)
        failures = 0 if self._all is None else self._all.failures - (current is not None)
        seconds = max(_doubled(failures, PAUSE_MAX_SECONDS) / 2, refused.retry_after or 0)
        seconds = max(seconds, 0 if current is None else current.wait)
        self._all = _after(failures, _Pause(now, seconds, refused.public))

    def concerns_account(self, room: Room, refused: Refused, *, has_prices: bool) -> bool:
        """Tell whether a refusal concerns all rooms.

        One without a known code may be that of a symbol that somebody has invented. It
        concerns the account after several rooms in a row of which prices come.
        """
        if refused.kind in (RefusalKind.SYMBOL, RefusalKind.TIMEFRAME, *_OF_VENDOR):
            return False
        if refused.is_certain:
            return True
        if has_prices and len(self._refused) < ROOMS_IN_A_ROW:
            self._refused.add(room)
        return len(self._refused) == ROOMS_IN_A_ROW


def _after(failures: int, pause: _Pause) -> _Trouble:
    return _Trouble(pause, min(failures + 1, _FAILURES_MAX))


def _seconds_of(refused: Refused, failures: int) -> float:
    """Return the pause of a room; after ``Retry-After`` others are asked for first, too."""
    if refused.kind is RefusalKind.UNAVAILABLE:
        seconds: float = _doubled(failures, PAUSE_MAX_SECONDS)
    elif refused.kind is RefusalKind.MALFORMED:
        seconds = _doubled(failures, MALFORMED_MAX_SECONDS)
    else:
        seconds = REFUSED_SECONDS
    return max(seconds, 0 if refused.retry_after is None else refused.retry_after + 1)


def _doubled(failures: int, most: int) -> int:
    return min(PAUSE_SECONDS << failures, most)
