"""Fan-out of one process: one channel-layer member, however many browsers.

A hub is told of joins and leaves without waiting. One task of its own makes the
groups follow, announces the rooms to the stream, and takes what comes in.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import ClassVar

from .backoff import doubling
from .bus import HUBS, Beat, Bus, Call, RoomNews
from .conf import conf
from .exceptions import ProtocolError
from .messages import Beat as BeatMessage
from .messages import RoomState
from .metrics import count
from .protocol import serialise
from .rooms import Room
from .states import State, decide
from .store import Store
from .subscriber import Subscriber
from .tasks import end, together
from .updates import Update, respell

__all__ = ["Hub"]

logger = logging.getLogger(__name__)

#: How often a hub repeats its rooms; a stream forgets what is not repeated for 15 s.
ANNOUNCE_SECONDS = 5

#: How often states are decided anew: a price grows old without any message.
LOOK_SECONDS = 1

#: How long an idle hub stays, so that a page change does not rebuild it.
IDLE_SECONDS = 30

#: The pauses after sick channel layers were thrown away, first and longest.
RENEW_SECONDS = 1
RENEW_MAX_SECONDS = 5


_SILENCE = "no sign of life of the stream"


@dataclass
class _Feed:
    """A room in this process: the last of everything, and who watches."""

    room: Room
    update: Update | None = None
    profile: str = ""
    closed: bool = False
    state: State = State.WAITING
    reason: str = ""
    """Why it is offline, where it is."""
    members: dict[str, dict[Subscriber, bool]] = field(default_factory=dict)
    """Spelling of the timeframe → browser → whether it has its first price."""


class Hub:
    """The rooms and browsers of one event loop.

    ``async with Hub.of_this_loop(store).entered(subscriber)`` enters the loop's one
    hub, which works from the first to ``IDLE_SECONDS`` after the last who entered.
    """

    _hubs: ClassVar[dict[asyncio.AbstractEventLoop, Hub]] = {}

    def __init__(
        self,
        store: Store,
        *,
        idle: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = uuid.uuid4().hex
        self._store = store
        self._idle = idle
        self._clock = clock
        self._monotonic = monotonic
        self._subscribers: set[Subscriber] = set()
        self._idle_since = monotonic()
        self._feeds: dict[Room, _Feed] = {}
        self._new: dict[Room, None] = {}
        self._changed = asyncio.Event()
        self._epoch: int | None = None
        self._online, self._reason = True, ""
        self._beat_at = monotonic()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def of_this_loop(cls, store: Store) -> Hub:
        """Return the one hub of the running loop."""
        loop = asyncio.get_running_loop()
        hub = cls._hubs.get(loop)
        if hub is None:
            # Not a weak dictionary: a hub's task holds the loop, and so its own key.
            cls._hubs = {other: it for other, it in cls._hubs.items() if not other.is_closed()}
            hub = cls._hubs[loop] = cls(store)
        return hub

    @asynccontextmanager
    async def entered(self, subscriber: Subscriber) -> AsyncIterator[None]:
        """Let a browser join rooms; it leaves them all at the end."""
        self._subscribers.add(subscriber)
        if self._task is None or self._task.done():
            # An idle hub hears no beat: what it last heard says nothing of now.
            self._epoch, self._beat_at = None, self._monotonic()
            self._online, self._reason = True, ""
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            for room, spelling in list(subscriber.joined):
                self.leave(subscriber, room, spelling)
            self._subscribers.discard(subscriber)
            self._idle_since = self._monotonic()

    async def aclose(self) -> None:
        """End its work at once, as a test or a server that stops does."""
        if self._task is not None:
            await end(self._task)

    def sockets_from(self, address: str) -> int:
        """Count the browsers of one network address."""
        return sum(subscriber.address == address for subscriber in self._subscribers)

    def join(self, subscriber: Subscriber, room: Room, spelling: str) -> None:
        """Send a room to a browser from now on, first what is known already."""
        feed = self._feeds.get(room)
        if feed is None:
            feed = self._feeds[room] = _Feed(room)
            feed.state, feed.reason = self._state_of(feed)
            self._new[room] = None
            self._changed.set()
        subscriber.joined[room, spelling] = None
        feed.members.setdefault(spelling, {})[subscriber] = False
        if feed.profile:
            subscriber.describe((room, spelling), respell(feed.profile, room, spelling))
        if feed.update:
            self._offer(feed, spelling, subscriber)
        self._tell_state(feed, spelling, [subscriber])

    def leave(self, subscriber: Subscriber, room: Room, spelling: str) -> None:
        """Send a room to a browser no more; harmless where it never joined."""
        if (room, spelling) not in subscriber.joined:
            return
        del subscriber.joined[room, spelling]
        subscriber.forget((room, spelling))
        feed = self._feeds[room]
        del feed.members[spelling][subscriber]
        if not feed.members[spelling]:
            del feed.members[spelling]
        if not feed.members:
            del self._feeds[room]
            self._new.pop(room, None)
            self._changed.set()

    async def _run(self) -> None:
        """Work until idle; a sick channel layer is thrown away whole and renewed."""
        pauses = doubling(first=RENEW_SECONDS, cap=RENEW_MAX_SECONDS)
        while not self._is_idle():
            try:
                async with Bus(HUBS) as bus:
                    pauses = doubling(first=RENEW_SECONDS, cap=RENEW_MAX_SECONDS)
                    self._ask_for_all()
                    await together(self._take(bus), self._tend(bus))
            except Exception as error:
                count("hub_renewals")
                logger.warning("channel layer failed, renewing reason=%r", error)
                self._look()
                await asyncio.sleep(next(pauses))

    def _is_idle(self) -> bool:
        return not self._subscribers and self._monotonic() - self._idle_since >= self._idle

    async def _tend(self, bus: Bus) -> None:
        """Let groups and demand follow the joins, and states the clock."""
        announce_at = self._monotonic()
        while not self._is_idle():
            changed = self._changed.is_set()
            self._changed.clear()
            new = list(self._new)
            self._new.clear()
            await bus.subscribe(list(self._feeds))
            if changed or self._monotonic() >= announce_at:
                await bus.announce(Call(self._name, tuple(self._feeds), tuple(new)))
                announce_at = self._monotonic() + ANNOUNCE_SECONDS
            await self._recall(new)
            self._look()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)

    async def _recall(self, rooms: list[Room]) -> None:
        """Show the last known price of rooms of which the stream said nothing yet."""
        missing = [room for room in rooms if room in self._feeds and not self._feeds[room].update]
        if not missing:
            return
        values, beat = await self._store.aload(missing)
        if beat and self._epoch is None:
            self._beat_at = self._monotonic() - max(0, self._clock() - beat.at)
            self._online, self._reason = beat.online, beat.reason
        for room, value in values.items():
            feed = self._feeds.get(room)
            if feed and not feed.update:
                feed.closed = value.closed
                with suppress(ProtocolError):
                    self._take_update(Update.from_text(room, value.text, epoch=0))

    async def _take(self, bus: Bus) -> None:
        async for event in bus.events():
            if isinstance(event, Update):
                self._take_update(event)
            elif isinstance(event, Beat):
                self._take_beat(event)
            elif isinstance(event, RoomNews):
                self._take_news(event)

    def _take_update(self, update: Update) -> None:
        """Hand a price on; one that is not newer is a repetition."""
        feed = self._feeds.get(update.room)
        if feed is None or (feed.update and update.seq <= feed.update.seq):
            return
        feed.update = update
        for spelling, members in feed.members.items():
            spelled = update.spelled(spelling)
            for subscriber, has_first in members.items():
                if has_first:
                    subscriber.offer((update.room, spelling), spelled)
                else:
                    self._offer(feed, spelling, subscriber)
        self._decide(feed)

    def _offer(self, feed: _Feed, spelling: str, subscriber: Subscriber) -> None:
        """Send the first price of a room, which is an initial whatever it was upstream."""
        if feed.update:
            first = feed.update.spelled(spelling).in_mode("initial")
            subscriber.offer((feed.room, spelling), first)
            feed.members[spelling][subscriber] = True

    def _take_beat(self, beat: Beat) -> None:
        self._beat_at = self._monotonic()
        self._online, self._reason = beat.online, beat.reason
        if beat.epoch != self._epoch:
            self._epoch = beat.epoch
            self._ask_for_all()
        text = serialise(BeatMessage(timestamp=int(beat.at * 1000)))
        for subscriber in self._subscribers:
            if subscriber.merge:
                subscriber.tell(BeatMessage, text)
        self._look()

    def _take_news(self, news: RoomNews) -> None:
        feed = self._feeds.get(news.room)
        if feed is None:
            return
        feed.closed = news.closed
        if news.profile and news.profile != feed.profile:
            feed.profile = news.profile
            for spelling, members in feed.members.items():
                for subscriber in members:
                    text = respell(news.profile, news.room, spelling)
                    subscriber.describe((news.room, spelling), text)
        self._decide(feed)

    def _ask_for_all(self) -> None:
        """Announce every room as new: who should answer has changed."""
        self._new = dict.fromkeys(self._feeds)
        self._changed.set()

    def _look(self) -> None:
        for feed in self._feeds.values():
            self._decide(feed)

    def _decide(self, feed: _Feed) -> None:
        state = self._state_of(feed)
        if state != (feed.state, feed.reason):
            feed.state, feed.reason = state
            for spelling, members in feed.members.items():
                self._tell_state(feed, spelling, members)

    def _state_of(self, feed: _Feed) -> tuple[State, str]:
        beat_age, offline_after = self._monotonic() - self._beat_at, conf.FCS_OFFLINE_AFTER_SECONDS
        state = decide(
            age=max(0.0, self._clock() - feed.update.at) if feed.update else None,
            beat_age=beat_age,
            online=self._online,
            closed=feed.closed,
            stale_after=conf.FCS_STALE_AFTER_SECONDS,
            offline_after=offline_after,
        )
        if state is not State.OFFLINE:
            return state, ""
        return state, _SILENCE if self._online else self._reason

    def _tell_state(self, feed: _Feed, spelling: str, members: Iterable[Subscriber]) -> None:
        text = serialise(
            RoomState(
                symbol=feed.room.symbol,
                timeframe=spelling,
                state=feed.state.value,
                reason=feed.reason,
            )
        )
        for subscriber in members:
            if subscriber.merge:
                subscriber.tell((feed.room, spelling), text)
