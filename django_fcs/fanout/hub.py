"""Fan-out in one process: one member of the channel layer for any number of browsers.

Calls to join and leave rooms do not wait. The hub's own task then updates the groups,
announces the rooms to the stream, and passes on what it receives.
"""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import ClassVar

from django_fcs.candles import aget_candles
from django_fcs.conf import conf
from django_fcs.layer.bus import Bus, on_the_layer
from django_fcs.layer.events import HUBS, AskAgain, Beat, CandleNote, GroupEvent, RoomNotice
from django_fcs.prices.store import Store
from django_fcs.prices.updates import Update
from django_fcs.protocol import Heartbeat, serialise
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.tools.clocks import since_boot
from django_fcs.tools.metrics import shown
from django_fcs.tools.tasks import end, together

from .candles import CandleDesk
from .cohorts import Cohorts
from .figures import Lags, hub_figures
from .flow import STEADY, Flow
from .hearing import Hearing
from .mailbox import newest_of
from .needs import Needs
from .ready import ReadyQueue
from .requests import Requests
from .routes import Key, Reader, Routes
from .sending import send_frame, send_price
from .servers import Send, server_takes_everything
from .subscriber import Subscriber
from .watched import Watched, WatchedRoom

__all__ = ["Hub"]

#: How long a hub without browsers keeps working, so that a page change does not rebuild it.
IDLE_SECONDS = 30


