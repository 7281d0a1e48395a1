"""From the vendor to the site: upstream → snapshots → bus, and demand the other way.

One stream of a site leads and the others stand by. Standbys hear which rooms are
wanted, but have no connection to the vendor and send nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from typing import TypeVar

from django_fcs.candles.rest import RestClient
from django_fcs.candles.stores import CandleStore, MemoryCandles
from django_fcs.conf import conf
from django_fcs.layer.bus import Bus, on_the_layer
from django_fcs.layer.events import DEMAND, Announcement, Wish
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import GrowthRate, Report, StreamStatus
from django_fcs.prices.sessions import Markets
from django_fcs.prices.store import Store
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.recording import Recorder
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count, shown
from django_fcs.tools.tasks import together
from django_fcs.upstream import Arrival, Status, UpstreamClient

from .calendars import read_calendars
from .demand import Demand
from .figures import measure_feed, report_of, stream_figures
from .historian import historian_of
from .histories import INTEREST_SECONDS
from .keeper import Keeper
from .lease import Alone, Lease
from .pace import Pace
from .pages import Pages
from .tape import Tape
from .term import Term

__all__ = ["Stream"]

logger = logger_of(__name__)

T = TypeVar("T")


class Stream:
    """The one process of a site that talks to the vendor.

    Args:
        client: The connection to the vendor; the stream sets the rooms it wants.
        store: Where last values are kept for templates.
        candles: Where candles are kept; without it, in memory.
        rest: The vendor's history; without it, candles are what this stream sees.
        rooms: Rooms that are joined even if nobody watches them.
        lease: The lease that lets it lead; without one it always leads.
        recorder: Where every incoming frame is written.
        markets: The hours of all symbols.
        intervals: The times that stream and hubs agree on.
        clock, monotonic, sleep: For tests.

    ``run`` ends only when it is cancelled or asked to leave, or with ``KeyRefused``. After
    a failure of the channel layer it reconnects.
    """

    def __init__(
        self,
        client: UpstreamClient,
        store: Store,
        *,
        candles: CandleStore | None = None,
        rest: RestClient | None = None,
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
        self._rooms = tuple(rooms)
        self._tape = Tape(recorder)
        self._markets = markets or Markets()
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._intervals = intervals
        self._demand = Demand(ttl=intervals.demand_ttl, linger=conf.FCS_LINGER_SECONDS)
        self._pages = Pages(store, monotonic=monotonic)
        self._rendered = 0
        """How many of the wanted rooms nobody watches: pages show them."""
        self._lease = lease or Alone(clock)
        self._leave = asyncio.Event()
        self._has_read = asyncio.Event()
        self._has_left = asyncio.Event()
        self._ready = Bell()
        self._changed = Bell()
        self._term: Term | None = None
        """Set while it leads, and until a leader that lost its lease has cleaned up."""
        self._updates = 0
        self._last_at: float | None = None
        self._growth = GrowthRate()
        self._keeper = Keeper(
            store,
            lease=self._lease,
            path=self._path,
            report=self._report,
            intervals=intervals,
            clock=clock,
            monotonic=monotonic,
        )
        self._historian = historian_of(
            candles or MemoryCandles(),
            rest,
            lease=self._lease,
            markets=self._markets,
            ready=self._ready,
            clock=clock,
        )
        self._want()

    @property
    def status(self) -> StreamStatus:
        """The current status, for operators."""
        term = self._term
        standing = term.standing if term else None
        status = StreamStatus(
            is_leader=self.is_leader,
            online=bool(standing and standing.online),
            reason=standing.reason if standing and self.is_leader else self._lease.trouble,
            wanted=len(self._client.wanted),
            joined=len(self._client.joined),
            rendered=self._rendered,
            updates=self._updates,
            last_at=self._last_at,
        )
        if term is None or not status.is_leader:
            return status
        return self._historian.add_figures(status, term.rooms.histories)

    @property
    def is_leader(self) -> bool:
        """Whether it may send to hubs, by its own clock."""
        return self._term is not None and self._lease.is_held

    async def run(self, leave: asyncio.Event | None = None) -> None:
        """Stream until cancelled, or until ``leave`` is set; then stop cleanly and return."""
        self._leave = leave or self._leave
        with shown(lambda: stream_figures(self.status)):
            await together(
                self._lead(),
                self._serve(),
                read_calendars(
                    self._markets, lambda: self._client.wanted, self._clock, self._intervals
                ),
            )

    async def _lead(self) -> None:
        """Lead whenever this process gets the lease, until it has to leave."""
        while not self._leave.is_set():
            await together(self._begin(), self._leave.wait())
            if self._term is not None:
                await self._go_on(self._term)
        # What was read is published now, and then the lease is given back.
        self._has_read.set()
        self._ready.ring()
        await self._has_left.wait()

    async def _begin(self) -> None:
        epoch = await self._lease.acquire()
        before = await self._keeper.predecessor()
        self._term = Term(epoch, markets=self._markets, before=before)
        logger.info("leading epoch=%d", epoch)

    async def _go_on(self, term: Term) -> None:
        """Stream until the lease is lost or the process leaves; then close the connection."""
        try:
            await together(
                self._read(term),
                self._keeper.keep(term),
                self._historian.work(term.rooms.histories, term.epoch),
                self._watch(term),
                self._pages.follow(self._intervals.pages),
                self._hold(),
                self._leave.wait(),
            )
        finally:
            self._client.cut()
            if not self._leave.is_set():
                term.stop(self._heard_at())
                await self._keeper.save(term)
                self._term = None
        if self._leave.is_set():
            await self._keeper.save(term, at_once=True)
            await self._historian.save(term.rooms.histories, at_once=True)
        if not self._lease.is_held:
            count("stream_leases_lost")
            logger.warning("lease lost, disconnected from the vendor epoch=%d", term.epoch)

    def _heard_at(self) -> float:
        return self._clock() - self._client.silence

    async def _hold(self) -> None:
        """Keep the lease; once it is lost, close the connection before anything else."""
        await self._lease.keep()
        self._client.cut()

    def _while_leading(self, term: Term, things: Iterable[T]) -> Iterator[T]:
        """Yield things while the lease is held, as the process may be paused in between."""
        for thing in things:
            if not self._lease.is_held or self._term is not term:
                return
            yield thing

    async def _read(self, term: Term) -> None:
        """Read what the vendor sends; wait for nothing else."""
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
                        self._keeper.changed.ring()
                    else:
                        self._apply(event, term)
                count("stream_updates", self._updates - before)
                measure_feed(batch[-1])
                if term.rooms.is_due:
                    self._ready.ring()

    def _apply(self, arrival: Arrival, term: Term) -> None:
        self._tape.write(arrival)
        if prices := term.apply(arrival):
            self._updates += prices
            self._last_at = arrival.at

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
        """Exchange messages with the hubs, until everything is sent."""
        if self._term is not None:
            self._repeat(list(self._term.rooms))
        await together(self._publish(bus), self._listen(bus), self._follow(bus))
        await self._say_goodbye(bus)
        return True

    async def _publish(self, bus: Bus) -> None:
        """Publish what is due, at the pace of what comes in.

        Ends once nothing more is read and everything has been sent.
        """
        due = self._monotonic()
        pace = Pace(due)
        while not self._has_read.is_set() or self._has_more:
            await self._ready.heard()
            pause = due - self._monotonic()
            if pause > 0:
                await self._sleep(pause)
            self._ready.clear()
            if (term := self._term) is None:
                continue
            began = self._monotonic()
            await bus.tell(*self._while_leading(term, term.rooms.take_notices()))
            await bus.tell(*self._while_leading(term, self._historian.wishes.take_notes()))
            await bus.publish(self._while_leading(term, term.rooms.take_updates()))
            due = pace.due(began, self._monotonic(), self._updates)

    @property
    def _has_more(self) -> bool:
        return self._term is not None and self._term.rooms.is_due and self._lease.is_held

    async def _say_goodbye(self, bus: Bus) -> None:
        """Give the lease back; if no standby waits for it, report to pages that prices end.

        A standby takes over within moments, so pages need not notice.
        """
        led = self.is_leader
        if not await self._lease.release() and led and self._term is not None:
            self._term.stop(self._heard_at())
            beat = self._term.beat(self._clock(), self._client.silence)
            await bus.beat(beat)
            await self._keeper.say_last(beat.path)

    async def _listen(self, bus: Bus) -> None:
        async for burst in bus.bursts():
            for event in burst:
                if isinstance(event, Announcement):
                    self._demand.announce(event.hub, event.rooms, self._monotonic(), event.viewers)
                    self._want()
                    self._repeat(event.new)
                elif isinstance(event, Wish) and self._term is not None:
                    self._demand.keep_longer(event.room, INTEREST_SECONDS, self._monotonic())
                    self._historian.hear(event, self._term.rooms.histories)

    async def _follow(self, bus: Bus) -> None:
        """Send heartbeats, and update the wanted rooms, as demand expires without a message."""
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
            # A leader that lost its lease in a pause first disconnects from the vendor.
            await bus.subscribe(())

    async def _watch(self, term: Term) -> None:
        """Update what is expected of rooms as time passes, and act on silent ones."""
        while True:
            client, now = self._client, self._monotonic()
            remedy = term.look(client.joined, client.wanted, now=self._clock(), monotonic=now)
            if term.rooms.is_due:
                self._ready.ring()
            remedy.apply(client, term.silent)
            await asyncio.sleep(self._intervals.look)

    def _want(self) -> None:
        """Ask the vendor for the rooms in demand, and note those that get no price."""
        joined, unconfirmed = self._client.joined, self._client.unconfirmed
        self._demand.learn(joined=joined, unconfirmed=unconfirmed)
        self._pages.learn(joined=joined, unconfirmed=unconfirmed)
        wanted, unserved, self._rendered = self._demand.choose(
            self._rooms,
            limit=conf.FCS_MAX_ROOMS,
            now=self._monotonic(),
            rendered=self._pages.rooms(),
        )
        term = self._term
        if term is not None and self.is_leader:
            term.rooms.lack(unserved, wanted)
        if self._client.wanted != frozenset(wanted):
            self._client.want(wanted)
            if term is not None:
                term.rooms.forget(set(term.rooms) - set(wanted))

    def _path(self, term: Term) -> PathReport:
        return term.standing.report(self._clock(), self._client.silence)

    def _report(self, term: Term) -> Report:
        rate = self._growth.rate(self._updates, self._monotonic())
        return report_of(self.status, term.epoch, self._client.wanted, rate, self._clock())
