"""The rooms that the vendor should send, and those that it has confirmed: two sets.

There are no sockets or tasks here: the time (monotonic seconds) is an argument, and messages
to send are return values. The wanted set is authoritative. It is never rebuilt from
confirmations, because their ``symbol`` is a bare ticker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django_fcs.exceptions import RoomError
from django_fcs.protocol import Join, Joined, Leave, RemoveAll
from django_fcs.rooms import Room, canonical_timeframe

from .arrivals import PATIENT, Timing

__all__ = ["Subscriptions"]

#: The longest pause before an unanswered join is sent again, in seconds.
RETRY_MAX_SECONDS = 300


@dataclass
class _Asked:
    since: float
    retry_at: float
    pause: float
    is_left: bool = False
    """It was left unconfirmed, and is joined again at ``retry_at``."""
    exists: bool = False
    """Something came for it after that, so the vendor is slow: do not leave it again."""


class Subscriptions:
    """Reconcile the rooms of one connection with the wanted rooms."""

    def __init__(self, timing: Timing = PATIENT) -> None:
        self._pause = 1 / timing.joins_per_second
        self._confirm_after = timing.confirm
        self._leave_after = timing.leave
        self._wanted: dict[Room, None] = {}
        self._unasked: dict[Room, None] = {}
        self._asked: dict[Room, _Asked] = {}
        self._leaving: dict[Room, None] = {}
        self._next_send = 0.0
        self.joined: set[Room] = set()
        self.retries = 0
        """Joins sent again because neither confirmation nor price came."""

    @property
    def wanted(self) -> frozenset[Room]:
        """The wanted rooms in any state."""
        return frozenset(self._wanted)

    @property
    def unconfirmed(self) -> frozenset[Room]:
        """The rooms that were left because the vendor did not confirm them."""
        return frozenset(room for room, asked in self._asked.items() if asked.is_left)

    def want(self, rooms: Iterable[Room]) -> None:
        """Replace the wanted set; rooms that stay keep their state."""
        before, self._wanted = self._wanted, dict.fromkeys(rooms)
        for room in before.keys() - self._wanted.keys():
            self._unasked.pop(room, None)
            asked = self._asked.pop(room, None)
            if room in self.joined or (asked and not asked.is_left):
                self._leaving[room] = None
            self.joined.discard(room)
        for room in self._wanted:
            if room not in before:
                # Its join is sent after its leave, if a leave is still waiting.
                self._unasked[room] = None

    def rejoin(self, room: Room) -> None:
        """Leave a joined room and join it again, because its prices do not arrive."""
        if room in self.joined:
            self.joined.discard(room)
            self._leaving[room] = self._unasked[room] = None

    def reset(self) -> None:
        """Start with a new connection, which has joined no rooms yet."""
        self.joined.clear()
        self._asked.clear()
        self._leaving.clear()
        self._unasked = dict(self._wanted)

    def confirm(self, message: Joined) -> Room | None:
        """Note a confirmation; return its room if that is wanted."""
        room = self._meant(message)
        return room if room is not None and self.heard(room) else None

    def heard(self, room: Room) -> bool:
        """Note that something came for a room; return False if it is not wanted (any more)."""
        if room not in self._wanted:
            return False
        # Without an open join it is a late answer to an earlier join, already left.
        if self._asked and (asked := self._asked.get(room)):
            if asked.is_left:
                asked.exists, asked.retry_at = True, 0.0
            else:
                del self._asked[room]
                self.joined.add(room)
        return True

    def due(self, now: float) -> Join | Leave | None:
        """Return the next message to send, or None if there is none or it is too early."""
        if now < self._next_send:
            return None
        message = self._next(now)
        if message is not None:
            self._next_send = now + self._pause
        return message

    def farewell(self) -> RemoveAll | None:
        """Return the message that leaves all rooms, or None if no room is joined."""
        return RemoveAll() if self.joined else None

    def next_at(self) -> float | None:
        """Return when to call ``due`` again; None = not before a change."""
        if self._leaving or self._unasked:
            return self._next_send
        retries = [asked.retry_at for asked in self._asked.values()]
        return max(self._next_send, min(retries)) if retries else None

    def _next(self, now: float) -> Join | Leave | None:
        for room in self._leaving:
            del self._leaving[room]
            return _leave(room)
        for room in self._unasked:
            del self._unasked[room]
            self._asked[room] = _Asked(now, now + self._confirm_after, self._confirm_after)
            return _join(room)
        for room, asked in self._asked.items():
            if asked.retry_at <= now:
                return self._try_again(room, asked, now)
        return None

    def _try_again(self, room: Room, asked: _Asked, now: float) -> Join | Leave:
        """Join again, or leave an unconfirmed room to join it again after a pause."""
        if asked.is_left:
            asked.since, asked.is_left = now, False
            asked.retry_at = now + self._leave_after
        else:
            asked.pause = min(asked.pause * 2, RETRY_MAX_SECONDS)
            asked.retry_at = now + asked.pause
            if not asked.exists and now >= asked.since + self._leave_after:
                asked.is_left = True
                return _leave(room)
            if not asked.exists:
                asked.retry_at = min(asked.retry_at, asked.since + self._leave_after)
        self.retries += 1
        return _join(room)

    def _meant(self, message: Joined) -> Room | None:
        try:
            if message.room:
                return Room.from_upstream(message.room)
            if ":" in message.symbol:
                return Room.parse(message.symbol, message.timeframe)
            timeframe = canonical_timeframe(message.timeframe)
        except RoomError:
            return None
        pending = [
            room
            for room, asked in self._asked.items()
            if room.timeframe == timeframe and room.symbol.endswith(f":{message.symbol}")
            if not asked.is_left
        ]
        return pending[0] if len(pending) == 1 else None


def _join(room: Room) -> Join:
    return Join(symbol=room.symbol, timeframe=room.timeframe)


def _leave(room: Room) -> Leave:
    return Leave(symbol=room.symbol, timeframe=room.timeframe)