class Hub:
    """The rooms and browsers of one event loop.

    ``async with Hub.of_this_loop(store).entered(send, …) as subscriber`` enters the
    loop's one hub. It works from when the first browser enters until ``IDLE_SECONDS``
    after the last has left.
    """

    _hubs: ClassVar[dict[asyncio.AbstractEventLoop, Hub]] = {}

    def __init__(
        self,
        store: Store,
        *,
        idle: float = IDLE_SECONDS,
        intervals: Intervals = DEFAULT,
        flow: Flow = STEADY,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = since_boot,
    ) -> None:
        self._store = store
        self._idle = idle
        self._flow = flow
        self._clock = clock
        self._monotonic = monotonic
        self._subscribers: dict[Subscriber, None] = {}
        self._ready: ReadyQueue[Subscriber] = ReadyQueue()
        self._routes: Routes[Subscriber] = Routes()
        """The browsers that get prices one by one; the others are in the cohorts."""
        self._lags = Lags(clock)
        self._cohorts: Cohorts[Subscriber] = Cohorts()
        self._wakes_at = math.inf
        self._idle_since = monotonic()
        self._intervals = intervals
        self._watched = Watched(clock=self._stream_time, monotonic=monotonic)
        self._hearing = Hearing(intervals)
        self._needs = Needs(uuid.uuid4().hex, intervals=intervals, monotonic=monotonic)
        self._task: asyncio.Task[None] | None = None
        self.requests = Requests()
        """Requests to ask for permissions again. The hub itself does not ask."""
        self.candles = CandleDesk(aget_candles, monotonic=monotonic)
        """Requests of browsers for candles of rooms that they have joined."""

    @classmethod
    def of_this_loop(cls, store: Store) -> Hub:
        """Return the one hub of the running loop."""
        loop = asyncio.get_running_loop()
        hub = cls._hubs.get(loop)
        if hub is None:
            # A weak dictionary would keep hubs for ever: a hub's task refers to the loop, its key.
            cls._hubs = {other: it for other, it in cls._hubs.items() if not other.is_closed()}
            hub = cls._hubs[loop] = cls(store)
        return hub

    @asynccontextmanager
    async def entered(
        self, send: Send, *, merge: bool, rate: float, address: str = ""
    ) -> AsyncIterator[Subscriber]:
        """Let a browser join rooms; it leaves them at the end.

        ``send`` is the server's. ``merge`` says that the browser speaks the merge protocol,
        at ``rate`` frames a second.
        """
        async with Subscriber(
            send,
            self._ready,
            merge=merge,
            address=address,
            must_answer=server_takes_everything(),
            flow=self._flow,
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
            # An idle hub receives no heartbeats.
            self._watched.listen()
            self._task = asyncio.create_task(self._run())

    def _exit(self, subscriber: Subscriber) -> None:
        if subscriber.merge:
            self._cohorts.exit(subscriber)
        for key in subscriber.joined:
            self._routes.discard(key, subscriber)
            self._release(key, subscriber)
        subscriber.joined.clear()
        del self._subscribers[subscriber]
        self._idle_since = self._monotonic()

    async def aclose(self) -> None:
        """Stop at once; for tests, and for a server that stops."""
        if self._task is not None:
            await end(self._task)

    def sockets_from(self, address: str) -> int:
        """Count the browsers of one network address."""
        return sum(subscriber.address == address for subscriber in self._subscribers)

    def set_rate(self, subscriber: Subscriber, rate: float) -> None:
        """Send a browser on the merge protocol at most ``rate`` frames a second."""
        self._cohorts.set_rate(subscriber, rate)
        self._ready.wake()

    def join(self, subscriber: Subscriber, room: Room, spelling: str) -> None:
        """Send a room to a browser from now on, beginning with what is already known."""
        key = Key(room, spelling)
        watched = self._watched.get(room)
        if watched is None:
            self._hearing.add(room)
        if watched is None or key not in subscriber.joined:
            watched = self._watched.join(key)
            subscriber.joined[key] = None
            self._needs.add(room, subscriber.address)
        reader = self._reader(subscriber, key)
        if watched.profile:
            reader.describe(key, watched.profile_text(key))
        if watched.update:
            reader.put(key, watched.update.spelled(spelling))
        if watched.claim:
            reader.tell(key, watched.state_text(key))
        self._ready.wake()

    def _reader(self, subscriber: Subscriber, key: Key) -> Reader:
        """Add a room to a browser and return its reader; its next price will be an initial."""
        if subscriber.merge:
            return self._cohorts.join(subscriber, key)
        subscriber.expect(key)
        self._routes.add(key, subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber, room: Room, spelling: str) -> None:
        """Stop sending a room to a browser; does nothing if it never joined."""
        key = Key(room, spelling)
        if key not in subscriber.joined:
            return
        del subscriber.joined[key]
        subscriber.forget(key)
        if subscriber.merge:
            self._cohorts.leave(subscriber, key)
        else:
            self._routes.discard(key, subscriber)
        self._release(key, subscriber)

    def _release(self, key: Key, subscriber: Subscriber) -> None:
        self.candles.forget(subscriber, key)
        self._needs.discard(key.room, subscriber.address)
        if self._watched.leave(key):
            self._hearing.discard(key.room)

    async def _run(self) -> None:
        """Work until idle. A browser may enter while the work is being stopped."""
        with shown(self._figures):
            while not self._is_idle():
                await together(self._follow(), self._deliver(), self._watch())

    def _figures(self) -> dict[str, float]:
        online = self._watched.is_online()
        return hub_figures(self._subscribers, self._cohorts, self._watched, online)

    async def _follow(self) -> None:
        await on_the_layer(
            HUBS, self._listen, counter="hub_layer_reconnects", intervals=self._intervals
        )

    async def _listen(self, bus: Bus) -> bool:
        """Pass on what the stream sends, until something is missing."""
        self._hearing.begin(self._monotonic())
        self._needs.ask_for_all()
        await together(
            self._receive(bus),
            self._announce(bus),
            self.candles.serve(bus, self._intervals.look),
        )
        return False

    async def _deliver(self) -> None:
        """Send what had to wait for its turn, for the server, or for the browser."""
        while True:
            for subscriber in self._ready.take():
                subscriber.flush()
                if subscriber.merge and subscriber.is_open and subscriber in self._subscribers:
                    self._cohorts.ready(subscriber)
            self._flush()
            self._wakes_at = self._cohorts.next_due()
            await self._ready.wait(max(0.0, self._wakes_at - self._monotonic()))

    async def _watch(self) -> None:
        """Update states and check for slow browsers as time passes, until idle."""
        while not self._is_idle():
            self._tell_states(self._watched.look())
            now, slow_after = self._monotonic(), conf.FCS_SLOW_CLIENT_SECONDS
            for subscriber in self._subscribers:
                subscriber.look(now, slow_after)
            self._cohorts.settle()
            self._send_due()
            await asyncio.sleep(self._intervals.look)

    def _send_due(self) -> None:
        self._lags.burst_ended(is_seen=len(self._subscribers) > self._cohorts.members)
        self._flush()
        if self._cohorts.next_due() < self._wakes_at:
            self._ready.wake()

    def _flush(self) -> None:
        """Send the frames that are due."""
        for run in self._cohorts.flush(self._monotonic()):
            for members, frame in run.frames:
                send_frame(members, frame)
            if run.first_at is not None:
                self._lags.frame_went(run.first_at)

    def _is_idle(self) -> bool:
        return not self._subscribers and self._monotonic() - self._idle_since >= self._idle

    async def _announce(self, bus: Bus) -> None:
        """Update groups and demand when rooms are joined or left, until something is missing."""
        async with aclosing(self._needs.turns(bus)) as turns:
            async for asked in turns:
                self._hearing.follow(asked)
                await self._restore(asked)
                if self._hearing.trouble(self._monotonic()):
                    return

    async def _restore(self, rooms: list[Room]) -> None:
        """Show the stored price of rooms for which the stream has sent none yet."""
        missing = self._watched.without_price(rooms)
        if not missing:
            return
        values, report = await self._store.aload(missing)
        for watched, is_changed in self._watched.restore(missing, values, report):
            if watched.update:
                self._hand_on(watched)
            if is_changed:
                self._tell_states([watched])
        self._send_due()

    async def _receive(self, bus: Bus) -> None:
        is_behind = False
        async for burst in bus.bursts():
            began = self._monotonic()
            if self._hearing.is_late(began):
                return
            if self._hearing.note(burst, began):
                self._needs.wake()
            await self._apply_all(newest_of(burst) if is_behind else burst)
            self._send_due()
            is_behind = self._monotonic() - began > self._flow.behind

    async def _apply_all(self, burst: list[GroupEvent]) -> None:
        turn_at = self._monotonic() + self._flow.turn
        for event in burst:
            if isinstance(event, Update):
                self._apply_update(event)
            elif isinstance(event, Beat):
                self._apply_beat(event)
            elif isinstance(event, RoomNotice):
                self._apply_notice(event)
            elif isinstance(event, AskAgain):
                self.requests.put(event)
            elif isinstance(event, CandleNote):
                self.candles.note(event)
            if self._monotonic() > turn_at:
                await asyncio.sleep(0)
                turn_at = self._monotonic() + self._flow.turn

    def _apply_update(self, update: Update) -> None:
        watched = self._watched.newer(update)
        if watched is None:
            return
        if watched.update and self._lags.at is None:
            self._lags.at = update.at
        is_changed = self._watched.apply(update, watched)
        self._hand_on(watched)
        if is_changed:
            self._tell_states([watched])

    def _hand_on(self, watched: WatchedRoom) -> None:
        """Send a room's price to all browsers that joined it."""
        update = watched.update
        assert update is not None
        for key in watched.keys:
            spelled = update.spelled(key.spelling)
            if subscribers := self._routes.of(key):
                send_price(subscribers, key, spelled)
            self._cohorts.put(key, spelled)

    def _stream_time(self) -> float:
        return self._clock() - self._store.offset.seconds

    def _apply_beat(self, beat: Beat) -> None:
        self._store.offset.note_heartbeat(beat.path.at, self._clock())
        heard = self._watched.apply_beat(beat)
        if heard is None:
            return
        if heard.restarts:
            self._hearing.restart()
        if heard.may_lack:
            self._needs.ask_for_all()
            self.candles.wish_again()
        self.candles.hear()
        text = serialise(Heartbeat(timestamp=int(beat.path.at * 1000)))
        self._cohorts.tell_all(Heartbeat, text)
        self._tell_states(self._watched.look())

    def _apply_notice(self, notice: RoomNotice) -> None:
        noticed = self._watched.apply_notice(notice)
        if noticed is None:
            return
        if noticed.has_profile:
            for key in noticed.watched.keys:
                text = noticed.watched.profile_text(key)
                for subscriber in self._routes.of(key):
                    subscriber.describe(key, text)
                self._cohorts.describe(key, text)
        if noticed.changes_state:
            self._tell_states([noticed.watched])

    def _tell_states(self, rooms: Iterable[WatchedRoom]) -> None:
        for watched in rooms:
            for key in watched.keys:
                self._cohorts.tell(key, watched.state_text(key))
