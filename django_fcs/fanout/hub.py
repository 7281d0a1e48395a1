"""Fan-out of one process: one channel-layer member, however many browsers.

A hub is told of joins and leaves without waiting. One task of its own makes the
groups follow, announces the rooms to the stream, and takes what comes in.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, ClassVar

from django_fcs.conf import conf
from django_fcs.exceptions import ProtocolError
from django_fcs.layer.bus import Bus, on_the_layer
from django_fcs.layer.events import HUBS, Beat, Event, RoomNews
from django_fcs.prices.states import State
from django_fcs.prices.store import Store
from django_fcs.prices.updates import Update, respell
from django_fcs.protocol import Beat as BeatMessage, serialise
from django_fcs.rooms import Room
from django_fcs.tools.clocks import since_boot
from django_fcs.tools.metrics import count, shown
from django_fcs.tools.tasks import end, together

from .cohorts import Cohorts
from .figures import Lags, hub_figures
from .hearing import Hearing
from .mailbox import newest_of
from .needs import Needs
from .ready import ReadyQueue
from .routes import Reader, Routes
from .servers import server_takes_everything
from .subscriber import Subscriber, send_to_all
from .watched import Feed, Limits, Path

__all__ = ["Hub"]

logger = logging.getLogger(__name__)

#: How long prices are handed on without a turn for the rest of the process. Not less:
#: what a server has not written yet when the next price comes goes out in one write.
SLICE_SECONDS = 0.05

#: A process that took longer for a burst hands on the newest of the next one only.
BEHIND_SECONDS = 0.1

#: How often states are decided anew: a price grows old without any message.
LOOK_SECONDS = 1

#: How long an idle hub stays, so that a page change does not rebuild it.
IDLE_SECONDS = 30

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


class Hub:
    """The rooms and browsers of one event loop.

    ``async with Hub.of_this_loop(store).entered(send, …) as subscriber`` enters the
    loop's one hub, which works from the first to ``IDLE_SECONDS`` after the last who
    entered.
    """

    _hubs: ClassVar[dict[asyncio.AbstractEventLoop, Hub]] = {}

    def __init__(
        self,
        store: Store,
        *,
        idle: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = since_boot,
    ) -> None:
        self._store = store
        self._idle = idle
        self._clock = clock
        self._monotonic = monotonic
        self._subscribers: dict[Subscriber, None] = {}
        self._ready: ReadyQueue[Subscriber] = ReadyQueue()
        self._routes: Routes[Subscriber] = Routes()
        """Those that get prices one by one; the others are with the cohorts."""
        self._lags = Lags(clock)
        self._cohorts = Cohorts(_send_frame, self._lags.frame_went)
        self._wakes_at = math.inf
        self._idle_since = monotonic()
        self._feeds: dict[Room, Feed] = {}
        self._hearing = Hearing(self._feeds)
        self._needs = Needs(uuid.uuid4().hex, self._feeds, monotonic=monotonic)
        self._path = Path(beat_at=monotonic())
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
    async def entered(
        self, send: Send, *, merge: bool, rate: float, address: str = ""
    ) -> AsyncIterator[Subscriber]:
        """Let a browser join rooms, by the server's ``send``; it leaves them at the end.

        ``merge`` says that it speaks the merge protocol, at ``rate`` frames a second.
        """
        async with Subscriber(
            send,
            self._ready,
            merge=merge,
            address=address,
            must_answer=server_takes_everything(),
            clock=self._clock,
        ) as subscriber:
            self._enter(subscriber, rate)
            try:
                yield subscriber
            finally:
                self._exit(subscriber)

    def _enter(self, subscriber: Subscriber, rate: float) -> None:
        self._subscribers[subscriber] = None
        if subscriber.merge:
            self._cohorts.enter(subscriber, rate)
        if self._task is None or self._task.done():
            # An idle hub hears no beat: what it last heard says nothing of now.
            self._path = Path(beat_at=self._monotonic())
            self._task = asyncio.create_task(self._run())

    def _exit(self, subscriber: Subscriber) -> None:
        if subscriber.merge:
            self._cohorts.exit(subscriber)
        for key in subscriber.joined:
            self._routes.discard(key, subscriber)
            self._release(*key)
        subscriber.joined.clear()
        del self._subscribers[subscriber]
        self._idle_since = self._monotonic()

    async def aclose(self) -> None:
        """End its work at once, as a test or a server that stops does."""
        if self._task is not None:
            await end(self._task)

    def sockets_from(self, address: str) -> int:
        """Count the browsers of one network address."""
        return sum(subscriber.address == address for subscriber in self._subscribers)

    def set_rate(self, subscriber: Subscriber, rate: float) -> None:
        """Send a browser on the merge protocol at most so many frames a second."""
        self._cohorts.set_rate(subscriber, rate)
        self._ready.wake()

    def join(self, subscriber: Subscriber, room: Room, spelling: str) -> None:
        """Send a room to a browser from now on, first what is known already."""
        key = (room, spelling)
        feed = self._feeds.get(room)
        if feed is None:
            feed = self._feeds[room] = Feed(room)
            feed.state, feed.reason, feed.until = self._state_of(feed, Limits.of_site())
            self._needs.add(room)
        if key not in subscriber.joined:
            subscriber.joined[key] = None
            feed.spellings[spelling] = feed.spellings.get(spelling, 0) + 1
        reader = self._reader(subscriber, key)
        if feed.profile:
            reader.describe(key, respell(feed.profile, room, spelling))
        if feed.update:
            reader.put(key, feed.update.spelled(spelling))
        reader.tell(key, feed.state_text(spelling))
        self._ready.wake()

    def _reader(self, subscriber: Subscriber, key: tuple[Room, str]) -> Reader:
        """Let a browser follow a room; its next price will be an initial."""
        if subscriber.merge:
            return self._cohorts.join(subscriber, key)
        subscriber.expect(key)
        self._routes.add(key, subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber, room: Room, spelling: str) -> None:
        """Send a room to a browser no more; harmless where it never joined."""
        key = (room, spelling)
        if key not in subscriber.joined:
            return
        del subscriber.joined[key]
        subscriber.forget(key)
        if subscriber.merge:
            self._cohorts.leave(subscriber, key)
        else:
            self._routes.discard(key, subscriber)
        self._release(room, spelling)

    def _release(self, room: Room, spelling: str) -> None:
        """Count one browser of a room less; with the last one goes its feed."""
        feed = self._feeds[room]
        feed.spellings[spelling] -= 1
        if not feed.spellings[spelling]:
            del feed.spellings[spelling]
        if not feed.spellings:
            del self._feeds[room]
            self._needs.discard(room)

    async def _run(self) -> None:
        """Work until idle; a browser may come while the last work is being ended."""
        with shown(self._figures):
            while not self._is_idle():
                await together(self._follow(), self._deliver(), self._watch())

    def _figures(self) -> dict[str, float]:
        online = self._path.is_online(self._monotonic(), conf.FCS_OFFLINE_AFTER_SECONDS)
        return hub_figures(self._subscribers, self._cohorts, self._feeds, online)

    async def _follow(self) -> None:
        await on_the_layer(HUBS, self._listen, counter="hub_renewals")

    async def _listen(self, bus: Bus) -> bool:
        """Take in what the stream says, for as long as nothing is missing."""
        self._hearing.begin(self._monotonic())
        self._needs.ask_for_all()
        await together(self._take(bus), self._tend(bus))
        return False

    async def _deliver(self) -> None:
        """Send what had to wait: for its turn, for the server, or for the browser."""
        while True:
            for subscriber in self._ready.take():
                subscriber.flush()
                if subscriber.merge and subscriber.is_open and subscriber in self._subscribers:
                    self._cohorts.ready(subscriber)
            now = self._monotonic()
            self._cohorts.flush(now)
            self._wakes_at = self._cohorts.next_due()
            await self._ready.wait(max(0.0, self._wakes_at - self._monotonic()))

    async def _watch(self) -> None:
        """Let states and slow browsers follow the clock, until idle."""
        while not self._is_idle():
            self._look()
            now, slow_after = self._monotonic(), conf.FCS_SLOW_CLIENT_SECONDS
            for subscriber in self._subscribers:
                subscriber.look(now, slow_after)
            self._cohorts.settle()
            self._send_due()
            await asyncio.sleep(LOOK_SECONDS)

    def _send_due(self) -> None:
        self._lags.burst_ended(is_seen=len(self._subscribers) > self._cohorts.members)
        self._cohorts.flush(self._monotonic())
        if self._cohorts.next_due() < self._wakes_at:
            self._ready.wake()

    def _is_idle(self) -> bool:
        return not self._subscribers and self._monotonic() - self._idle_since >= self._idle

    async def _tend(self, bus: Bus) -> None:
        """Let groups and demand follow the joins."""
        async with aclosing(self._needs.turns(bus)) as turns:
            async for asked in turns:
                self._hearing.follow(asked)
                await self._recall(asked)
                if self._hearing.trouble(self._monotonic()):
                    return

    async def _recall(self, rooms: list[Room]) -> None:
        """Show the last known price of rooms of which the stream said nothing yet."""
        missing = [room for room in rooms if room in self._feeds and not self._feeds[room].update]
        if not missing:
            return
        values, beat = await self._store.aload(missing)
        if beat and self._path.epoch is None:
            beat_at = self._monotonic() - abs(self._clock() - beat.at)
            told = (beat.online, beat.reason)
            self._path = Path(beat_at, *told, outage=beat.outage, silence=beat.silence)
        for room, value in values.items():
            feed = self._feeds.get(room)
            if feed and not feed.update:
                feed.expected = feed.expected or value.expected._replace(overdue=False)
                with suppress(ProtocolError):
                    update = Update.from_text(room, value.text, epoch=self._path.fence)
                    self._take_update(update, trouble=feed.trouble, is_left=value.expected.overdue)
        self._send_due()

    async def _take(self, bus: Bus) -> None:
        is_behind = False
        async for burst in bus.bursts():
            began = self._monotonic()
            if self._hearing.is_late(began):
                return
            if self._hearing.take(burst, began):
                self._needs.wake()
            await self._take_all(newest_of(burst) if is_behind else burst)
            self._send_due()
            is_behind = self._monotonic() - began > BEHIND_SECONDS

    async def _take_all(self, burst: list[Event]) -> None:
        turn_at = self._monotonic() + SLICE_SECONDS
        for event in burst:
            if isinstance(event, Update):
                self._take_update(event)
            elif isinstance(event, Beat):
                self._take_beat(event)
            elif isinstance(event, RoomNews):
                self._take_news(event)
            if self._monotonic() > turn_at:
                await asyncio.sleep(0)
                turn_at = self._monotonic() + SLICE_SECONDS

    def _take_update(self, update: Update, *, trouble: str = "", is_left: bool = False) -> None:
        """Hand a price on; one that is not newer is a repetition."""
        if update.epoch < self._path.fence:
            count("hub_fenced")
            return
        room = update.room
        feed = self._feeds.get(room)
        if feed is None or not feed.is_news(update):
            return
        if feed.update and self._lags.at is None:
            self._lags.at = update.at
        feed.update, feed.trouble, feed.is_left = update, trouble, is_left
        for spelling in feed.spellings:
            key, spelled = (room, spelling), update.spelled(spelling)
            _send_price(self._routes.of(key), key, spelled)
            self._cohorts.put(key, spelled)
        if feed.state is not State.LIVE:
            self._decide(feed, Limits.of_site())

    def _take_beat(self, beat: Beat) -> None:
        if beat.epoch < self._path.fence:
            if count("hub_fenced"):
                logger.warning("a stream beats that leads no more epoch=%d", beat.epoch)
            return
        if beat.epoch != self._path.epoch:
            self._needs.ask_for_all()
            for feed in self._feeds.values():
                feed.lack("")
            if beat.epoch < (self._path.epoch or 0):
                # Redis lost its data and its clock went back: else nothing would be newer.
                for feed in self._feeds.values():
                    feed.forget()
        now = self._monotonic()
        if self._path.is_silent(now, conf.FCS_OFFLINE_AFTER_SECONDS):
            for feed in self._feeds.values():
                feed.doubt()
            self._needs.ask_for_all()
        self._path = Path.of(beat, now)
        text = serialise(BeatMessage(timestamp=int(beat.at * 1000)))
        self._cohorts.tell_all(BeatMessage, text)
        self._look()

    def _take_news(self, news: RoomNews) -> None:
        feed = self._feeds.get(news.room)
        if feed is None:
            return
        is_whole = news.expected is None or feed.expect(news.expected)
        feed.lack(news.trouble)
        if news.profile and news.profile != feed.profile:
            feed.profile = news.profile
            for spelling in feed.spellings:
                key, text = (news.room, spelling), respell(news.profile, news.room, spelling)
                for subscriber in self._routes.of(key):
                    subscriber.describe(key, text)
                self._cohorts.describe(key, text)
        if is_whole:
            self._decide(feed, Limits.of_site())

    def _look(self) -> None:
        limits = Limits.of_site()
        self._path.look(self._monotonic(), limits.offline_after)
        for feed in self._feeds.values():
            self._decide(feed, limits)

    def _decide(self, feed: Feed, limits: Limits) -> None:
        state = self._state_of(feed, limits)
        if state != (feed.state, feed.reason, feed.until):
            feed.state, feed.reason, feed.until = state
            for spelling in feed.spellings:
                self._cohorts.tell((feed.room, spelling), feed.state_text(spelling))

    def _state_of(self, feed: Feed, limits: Limits) -> tuple[State, str, int | None]:
        at, now = self._clock(), self._monotonic()
        return self._path.state_of(feed, at=at, now=now, limits=limits)


def _send_price(subscribers: Iterable[Subscriber], key: Hashable, update: Update) -> None:
    send_to_all(subscribers, update.text, lambda one: one.put(key, update))


def _send_frame(subscribers: Iterable[Subscriber], frame: str) -> None:
    send_to_all(subscribers, frame, lambda one: one.send(frame))
