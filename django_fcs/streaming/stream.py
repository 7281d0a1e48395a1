"""From the vendor to the site: upstream → snapshots → bus, and demand the other way.

Of all streams of a site one leads, the others stand by: they hear which rooms are wanted,
hold no connection to the vendor and say nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from typing import TypeVar

from django_fcs.conf import conf
from django_fcs.exceptions import RecordingError
from django_fcs.layer.bus import Bus, on_the_layer
from django_fcs.layer.events import DEMAND, Beat, Call
from django_fcs.prices.reports import Pace, Report, StreamStatus
from django_fcs.prices.sessions import Markets
from django_fcs.prices.states import Outage
from django_fcs.prices.store import LastBeat, LastValue, Store
from django_fcs.protocol import ProfileUpdate
from django_fcs.recording import Recorder
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.metrics import count, counts, shown
from django_fcs.tools.tasks import together
from django_fcs.upstream import Arrival, Status, UpstreamClient

from .calendars import read_calendars
from .demand import Demand
from .figures import measure_feed, stream_figures
from .lease import Alone, Lease
from .standing import Standing
from .streamed import Streamed
from .watchdog import Watchdog

__all__ = ["Stream"]

logger = logging.getLogger(__name__)

#: Hubs repeat their rooms every 5 s; three lost announcements end a room's demand.
DEMAND_TTL_SECONDS = 15

#: How often wanted rooms follow demand, in seconds.
LOOK_SECONDS = 1
BEAT_SECONDS = 3

#: Prices that come within this long of a burst wait for the next one.
BURST_SECONDS = 0.02

#: After a publish that took long it rests for as long, but no longer than this.
REST_SECONDS = 1

#: Dirty rooms go to the store this often, and every room that often.
SAVE_SECONDS = 1
SAVE_ALL_SECONDS = 30

_ENDED = "the stream has ended"

T = TypeVar("T")


class Stream:
    """The one process of a site that talks to the vendor.

    Args:
        client: The upstream; the stream sets what it wants.
        store: Where last values are kept for templates.
        rooms: Rooms joined whether or not anybody watches.
        lease: By which it leads; without one it always does.
        recorder: Where every frame is written that comes in.
        markets: The hours of all symbols.
        clock, monotonic, sleep: For tests.

    ``run`` ends only by cancellation, ``KeyRefused`` or when it is asked to leave; a sick
    channel layer is renewed.
    """

    def __init__(
        self,
        client: UpstreamClient,
        store: Store,
        *,
        rooms: Iterable[Room] = (),
        lease: Lease | None = None,
        recorder: Recorder | None = None,
        markets: Markets | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._store = store
        self._rooms = tuple(rooms)
        self._recorder = recorder
        self._markets = markets or Markets()
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._demand = Demand(ttl=DEMAND_TTL_SECONDS, linger=conf.FCS_LINGER_SECONDS)
        self._lease = lease or Alone(clock)
        self._leave = asyncio.Event()
        self._has_read = asyncio.Event()
        self._has_left = asyncio.Event()
        self._ready = Bell()
        self._changed = Bell()
        self._to_save = Bell()
        self._stand_by()
        self._updates = 0
        self._last_at: float | None = None
        self._pace = Pace()
        self._want()

    @property
    def status(self) -> StreamStatus:
        """How things stand."""
        return StreamStatus(
            is_leader=self.is_leader,
            online=self._standing.online,
            reason=self._standing.reason if self.is_leader else self._lease.trouble,
            wanted=len(self._client.wanted),
            joined=len(self._client.joined),
            updates=self._updates,
            last_at=self._last_at,
        )

    @property
    def is_leader(self) -> bool:
        """Whether it may speak, by its own clock."""
        return self._has_begun and self._lease.is_held

    async def run(self, leave: asyncio.Event | None = None) -> None:
        """Stream until cancelled, or until ``leave`` is set: then leave well and return."""
        self._leave = leave or self._leave
        with shown(lambda: stream_figures(self.status)):
            await together(
                self._lead(),
                self._serve(),
                read_calendars(self._markets, lambda: self._client.wanted, self._clock),
            )

    async def _lead(self) -> None:
        """Lead whenever it is this process's turn, until it has to leave."""
        while not self._leave.is_set():
            await together(self._begin(), self._leave.wait())
            if self._has_begun:
                await self._go_on()
        # What was taken in is now published, and the lease given back behind it.
        self._has_read.set()
        self._ready.ring()
        await self._has_left.wait()

    async def _begin(self) -> None:
        self._epoch = await self._lease.acquire()
        _, last = await self._store.aload([])
        if last is not None:
            heard_at = last.at - last.silence
            self._standing = Standing.after(last.outage, online=last.online, heard_at=heard_at)
        self._streamed = Streamed(epoch=self._epoch, markets=self._markets)
        self._has_begun = True
        logger.info("leading epoch=%d", self._epoch)

    async def _go_on(self) -> None:
        """Stream until the lease is lost or the process leaves; no connection outlives it."""
        epoch = self._epoch
        try:
            await together(
                self._read(),
                self._save(),
                self._watch(),
                self._hold(),
                self._leave.wait(),
            )
        finally:
            self._client.cut()
            if not self._leave.is_set():
                self._standing.take(False, _ENDED, _ENDED, self._heard_at())
                await self._save_dirty()
                self._stand_by()
        await self._save_dirty()
        if not self._lease.is_held:
            count("stream_leases_lost")
            logger.warning("lease lost, connection cut epoch=%d", epoch)

    def _stand_by(self) -> None:
        """Know nothing: neither of prices nor of the vendor."""
        self._has_begun = False
        self._epoch, self._streamed = 0, Streamed(epoch=0, markets=self._markets)
        self._watchdog = Watchdog()
        self._standing = Standing()

    def _heard_at(self) -> float:
        return self._clock() - self._client.silence

    def _told(self) -> tuple[float, bool, str, Outage, float]:
        return self._standing.told(self._clock(), self._client.silence)

    async def _hold(self) -> None:
        """Keep the lease; without it the connection goes before anything else is done."""
        await self._lease.keep()
        self._client.cut()

    def _while_leading(self, things: Iterable[T]) -> Iterator[T]:
        """Hand things on; a process that was paused in the middle of it stops there."""
        for thing in things:
            if not self._lease.is_held:
                return
            yield thing

    async def _read(self) -> None:
        """Take in what the vendor sends; waits for nothing else."""
        async with aclosing(self._client.batches()) as batches:
            async for batch in batches:
                if not self._lease.is_held:
                    self._client.cut()
                    return
                before = self._updates
                for event in batch:
                    if isinstance(event, Status):
                        told = (event.online, event.reason, event.public)
                        self._standing.take(*told, self._heard_at())
                        self._watchdog.begin(self._monotonic())
                        self._changed.ring()
                        self._to_save.ring()
                    else:
                        self._take(event)
                count("stream_updates", self._updates - before)
                measure_feed(batch[-1])
                if self._streamed.is_due:
                    self._ready.ring()

    def _take(self, arrival: Arrival) -> None:
        if self._recorder is not None:
            self._record(self._recorder, arrival)
        for room, news in arrival.news:
            if isinstance(news, ProfileUpdate):
                self._streamed.describe(room, news, arrival.at)
                continue
            self._updates += 1
            self._last_at = arrival.at
            if not self._streamed.merge(room, news, arrival.at):
                count("stream_late")

    def _record(self, recorder: Recorder, arrival: Arrival) -> None:
        """Write the frame; a disk that is full must not end the prices."""
        try:
            recorder.write(arrival.at, arrival.text)
        except RecordingError as error:
            logger.error("recording ended, streaming goes on reason=%s", error)
            self._recorder = None

    def _repeat(self, rooms: Iterable[Room]) -> None:
        self._streamed.repeat(rooms)
        self._ready.ring()

    async def _serve(self) -> None:
        await on_the_layer(DEMAND, self._speak, counter="stream_renewals")
        self._has_left.set()

    async def _speak(self, bus: Bus) -> bool:
        """Speak with the hubs, until all is said."""
        self._repeat(list(self._streamed))
        await together(self._publish(bus), self._listen(bus), self._tend(bus))
        await self._say_goodbye(bus)
        return True

    async def _publish(self, bus: Bus) -> None:
        """Publish at once after a pause, else in bursts: a wake-up costs a hub more.

        Where publishing takes long it rests as well, so that reading keeps up. Ends once
        nothing more is read and all has gone out.
        """
        due = self._monotonic()
        while not self._has_read.is_set() or (self._streamed.is_due and self._lease.is_held):
            await self._ready.heard()
            pause = due - self._monotonic()
            if pause > 0:
                await self._sleep(pause)
            self._ready.clear()
            began = self._monotonic()
            await bus.tell(*self._while_leading(self._streamed.take_news()))
            await bus.publish(self._while_leading(self._streamed.take_updates()))
            ended = self._monotonic()
            due = max(began + BURST_SECONDS, ended + min(ended - began, REST_SECONDS))

    async def _say_goodbye(self, bus: Bus) -> None:
        """Give the lease back; where nobody waits for it, let pages say at once that all ends.

        Else a successor speaks within moments, and pages need not notice.
        """
        led = self.is_leader
        if not await self._lease.release() and led:
            self._standing.take(False, _ENDED, _ENDED, self._heard_at())
            told = self._told()
            await bus.beat(Beat(self._epoch, *told))
            await self._store.asave({}, LastBeat(*told))

    async def _listen(self, bus: Bus) -> None:
        async for burst in bus.bursts():
            for event in burst:
                if isinstance(event, Call):
                    self._demand.announce(event.hub, event.rooms, self._monotonic())
                    self._want()
                    self._repeat(event.new)

    async def _tend(self, bus: Bus) -> None:
        """Beat, and let what is wanted follow the clock: demand runs out silently."""
        beat_at = self._monotonic()
        changed = await self._changed.heard(0)
        while True:
            if changed or self._monotonic() >= beat_at:
                beat_at = self._monotonic() + BEAT_SECONDS
                if self._standing.is_decided and self.is_leader:
                    await bus.beat(Beat(self._epoch, *self._told()))
                if self._has_begun == self._lease.is_held:
                    # Who was paused and leads no more first lets go of the vendor.
                    await bus.subscribe(())
            self._want()
            changed = await self._changed.heard(LOOK_SECONDS)

    async def _watch(self) -> None:
        """Let what is expected of rooms follow the clock, and cure what is mute."""
        while True:
            mute = self._streamed.look(self._client.joined, self._clock())
            if self._streamed.is_due:
                self._ready.ring()
            if self._standing.online:
                self._cure(mute)
            await asyncio.sleep(LOOK_SECONDS)

    def _cure(self, mute: set[Room]) -> None:
        cure = self._watchdog.look(
            mute,
            wanted=self._client.wanted,
            ticks=self._streamed.ticks,
            floor=conf.FCS_STALE_AFTER_SECONDS,
            now=self._monotonic(),
        )
        if cure.rejoin:
            count("upstream_rejoins", len(cure.rejoin))
            first = cure.rejoin[0]
            logger.warning("mute, joined again rooms=%d first=%s", len(cure.rejoin), first)
            self._client.rejoin(cure.rejoin)
        if cure.reconnect:
            count("upstream_mute")
            self._client.reconnect(f"no price came though {len(mute)} rooms were due one")

    def _want(self) -> None:
        """Let what is asked of the vendor follow demand, and tell who waits in vain."""
        self._demand.learn(joined=self._client.joined, unconfirmed=self._client.unconfirmed)
        limit, now = conf.FCS_MAX_ROOMS, self._monotonic()
        wanted, unserved = self._demand.choose(self._rooms, limit=limit, now=now)
        if self.is_leader:
            self._streamed.lack(unserved, wanted)
        if self._client.wanted != frozenset(wanted):
            self._client.want(wanted)
            self._streamed.forget(set(self._streamed) - set(wanted))

    async def _save(self) -> None:
        """Keep last values, the dirty ones often and all now and then.

        How the way to the vendor stands is kept at once: whoever takes over goes by it.
        """
        all_at = self._monotonic()
        while True:
            if self._monotonic() >= all_at:
                all_at = self._monotonic() + SAVE_ALL_SECONDS
                self._streamed.touch()
            await self._save_dirty()
            await self._to_save.heard(SAVE_SECONDS)

    async def _save_dirty(self) -> None:
        """Keep what changed; not what a leader of before knows, a successor knows better.

        Nor before the first attempt has ended: until then the last word is that of who led before.
        """
        if not self._lease.is_held or not self._standing.is_decided:
            return
        streamed = self._streamed
        values = list(streamed.take_values())
        texts = {room: LastValue(text, expected) for room, text, expected in values}
        if await self._store.asave(texts, LastBeat(*self._told()), self._report()):
            streamed.were_kept(values)

    def _report(self) -> Report:
        return Report(
            at=self._clock(),
            epoch=self._epoch,
            rooms=tuple(sorted(map(str, self._client.wanted))),
            joined=len(self._client.joined),
            updates_per_second=self._pace.take(self._updates, self._monotonic()),
            last_at=self._last_at,
            leader=self.is_leader,
            counts=counts(),
        )
