"""From the vendor to the site: upstream → snapshots → bus, and demand the other way.

Of all streams of a site one leads and the others stand by. Standbys hear which rooms are
wanted, hold no connection to the vendor and send nothing.
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
from django_fcs.layer.events import DEMAND, Announcement
from django_fcs.prices.reports import GrowthRate, Report, StreamStatus
from django_fcs.prices.sessions import Markets
from django_fcs.prices.store import LastValue, Store
from django_fcs.protocol.intervals import DEFAULT, Intervals
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
from .term import Term

__all__ = ["Stream"]

logger = logging.getLogger(__name__)

#: Prices that come within this long of a burst wait for the next one.
BURST_SECONDS = 0.02

#: After a publish that took long it rests for as long, but no longer than this.
REST_SECONDS = 1

#: How often every room is saved, whether or not it changed.
SAVE_ALL_SECONDS = 30

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
        intervals: What stream and hubs count on.
        clock, monotonic, sleep: For tests.

    ``run`` ends only by cancellation, ``KeyRefused`` or when it is asked to leave. After a
    failure of the channel layer it reconnects.
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
        intervals: Intervals = DEFAULT,
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
        self._intervals = intervals
        self._demand = Demand(ttl=intervals.demand_ttl, linger=conf.FCS_LINGER_SECONDS)
        self._lease = lease or Alone(clock)
        self._leave = asyncio.Event()
        self._has_read = asyncio.Event()
        self._has_left = asyncio.Event()
        self._ready = Bell()
        self._changed = Bell()
        self._to_save = Bell()
        self._term: Term | None = None
        """While it leads, and until a leader that lost its lease has let go of everything."""
        self._updates = 0
        self._last_at: float | None = None
        self._rate = GrowthRate()
        self._want()

    @property
    def status(self) -> StreamStatus:
        """How things stand."""
        standing = self._term.standing if self._term else None
        return StreamStatus(
            is_leader=self.is_leader,
            online=bool(standing and standing.online),
            reason=standing.reason if standing and self.is_leader else self._lease.trouble,
            wanted=len(self._client.wanted),
            joined=len(self._client.joined),
            updates=self._updates,
            last_at=self._last_at,
        )

    @property
    def is_leader(self) -> bool:
        """Whether it may speak, by its own clock."""
        return self._term is not None and self._lease.is_held

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
            if self._term is not None:
                await self._go_on(self._term)
        # What was taken in is published now, and then the lease is given back.
        self._has_read.set()
        self._ready.ring()
        await self._has_left.wait()

    async def _begin(self) -> None:
        epoch = await self._lease.acquire()
        _, before = await self._store.aload([])
        self._term = Term(epoch, markets=self._markets, before=before)
        logger.info("leading epoch=%d", epoch)

    async def _go_on(self, term: Term) -> None:
        """Stream until the lease is lost or the process leaves; no connection outlives it."""
        try:
            await together(
                self._read(term),
                self._save(term),
                self._watch(term),
                self._hold(),
                self._leave.wait(),
            )
        finally:
            self._client.cut()
            if not self._leave.is_set():
                term.stop(self._heard_at())
                await self._save_changed(term)
                self._term = None
        if self._leave.is_set():
            await self._save_changed(term)
        if not self._lease.is_held:
            count("stream_leases_lost")
            logger.warning("lease lost, disconnected from the vendor epoch=%d", term.epoch)

    def _heard_at(self) -> float:
        return self._clock() - self._client.silence

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

    async def _read(self, term: Term) -> None:
        """Take in what the vendor sends; waits for nothing else."""
        async with aclosing(self._client.batches()) as batches:
            async for batch in batches:
                if not self._lease.is_held:
                    self._client.cut()
                    return
                before = self._updates
                for event in batch:
                    if isinstance(event, Status):
                        term.note(event, heard_at=self._heard_at(), now=self._monotonic())
                        self._changed.ring()
                        self._to_save.ring()
                    else:
                        self._apply(event, term)
                count("stream_updates", self._updates - before)
                measure_feed(batch[-1])
                if term.rooms.is_due:
                    self._ready.ring()

    def _apply(self, arrival: Arrival, term: Term) -> None:
        if self._recorder is not None:
            self._record(self._recorder, arrival)
        if prices := term.apply(arrival):
            self._updates += prices
            self._last_at = arrival.at

    def _record(self, recorder: Recorder, arrival: Arrival) -> None:
        """Write the frame; a disk that is full must not end the prices."""
        try:
            recorder.write(arrival.at, arrival.text)
        except RecordingError as error:
            logger.error("recording stopped, streaming continues reason=%s", error)
            self._recorder = None

    def _repeat(self, rooms: Iterable[Room]) -> None:
        if self._term is not None:
            self._term.rooms.repeat(rooms)
            self._ready.ring()

    async def _serve(self) -> None:
        await on_the_layer(
            DEMAND, self._speak, counter="stream_layer_reconnects", intervals=self._intervals
        )
        self._has_left.set()

    async def _speak(self, bus: Bus) -> bool:
        """Speak with the hubs, until all is said."""
        if self._term is not None:
            self._repeat(list(self._term.rooms))
        await together(self._publish(bus), self._listen(bus), self._follow(bus))
        await self._say_goodbye(bus)
        return True

    async def _publish(self, bus: Bus) -> None:
        """Publish at once after a pause, else in bursts: a wake-up costs a hub more.

        Where publishing takes long it rests as well, so that reading keeps up. Ends once
        nothing more is read and all has gone out.
        """
        due = self._monotonic()
        while not self._has_read.is_set() or self._has_more:
            await self._ready.heard()
            pause = due - self._monotonic()
            if pause > 0:
                await self._sleep(pause)
            self._ready.clear()
            if (term := self._term) is None:
                continue
            began = self._monotonic()
            await bus.tell(*self._while_leading(term.rooms.take_notices()))
            await bus.publish(self._while_leading(term.rooms.take_updates()))
            ended = self._monotonic()
            due = max(began + BURST_SECONDS, ended + min(ended - began, REST_SECONDS))

    @property
    def _has_more(self) -> bool:
        return self._term is not None and self._term.rooms.is_due and self._lease.is_held

    async def _say_goodbye(self, bus: Bus) -> None:
        """Give the lease back; where no standby waits for it, tell pages that prices end.

        A standby takes over within moments, and pages need not notice.
        """
        led = self.is_leader
        if not await self._lease.release() and led and self._term is not None:
            self._term.stop(self._heard_at())
            beat = self._term.beat(self._clock(), self._client.silence)
            await bus.beat(beat)
            await self._store.asave({}, beat.path)

    async def _listen(self, bus: Bus) -> None:
        async for burst in bus.bursts():
            for event in burst:
                if isinstance(event, Announcement):
                    self._demand.announce(event.hub, event.rooms, self._monotonic())
                    self._want()
                    self._repeat(event.new)

    async def _follow(self, bus: Bus) -> None:
        """Send heartbeats, and let what is wanted follow the clock: demand expires silently."""
        beat_at = self._monotonic()
        changed = await self._changed.heard(0)
        while True:
            if changed or self._monotonic() >= beat_at:
                beat_at = self._monotonic() + self._intervals.beat
                await self._beat(bus)
            self._want()
            changed = await self._changed.heard(self._intervals.look)

    async def _beat(self, bus: Bus) -> None:
        term = self._term
        if term is not None and term.standing.is_decided and self.is_leader:
            await bus.beat(term.beat(self._clock(), self._client.silence))
        if (term is not None) == self._lease.is_held:
            # A leader that was paused and lost its lease first disconnects from the vendor.
            await bus.subscribe(())

    async def _watch(self, term: Term) -> None:
        """Let what is expected of rooms follow the clock, and act on silent ones."""
        while True:
            client, now = self._client, self._monotonic()
            remedy = term.look(client.joined, client.wanted, now=self._clock(), monotonic=now)
            if term.rooms.is_due:
                self._ready.ring()
            if remedy.rejoin:
                count("upstream_rejoins", len(remedy.rejoin))
                first = remedy.rejoin[0]
                logger.warning(
                    "silent rooms, rejoining rooms=%d first=%s", len(remedy.rejoin), first
                )
                client.rejoin(remedy.rejoin)
            if remedy.reconnect:
                count("upstream_stalled")
                client.reconnect(f"no price came though {term.silent} rooms were due one")
            await asyncio.sleep(self._intervals.look)

    def _want(self) -> None:
        """Let what is asked of the vendor follow demand, and note the rooms that get none."""
        self._demand.learn(joined=self._client.joined, unconfirmed=self._client.unconfirmed)
        limit, now = conf.FCS_MAX_ROOMS, self._monotonic()
        wanted, unserved = self._demand.choose(self._rooms, limit=limit, now=now)
        term = self._term
        if term is not None and self.is_leader:
            term.rooms.lack(unserved, wanted)
        if self._client.wanted != frozenset(wanted):
            self._client.want(wanted)
            if term is not None:
                term.rooms.forget(set(term.rooms) - set(wanted))

    async def _save(self, term: Term) -> None:
        """Keep last values, the changed ones often and all now and then.

        A change of the way to the vendor is kept at once: a successor starts from it.
        """
        all_at = self._monotonic()
        while True:
            if self._monotonic() >= all_at:
                all_at = self._monotonic() + SAVE_ALL_SECONDS
                term.rooms.touch()
            await self._save_changed(term)
            await self._to_save.heard(self._intervals.save)

    async def _save_changed(self, term: Term) -> None:
        """Keep what changed, unless the lease is lost: a successor knows better.

        Nor before the first attempt has ended: until then the report of the leader before
        is the newest.
        """
        if not self._lease.is_held or not term.standing.is_decided:
            return
        values = list(term.rooms.take_values())
        texts = {room: LastValue(text, expected) for room, text, expected in values}
        path = term.standing.report(self._clock(), self._client.silence)
        if await self._store.asave(texts, path, self._report(term)):
            term.rooms.were_kept(values)

    def _report(self, term: Term) -> Report:
        return Report(
            at=self._clock(),
            epoch=term.epoch,
            rooms=tuple(sorted(map(str, self._client.wanted))),
            joined=len(self._client.joined),
            updates_per_second=self._rate.note(self._updates, self._monotonic()),
            last_at=self._last_at,
            leader=self.is_leader,
            counts=counts(),
        )
