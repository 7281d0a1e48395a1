"""From the vendor to the site: upstream → snapshots → bus, and demand the other way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from .backoff import doubling
from .bus import DEMAND, Beat, Bus, Call, RoomNews
from .conf import conf
from .demand import Demand
from .exceptions import RecordingError
from .mailbox import Mailbox
from .messages import Price, ProfileUpdate
from .metrics import count
from .protocol import serialise
from .recording import Recorder
from .rooms import Room
from .snapshots import Snapshot, digits_for
from .store import LastBeat, LastValue, Store
from .tasks import together
from .updates import Update
from .upstream import Arrival, Status, UpstreamClient

__all__ = ["Stream", "StreamStatus"]

logger = logging.getLogger(__name__)

#: Hubs repeat their rooms every 5 s; three lost announcements end a room's demand.
DEMAND_TTL_SECONDS = 15

#: How often wanted rooms follow demand, in seconds.
LOOK_SECONDS = 1
BEAT_SECONDS = 3

#: Dirty rooms go to the store this often, and every room that often.
SAVE_SECONDS = 1
SAVE_ALL_SECONDS = 30

#: The pauses after sick channel layers were thrown away, first and longest.
RENEW_SECONDS = 1
RENEW_MAX_SECONDS = 5


@dataclass(frozen=True)
class StreamStatus:
    """What a person at the terminal wants to know."""

    online: bool
    reason: str
    wanted: int
    joined: int
    updates: int
    """Price frames taken in since the start."""
    last_at: float | None
    """When the last of them came in, unix seconds."""


@dataclass
class _Feed:
    snapshot: Snapshot
    update: Update | None = None
    profile: str = ""


class Stream:
    """The one process of a site that talks to the vendor.

    Args:
        client: The upstream; the stream sets what it wants.
        store: Where last values are kept for templates.
        rooms: Rooms joined whether or not anybody watches.
        recorder: Where every frame is written that comes in.
        clock, monotonic: For tests.

    ``run`` ends only by cancellation or ``KeyRefused``; a sick channel layer is
    renewed.
    """

    def __init__(
        self,
        client: UpstreamClient,
        store: Store,
        *,
        rooms: Iterable[Room] = (),
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._store = store
        self._rooms = tuple(rooms)
        self._recorder = recorder
        self._clock = clock
        self._monotonic = monotonic
        self._demand = Demand(ttl=DEMAND_TTL_SECONDS, linger=conf.FCS_LINGER_SECONDS)
        self._epoch = int(clock() * 1000)
        self._seq: dict[Room, int] = {}
        self._feeds: dict[Room, _Feed] = {}
        self._outbox: Mailbox[Room] = Mailbox()
        self._news: dict[Room, None] = {}
        self._dirty: dict[Room, None] = {}
        self._ready = asyncio.Event()
        self._changed = asyncio.Event()
        self._online, self._reason, self._public = False, "not connected yet", ""
        # Until the first attempt has ended nothing is known that hubs could be told.
        self._is_decided = False
        self._updates = 0
        self._last_at: float | None = None
        self._want()

    @property
    def status(self) -> StreamStatus:
        """How things stand."""
        return StreamStatus(
            online=self._online,
            reason=self._reason,
            wanted=len(self._client.wanted),
            joined=len(self._client.joined),
            updates=self._updates,
            last_at=self._last_at,
        )

    async def run(self) -> None:
        """Stream until cancelled."""
        await together(self._read(), self._serve(), self._save())

    async def _read(self) -> None:
        """Take in what the vendor sends; waits for nothing else."""
        async with aclosing(self._client.events()) as events:
            async for event in events:
                if isinstance(event, Status):
                    self._online, self._reason = event.online, event.reason
                    self._public = event.public
                    self._is_decided = True
                    self._changed.set()
                else:
                    self._take(event)

    def _take(self, arrival: Arrival) -> None:
        self._record(arrival)
        for room, news in arrival.news:
            feed = self._feeds.get(room)
            if feed is None:
                digits = digits_for(room.symbol, conf.FCS_DIGITS)
                feed = self._feeds[room] = _Feed(Snapshot(room, digits=digits))
            closed = feed.snapshot.closed
            if isinstance(news, ProfileUpdate):
                self._describe(room, feed, news)
            else:
                self._merge(room, feed, news, arrival.at)
            if feed.snapshot.closed != closed:
                self._spread(room)

    def _record(self, arrival: Arrival) -> None:
        """Write the frame; a disk that is full must not end the prices."""
        if self._recorder is None:
            return
        try:
            self._recorder.write(arrival.at, arrival.text)
        except RecordingError as error:
            logger.error("recording ended, streaming goes on reason=%s", error)
            self._recorder = None

    def _describe(self, room: Room, feed: _Feed, profile: ProfileUpdate) -> None:
        feed.snapshot.describe(profile.profile)
        canonical = ProfileUpdate(
            symbol=room.symbol, timeframe=room.timeframe, profile=profile.profile
        )
        feed.profile = serialise(canonical)
        self._spread(room)

    def _merge(self, room: Room, feed: _Feed, price: Price, at: float) -> None:
        self._updates += 1
        self._last_at = at
        if not feed.snapshot.merge(price):
            count("stream_late")
            return
        seq = self._seq[room] = self._seq.get(room, self._epoch * 1000 - 1) + 1
        mode = "askbid" if price.mode == "askbid" else "candle"
        text = feed.snapshot.price(mode, seq=seq, at=at)
        feed.update = Update.encode(room, text, epoch=self._epoch)
        self._outbox.put(room, feed.update)
        self._dirty[room] = None
        self._ready.set()

    def _spread(self, room: Room) -> None:
        """Let hubs know what changed of a room beside its price."""
        self._news[room] = None
        self._dirty[room] = None
        self._ready.set()

    def _repeat(self, rooms: Iterable[Room]) -> None:
        """Publish again what is known, each price with the seq it had."""
        for room in rooms:
            feed = self._feeds.get(room)
            if feed and feed.update:
                self._outbox.put(room, feed.update)
            if feed and (feed.profile or feed.snapshot.closed):
                self._news[room] = None
        self._ready.set()

    async def _serve(self) -> None:
        """Speak with the hubs; a sick channel layer is thrown away whole and renewed."""
        pauses = doubling(first=RENEW_SECONDS, cap=RENEW_MAX_SECONDS)
        while True:
            try:
                async with Bus(DEMAND) as bus:
                    pauses = doubling(first=RENEW_SECONDS, cap=RENEW_MAX_SECONDS)
                    self._repeat(list(self._feeds))
                    await together(self._publish(bus), self._listen(bus), self._tend(bus))
            except Exception as error:
                count("stream_renewals")
                logger.warning("channel layer failed, renewing reason=%r", error)
                await asyncio.sleep(next(pauses))

    async def _publish(self, bus: Bus) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            news, self._news = self._news, {}
            for room in news:
                feed = self._feeds.get(room)
                if feed:
                    await bus.tell(RoomNews(room, feed.profile, feed.snapshot.closed))
            await bus.publish(update for _, update in self._outbox.take())

    async def _listen(self, bus: Bus) -> None:
        async for event in bus.events():
            if isinstance(event, Call):
                self._demand.announce(event.hub, event.rooms, self._monotonic())
                self._want()
                self._repeat(event.new)

    async def _tend(self, bus: Bus) -> None:
        """Beat, and let what is wanted follow the clock: demand runs out silently."""
        beat_at = self._monotonic()
        while True:
            changed = self._changed.is_set()
            self._changed.clear()
            if self._is_decided and (changed or self._monotonic() >= beat_at):
                beat_at = self._monotonic() + BEAT_SECONDS
                await bus.beat(Beat(self._epoch, self._clock(), self._online, self._public))
                await bus.subscribe(())
            self._want()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)

    def _want(self) -> None:
        """Ask for the site's own rooms first, then for those watched longest."""
        demanded = self._demand.rooms(self._monotonic())
        rooms = list(dict.fromkeys([*self._rooms, *demanded]))
        over = len(rooms) - conf.FCS_MAX_ROOMS
        if over > 0 and count("stream_rooms_over_limit"):
            logger.warning("FCS_MAX_ROOMS is reached, rooms wait for others to end rooms=%d", over)
        wanted = rooms[: conf.FCS_MAX_ROOMS]
        if self._client.wanted != frozenset(wanted):
            self._client.want(wanted)
            for room in self._feeds.keys() - set(wanted):
                del self._feeds[room]

    async def _save(self) -> None:
        """Keep last values, the dirty ones often and all now and then, and at the end."""
        all_at = self._monotonic()
        try:
            while True:
                if self._monotonic() >= all_at:
                    all_at = self._monotonic() + SAVE_ALL_SECONDS
                    self._dirty = dict.fromkeys(self._feeds)
                await self._save_dirty(self._online, self._public)
                await asyncio.sleep(SAVE_SECONDS)
        finally:
            await self._save_dirty(online=False, reason="the stream has ended")

    async def _save_dirty(self, online: bool, reason: str) -> None:
        dirty, self._dirty = self._dirty, {}
        beat = LastBeat(self._clock(), online, reason)
        await self._store.asave(dict(self._values(dirty)), beat)

    def _values(self, rooms: Iterable[Room]) -> Iterator[tuple[Room, LastValue]]:
        for room in rooms:
            feed = self._feeds.get(room)
            if feed and feed.update:
                yield room, LastValue(feed.update.text, feed.snapshot.closed)
