"""The requests of browsers for candles: answered from the store, or once the stream has fetched.

A hub asks the vendor for nothing. It sends the stream a wish, and reads the store again when the
stream notes what it did.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Container
from functools import partial

from django_fcs.candles import Candles
from django_fcs.conf import conf
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.protocol.bounds import CANDLES_MAX
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.redaction import reason_of
from django_fcs.tools.tasks import each, limited
from django_fcs.values.timeframes import LENGTHS, LONGEST

from .pages import page_of
from .questions import Asker, Follower, Question, Read, Request, Wisher, alike, is_whole
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

#: After candles could not be read, in seconds.
PAUSE_SECONDS = 5

#: How many requests of one browser may wait. A further one is refused.
WAITING_MAX = 8

#: How long a read may take, in seconds, and how many run at the same time.
READ_SECONDS = 3
READS_AT_ONCE = 4

_UNREAD = "the candles of this room cannot be read now"
_STILL = "older candles are still being fetched"


class CandleDesk:
    """Requests that are new or wait, and the browsers that have candles of a room.

    Bound: ``WAITING_MAX`` requests for each browser.

    Args:
        read: Returns candles of a room: how many, and before which time.
        patience: How long a request waits for the stream, in seconds.
        read_seconds: How long a read may take, in seconds.
        monotonic: Seconds of a clock that is never set.
        clock: Unix seconds.
    """

    def __init__(
        self,
        read: Read,
        *,
        patience: float = PATIENCE_SECONDS,
        read_seconds: float = READ_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._patience = patience
        self._read_seconds = read_seconds
        self._is_failing = False
        """Whether the last read failed."""
        self._monotonic = monotonic
        self._clock = clock
        self._asked: dict[Asker, set[Request]] = {}
        """The requests of each browser that have no answer yet."""
        self._new: dict[Request, None] = {}
        self._waiting: dict[Request, float] = {}
        """When each has waited long enough."""
        self._unread: set[Request] = set()
        """Those that wait because candles could not be read."""
        self._notes: dict[Room, CandleNote] = {}
        """The notes of the stream since the last turn."""
        self._followers: dict[Room, dict[tuple[Asker, Key], Follower]] = {}
        """Browsers that have candles of a room."""
        self._shown: dict[Room, int] = {}
        """When the oldest candle opened that any of them has, in unix seconds."""
        self._wished_at: dict[Room, float] = {}
        self._lacking: set[Room] = set()
        """Rooms of which a browser has fewer candles than it asked for."""
        self._is_unheard = False
        """Whether the stream may have missed the wishes that were sent, and this its notes."""
        self._heard_at = 0.0
        """When the stream was last heard, in unix seconds."""
        self._doubted: dict[Room, float] = {}
        """Rooms whose candles browsers may have missed, and since when, in unix seconds."""
        self._doubts_at = -math.inf
        """When they are read again."""
        self._repaired: dict[Room, Container[tuple[int, int]]] = {}
        """The repaired ranges of which browsers have the candles."""
        self._missing: dict[Room, Container[tuple[int, int]]] = {}
        """The holes of which browsers know."""
        self._bell = Bell()

    def ask(self, subscriber: Asker, key: Key, *, limit: int, before: int | None) -> bool:
        """Note a request of a browser; return False if too many of its requests wait."""
        request = Request(subscriber, key, limit, before)
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
            self._doubted.pop(key.room, None)
            self._repaired.pop(key.room, None)
            self._missing.pop(key.room, None)

    def note(self, note: CandleNote) -> None:
        """Note what the stream did about the wishes for a room."""
        room = note.room
        is_awaited = any(one.key.room == room for one in self._waiting)
        if not is_awaited and room not in self._followers:
            return
        if note.holes and room in self._followers:
            self._doubted.setdefault(room, self._clock())
            self._doubts_at = -math.inf
        if note.tells_only_holes:
            self._bell.ring()
            return
        self._notes[room] = note.after(self._notes.get(room))
        self._bell.ring()

    def hear(self) -> None:
        """Note that the stream is heard now."""
        self._heard_at = self._clock()

    def wish_again(self) -> None:
        """Send the wishes once more, and what browsers lack: the stream may not have been heard."""
        self._is_unheard = True
        for room in self._followers:
            self._doubted[room] = min(self._heard_at, self._doubted.get(room, math.inf))
        self._doubts_at = -math.inf
        self._bell.ring()

    async def serve(self, bus: Wisher, pause: float) -> None:
        """Answer requests as they come, and look every ``pause`` seconds; does not end."""
        self.wish_again()  # An earlier bus may have lost some.
        while True:
            await self.turn(bus)
            await self._bell.heard(pause)

    async def turn(self, bus: Wisher) -> None:
        """Answer what can be answered now, and send the wishes for the rest.

        A read that hangs delays only the browsers that wait for it, and the next turn. Requests
        whose turn is cancelled stay for the next one.
        """
        notes, self._notes = self._notes, {}
        questions = alike((*self._due(notes), *self._new))
        answered, wishes = set[tuple[Asker, Key]](), list[Wish]()
        async for question, candles in each(questions, self._found, at_once=READS_AT_ONCE):
            for one in questions[question]:
                is_new = one in self._new
                if self._answer(one, candles, None if is_new else notes.get(one.key.room)):
                    answered.add(one[:2])
                elif is_new and one in self._waiting:
                    wishes.append(one.wish)
        push = partial(self._push, without=answered)
        async for _ in each(notes.values(), push, at_once=READS_AT_ONCE):
            pass
        if self._doubted and self._doubts_at <= self._monotonic():
            self._doubts_at = self._monotonic() + PAUSE_SECONDS
            async for _ in each(list(self._doubted), self._catch_up, at_once=READS_AT_ONCE):
                pass
        if self._is_unheard:
            self._is_unheard = False
            self._wished_at.clear()
            wishes += [one.wish for one in self._waiting]
        await self._wish(bus, wishes + self._repeated())

    async def _wish(self, bus: Wisher, wishes: list[Wish]) -> None:
        if wishes and conf.FCS_REST_KEY:
            await bus.wish(*dict.fromkeys(wishes))

    def _due(self, notes: Container[Room]) -> list[Request]:
        """Return the requests that have waited long enough, or whose candles may be there now."""
        now = self._monotonic()
        return [
            one
            for one, end in self._waiting.items()
            if end <= now or one.key.room in notes or one in self._unread
        ]

    async def _found(self, question: Question) -> Candles | None:
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

    def _answer(self, request: Request, candles: Candles | None, note: CandleNote | None) -> bool:
        """Answer a request, and return True; or let it wait, if it is new, or drop it."""
        subscriber, key, limit, _ = request
        is_new = request in self._new
        self._new.pop(request, None)
        if key not in subscriber.joined:
            self._end(request)
        if request not in self._asked.get(subscriber, ()):
            return False
        has_all = candles is not None and is_whole(candles, limit)
        is_unread = not has_all and (candles is None or candles.unread)
        if not has_all and self._may_wait(request, is_new=is_new, is_unread=is_unread, note=note):
            return False
        self._end(request)
        candles = Candles(key.room, more=True, note=_UNREAD) if candles is None else candles
        if is_unread:
            self._doubted.setdefault(key.room, 0)
        text = "" if has_all or is_new or is_unread else _STILL
        self._reply(request, candles, text if note is None else note.note)
        return True

    def _may_wait(
        self, request: Request, *, is_new: bool, is_unread: bool, note: CandleNote | None
    ) -> bool:
        """Let a request wait, if it may: for the stream, or until candles can be read."""
        now, was_unread = self._monotonic(), request in self._unread
        self._unread.discard(request)
        end = self._waiting.get(request, now + self._patience)
        if end <= now or not (is_unread or (conf.FCS_REST_KEY and (is_new or was_unread))):
            return False
        if note is not None and not is_unread:
            return False
        if is_unread:
            self._unread.add(request)
        self._waiting[request] = end
        return True

    def _end(self, request: Request) -> None:
        """Forget a request."""
        self._waiting.pop(request, None)
        self._unread.discard(request)
        theirs = self._asked.get(request.subscriber, set())
        theirs.discard(request)
        if not theirs:
            self._asked.pop(request.subscriber, None)

    def _reply(self, request: Request, candles: Candles, note: str = "") -> None:
        subscriber, key, limit, before = request
        subscriber.reply(page_of(key, candles, note=note))
        if not is_whole(candles, limit):
            self._lacking.add(key.room)
        self._repaired.setdefault(key.room, candles.repaired)
        if before is None:
            self._missing[key.room] = candles.missing
        if candles:
            self._shown[key.room] = min(candles[0].t, self._shown.get(key.room, candles[0].t))
        oldest = candles[0].t if candles and is_whole(candles, limit) else 0
        followers = self._followers.setdefault(key.room, {})
        if known := followers.get((subscriber, key)):
            limit = max(limit, known.limit)
            oldest = oldest if before is None else min(oldest, known.oldest)
        followers[subscriber, key] = Follower(limit, oldest)

    async def _push(self, note: CandleNote, *, without: Container[tuple[Asker, Key]]) -> None:
        """Send candles that were fetched later to the browsers that have others of the room."""
        room = note.room
        start, end = note.start or 0, math.inf if note.end is None else note.end
        followers = [
            one
            for one, has in self._followers.get(room, {}).items()
            if one not in without and has.oldest <= end
        ]
        candles = await self._news(room, note) if followers else None
        if candles is not None:
            self._send(room, candles, start, followers)

    async def _catch_up(self, room: Room) -> None:
        """Send what browsers may have missed, once it can be read: with what is missing now."""
        has = self._followers.get(room, {})
        limit = max((one.limit for one in has.values()), default=0)
        candles = await self._found((room, limit, None)) if has else None
        if candles is None or candles.unread:
            return
        repaired, missing = self._repaired.get(room, ()), self._missing.get(room, ())
        longest = LONGEST[room.timeframe]
        news = [int(self._doubted.pop(room, 0)) - longest]
        news += [span[0] for span in candles.repaired if span not in repaired]
        news += [span[0] - longest for span in candles.missing if span not in missing]
        self._send(room, candles, min(news), list(has))

    def _send(
        self, room: Room, candles: Candles, start: int, followers: list[tuple[Asker, Key]]
    ) -> None:
        self._repaired[room], self._missing[room] = candles.repaired, candles.missing
        texts: dict[tuple[Key, int], str] = {}
        for one in followers:
            has = self._followers.get(room, {}).get(one)
            subscriber, key = one
            if has is not None and key in subscriber.joined:
                first = max(start, has.oldest)
                texts[key, first] = texts.get((key, first)) or page_of(key, candles, start=first)
                subscriber.reply(texts[key, first])

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
            question: Question = room, min(limit, CANDLES_MAX), note.end + 1
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
