"""The requests of browsers for candles: answered from the store, or once the stream has fetched.

A hub asks the vendor for nothing. It sends the stream a wish, and reads the store again when the
stream notes what it did.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Container, Hashable, Iterable
from functools import partial
from typing import NamedTuple, Protocol

from django_fcs.candles import Candles
from django_fcs.conf import conf
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.protocol.bounds import CANDLES_MAX
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.redaction import reason_of
from django_fcs.tools.tasks import each, limited
from django_fcs.values.timeframes import LENGTHS

from .pages import page_of
from .routes import Key

__all__ = ["WAITING_MAX", "CandleDesk"]

logger = logger_of(__name__)

#: How long a request waits for the stream, in seconds.
PATIENCE_SECONDS = 10

#: A wish for each room whose candles browsers have is repeated after this time, in seconds: the
#: stream keeps such a room joined, and fetches what it has missed.
REPEAT_SECONDS = 60

#: A repeated wish is for no more candles: each request of a page has a share of the credits, and
#: a repetition is none.
REPEAT_MAX = 1000

#: How many requests of one browser may wait. A further one is refused.
WAITING_MAX = 8

#: How long a read may take, in seconds, and how many run at the same time.
READ_SECONDS = 3
READS_AT_ONCE = 4

_UNREAD = "the candles of this room cannot be read now"
_STILL = "older candles are still being fetched"


_Question = tuple[Room, int, int | None]
"""A room, how many candles, and before which time they open."""


class Read(Protocol):
    """Returns candles from the store: ``django_fcs.candles.aget_candles``."""

    async def __call__(self, room: Room, /, *, limit: int, before: int | None) -> Candles: ...


class Asker(Hashable, Protocol):
    """What the desk uses of a ``Subscriber``."""

    joined: dict[Key, None]

    def reply(self, text: str) -> None:
        """Answer the browser with one message."""


class Wisher(Protocol):
    """What the desk uses of a bus."""

    async def wish(self, *wishes: Wish) -> None:
        """Send wishes to the stream."""


class _Request(NamedTuple):
    subscriber: Asker
    key: Key
    limit: int
    before: int | None

    @property
    def wish(self) -> Wish:
        return Wish(self.key.room, limit=self.limit, before=self.before)


class _Follower(NamedTuple):
    """What a browser has of a room."""

    limit: int
    """How many candles it asked for at most."""
    oldest: int
    """It has all candles from here on, in unix seconds; 0 if it waits for older ones."""


class CandleDesk:
    """Requests that are new or wait, and the browsers that have candles of a room.

    Bound: ``WAITING_MAX`` requests for each browser.

    Args:
        read: Returns candles of a room: how many, and before which time.
        patience: How long a request waits for the stream, in seconds.
        read_seconds: How long a read may take, in seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        read: Read,
        *,
        patience: float = PATIENCE_SECONDS,
        read_seconds: float = READ_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._patience = patience
        self._read_seconds = read_seconds
        self._is_failing = False
        """Whether the last read failed."""
        self._monotonic = monotonic
        self._asked: dict[Asker, set[_Request]] = {}
        """The requests of each browser that have no answer yet."""
        self._new: dict[_Request, None] = {}
        self._waiting: dict[_Request, float] = {}
        """When each has waited long enough."""
        self._notes: dict[Room, CandleNote] = {}
        """The notes of the stream since the last turn."""
        self._followers: dict[Room, dict[tuple[Asker, Key], _Follower]] = {}
        """Browsers that have candles of a room."""
        self._shown: dict[Room, int] = {}
        """When the oldest candle opened that any of them has, in unix seconds."""
        self._wished_at: dict[Room, float] = {}
        self._lacking: set[Room] = set()
        """Rooms of which a browser has fewer candles than it asked for."""
        self._is_unheard = False
        """Whether the stream may have missed the wishes that were sent."""
        self._bell = Bell()

    def ask(self, subscriber: Asker, key: Key, *, limit: int, before: int | None) -> bool:
        """Note a request of a browser; return False if too many of its requests wait."""
        request = _Request(subscriber, key, limit, before)
        theirs = self._asked.get(subscriber, ())
        if request in theirs:
            return True
        if len(theirs) >= WAITING_MAX:
            return False
        self._asked.setdefault(subscriber, set()).add(request)
        self._new[request] = None
        self._bell.ring()
        return True

    def forget(self, subscriber: Asker, key: Key) -> None:
        """Drop the requests of a browser for a room that it has left."""
        for one in [one for one in self._asked.get(subscriber, ()) if one.key == key]:
            self._new.pop(one, None)
            self._end(one)
        followers = self._followers.get(key.room, {})
        followers.pop((subscriber, key), None)
        if not followers:
            self._followers.pop(key.room, None)
            self._wished_at.pop(key.room, None)
            self._lacking.discard(key.room)
            self._shown.pop(key.room, None)

    def note(self, note: CandleNote) -> None:
        """Note what the stream did about the wishes for a room."""
        room = note.room
        is_awaited = any(one.key.room == room for one in self._waiting)
        if not is_awaited and room not in self._followers:
            return
        self._notes[room] = note.after(self._notes.get(room))
        self._bell.ring()

    def wish_again(self) -> None:
        """Send the wishes once more, as the stream may have missed them."""
        self._is_unheard = True
        self._bell.ring()

    async def serve(self, bus: Wisher, pause: float) -> None:
        """Answer requests as they come, and look every ``pause`` seconds; does not end."""
        self._is_unheard = True  # An earlier bus may have lost some.
        while True:
            await self.turn(bus)
            await self._bell.heard(pause)

    async def turn(self, bus: Wisher) -> None:
        """Answer what can be answered now, and send the wishes for the rest.

        A read that hangs delays only the browsers that wait for it, and the next turn. Requests
        whose turn is cancelled stay for the next one.
        """
        notes, self._notes = self._notes, {}
        alike = _alike((*self._due(notes), *self._new))
        answered, wishes = set[tuple[Asker, Key]](), list[Wish]()
        async for question, candles in each(alike, self._found, at_once=READS_AT_ONCE):
            for one in alike[question]:
                is_new = one in self._new
                if self._answer(one, candles, None if is_new else notes.get(one.key.room)):
                    answered.add(one[:2])
                elif one in self._waiting:
                    wishes.append(one.wish)
        push = partial(self._push, without=answered)
        async for _ in each(notes.values(), push, at_once=READS_AT_ONCE):
            pass
        if self._is_unheard:
            self._is_unheard = False
            self._wished_at.clear()
            wishes += [one.wish for one in self._waiting]
        await self._wish(bus, wishes + self._repeated())

    async def _wish(self, bus: Wisher, wishes: list[Wish]) -> None:
        if wishes and conf.FCS_REST_KEY:
            await bus.wish(*dict.fromkeys(wishes))

    def _due(self, notes: Container[Room]) -> list[_Request]:
        """Return the requests that have waited long enough, or that a note is about."""
        now = self._monotonic()
        return [one for one, end in self._waiting.items() if end <= now or one.key.room in notes]

    async def _found(self, question: _Question) -> Candles | None:
        """Read candles; return ``None`` if the store takes too long, or fails."""
        room, limit, before = question
        try:
            reading = self._read(room, limit=limit, before=before)
            found = await limited(reading, self._read_seconds)
        except Exception as error:  # One room's fault stops no other.
            if not self._is_failing:
                logger.warning("candles cannot be read room=%s reason=%s", room, reason_of(error))
            self._is_failing = True
            return None
        self._is_failing = False
        return found

    def _answer(self, request: _Request, candles: Candles | None, note: CandleNote | None) -> bool:
        """Answer a request, and return True; or let it wait, if it is new, or drop it."""
        subscriber, key, limit, _ = request
        is_new = request in self._new
        self._new.pop(request, None)
        if key not in subscriber.joined:
            self._end(request)
        if request not in self._asked.get(subscriber, ()):
            return False
        is_whole = candles is not None and _is_whole(candles, limit)
        if is_new and candles is not None and conf.FCS_REST_KEY and not is_whole:
            self._waiting[request] = self._monotonic() + self._patience
            return False
        self._end(request)
        if candles is None:
            candles, text = Candles(key.room, more=True), _UNREAD
        else:
            text = note.note if note is not None else "" if is_whole or is_new else _STILL
        self._reply(request, candles, text)
        return True

    def _end(self, request: _Request) -> None:
        """Forget a request."""
        self._waiting.pop(request, None)
        theirs = self._asked.get(request.subscriber, set())
        theirs.discard(request)
        if not theirs:
            self._asked.pop(request.subscriber, None)

    def _reply(self, request: _Request, candles: Candles, note: str = "") -> None:
        subscriber, key, limit, before = request
        subscriber.reply(page_of(key, candles, note=note))
        if not _is_whole(candles, limit):
            self._lacking.add(key.room)
        if candles:
            self._shown[key.room] = min(candles[0].t, self._shown.get(key.room, candles[0].t))
        oldest = candles[0].t if candles and _is_whole(candles, limit) else 0
        followers = self._followers.setdefault(key.room, {})
        if known := followers.get((subscriber, key)):
            limit = max(limit, known.limit)
            oldest = oldest if before is None else min(oldest, known.oldest)
        followers[subscriber, key] = _Follower(limit, oldest)

    async def _push(self, note: CandleNote, *, without: Container[tuple[Asker, Key]]) -> None:
        """Send candles that were fetched later to the browsers that have others of the room."""
        room = note.room
        start, end = note.start or 0, math.inf if note.end is None else note.end
        followers = [
            (*one, max(start, has.oldest))
            for one, has in self._followers.get(room, {}).items()
            if one not in without and has.oldest <= end
        ]
        candles = await self._news(room, note) if followers else None
        if candles is None:
            return
        texts: dict[tuple[Key, int], str] = {}
        for subscriber, key, first in followers:
            if key in subscriber.joined:
                one = key, first
                texts[one] = texts.get(one) or page_of(key, candles, start=first)
                subscriber.reply(texts[one])

    async def _news(self, room: Room, note: CandleNote) -> Candles | None:
        """Return the candles that the stream has stored according to its note.

        Older ones than browsers have, which somebody else has asked for, are none of them.
        A note that tells of none, nor of any to come, may follow others that were lost.
        """
        is_lacking, is_done = room in self._lacking, not note.note
        if note.start is not None and note.end is not None:
            if is_done:
                self._lacking.discard(room)
            if not is_lacking and note.end < self._shown.get(room, 0):
                return None
            limit = (note.end - note.start) // LENGTHS[room.timeframe] + 2
            question: _Question = room, min(limit, CANDLES_MAX), note.end + 1
        elif is_lacking and is_done:
            self._lacking.discard(room)
            question = room, max(one.limit for one in self._followers[room].values()), None
        else:
            return None
        found = await self._found(question)
        if found is None and room in self._followers:
            self._lacking.add(room)  # The next note makes up for it.
        return found

    def _repeated(self) -> list[Wish]:
        """Return the wishes to repeat now, one for each room whose candles browsers have."""
        now = self._monotonic()
        due = [
            room
            for room in self._followers
            if now - self._wished_at.get(room, -math.inf) >= REPEAT_SECONDS
        ]
        self._wished_at.update(dict.fromkeys(due, now))
        return [
            Wish(
                room,
                limit=min(max(one.limit for one in self._followers[room].values()), REPEAT_MAX),
            )
            for room in due
        ]


def _alike(requests: Iterable[_Request]) -> dict[_Question, list[_Request]]:
    """Return requests by their question: those with the same share one read."""
    alike: dict[_Question, list[_Request]] = {}
    for one in requests:
        alike.setdefault((one.key.room, one.limit, one.before), []).append(one)
    return alike


def _is_whole(candles: Candles, limit: int) -> bool:
    """Tell whether the stream could add nothing."""
    return not candles.missing and (len(candles) >= limit or not candles.more)
