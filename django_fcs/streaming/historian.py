"""The history of a site's rooms: kept by the leading stream, fetched once for all visitors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from django_fcs.candles.holes import missing
from django_fcs.candles.proof import unproved
from django_fcs.candles.rest import RestClient
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.series import REST_LATE_SECONDS
from django_fcs.candles.spans import Span
from django_fcs.candles.stores import CandleStore
from django_fcs.conf import conf
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.prices.reports import StreamStatus
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.tasks import each, together

from .asking import Stock, finished, next_ask, note_answer
from .databank import Databank
from .fetching import AT_ONCE, Delay, Fetcher
from .figures import note_fault
from .histories import Histories, RoomHistory
from .lease import Alone, Lease
from .wishes import Wishes

__all__ = ["Historian", "historian_of"]

logger = logger_of(__name__)

#: Between two looks for what is to be read, saved or repaired, in seconds.
LOOK_SECONDS = 1

#: One wish gets at most so many requests in a turn, so that the others get theirs.
REQUESTS_A_TURN = 10

#: In place of a limit for candles that the database keeps.
NO_LIMIT = 1_000_000

#: After the cache did not answer, in seconds.
PAUSE_SECONDS = 5

_NO_STORE = "the cache does not answer"
_LATE = "the newest candles are not there yet"
_MORE = "more candles are being fetched"
_NO_KEY = "this site has no key for the vendor's history"


class Historian:
    """Reads, saves and completes the candles of the rooms that a leader streams.

    Args:
        store: Where candles are kept for pages, and for the next leader.
        fetcher: Asks the vendor; ``None`` without a key.
        databank: What the site's database keeps.
        markets: The hours of all symbols.
        lease: Without it nothing is saved: a successor's candles are newer.
        ready: Rung when there are notes for the hubs.
        clock: Unix seconds.
    """

    def __init__(
        self,
        store: CandleStore,
        *,
        fetcher: Fetcher | None,
        databank: Databank,
        markets: Markets,
        lease: Lease | Alone,
        ready: Bell,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._databank = databank
        self._markets = markets
        self._lease = lease
        self._ready = ready
        self._clock = clock
        self.wishes = Wishes()

    def hear(self, wish: Wish, histories: Histories) -> None:
        """Note a wish: the room is kept joined for a while, and what is missing is fetched."""
        now = self._clock()
        if histories.get(wish.room) is None and len(histories) >= 2 * conf.FCS_MAX_ROOMS:
            return
        histories.begin(wish.room, now).wanted_at = now
        if self._fetcher is None:
            self._tell(CandleNote(wish.room, note=_NO_KEY))
            return
        self.wishes.add(wish)
        if (delay := self.wishes.delay(wish.room, now)) is not None:
            self._tell(delay)

    def add_figures(self, status: StreamStatus, histories: Histories) -> StreamStatus:
        """Return the status of a leader with the figures of its history."""
        now = self._clock()
        allowance = self._fetcher.allowance(now) if self._fetcher is not None else None
        left, is_closed = allowance or (None, None)
        return replace(
            status,
            histories=histories.wanted(now),
            credits_left=left,
            is_rest_closed=is_closed,
        )

    async def work(self, histories: Histories, epoch: int) -> None:
        """Keep the candles of a leader's rooms, and fulfil wishes; does not end."""
        await together(self._keep(histories), self._fulfil(histories, epoch))

    async def save(self, histories: Histories, *, at_once: bool = False) -> None:
        """Save what changed, a part or ``at_once`` all of it, after what is stored was read."""
        await self._recall(histories)
        if not self._lease.is_held:
            return
        now = self._clock()
        kept = histories.take(now, at_once=at_once)
        if kept and await self._store.asave(kept):
            histories.were_kept(kept)
        for room, one in kept.items():
            self._look_for_gaps(histories.get(room), one.missing, now)
        for room, bars in histories.take_ended():
            self._databank.add(room, bars)
            await asyncio.sleep(0)  # After a takeover, these are all bars of many rooms.
        await self._databank.save()

    async def _keep(self, histories: Histories) -> None:
        while True:
            try:
                await self.save(histories)
            except Exception:  # Prices go on without candles.
                logger.exception("candles cannot be saved now")
            await asyncio.sleep(LOOK_SECONDS)

    async def _recall(self, histories: Histories) -> None:
        rooms = histories.unread()
        found = await self._store.aload(rooms) if rooms else None
        if found is not None:
            histories.recall(rooms, found)

    def _look_for_gaps(
        self, history: RoomHistory | None, holes: Sequence[tuple[int, int]], now: float
    ) -> None:
        """Wish for what is missing in a room that somebody asked for."""
        if history is None or self._fetcher is None or not history.is_wanted(now):
            return
        if holes or unproved(history.series):
            self.wishes.add(Wish(history.room, limit=1))

    async def _fulfil(self, histories: Histories, epoch: int) -> None:
        fetcher = self._fetcher
        if fetcher is None:
            await asyncio.Event().wait()
            return
        await fetcher.open(epoch)
        serve = partial(self._serve, histories, fetcher)
        while True:
            async for _ in each(self.wishes.due(self._clock()), serve, at_once=AT_ONCE):
                pass
            await self.wishes.changed.heard(self.wishes.pause(self._clock()))

    async def _serve(self, histories: Histories, fetcher: Fetcher, room: Room) -> None:
        """Fulfil the wishes of a room as far as possible now; a fault ends only them."""
        wishes = self.wishes.of(room)
        try:
            history = histories.begin(room, self._clock())
            if not history.is_recalled:
                await self._recall(histories)
            if not history.is_recalled:
                self._postpone(Delay(_NO_STORE, PAUSE_SECONDS), history)
                return
            await self._serve_all(history, wishes, histories, fetcher)
        except Exception as error:
            note_fault(room, error)
            self.wishes.end(room, *wishes)

    async def _serve_all(
        self, history: RoomHistory, wishes: list[Wish], histories: Histories, fetcher: Fetcher
    ) -> None:
        got, delay = _Got(), None
        for wish in wishes:
            delay = await self._fetch_for(history, wish, fetcher, got)
            if delay is not None:
                break
            self.wishes.end(history.room, wish)
        history.note = "" if delay is None else delay.note
        if got or delay is not None:
            kept = {history.room: histories.kept(history, self._clock())}
            if await self._store.asave(kept):
                histories.were_kept(kept)
        if delay is not None:
            self._postpone(delay, history, got)
        else:
            self._tell(CandleNote(history.room, *got.span, note=history.note))

    async def _fetch_for(
        self, history: RoomHistory, wish: Wish, fetcher: Fetcher, got: _Got
    ) -> Delay | None:
        """Ask the vendor for what a wish lacks; return why not all of it could be asked for."""
        if wish.start is not None and not self._databank.keeps(wish.room):
            wish = Wish(wish.room, limit=conf.FCS_CANDLES)  # No more of it could be kept.
        for _ in range(REQUESTS_A_TURN):
            stock = await self._stock(history, wish)
            ask = next_ask(stock, wish, self._clock())
            if ask is None:
                return None
            answer = await fetcher.fetch(history.room, ask)
            if isinstance(answer, Delay):
                return answer
            now, room = self._clock(), history.room
            outcome = note_answer(stock, ask, answer.bars, now, delay=history.delay)
            got.note(outcome.span)
            await asyncio.sleep(0)  # Prices come in between, as an answer may be long.
            self._databank.add(room, finished(answer.bars, room.timeframe, now))
            if outcome.is_late:
                return Delay(_LATE, REST_LATE_SECONDS)
        return Delay(_MORE, LOOK_SECONDS)

    async def _stock(self, history: RoomHistory, wish: Wish) -> Stock:
        """Return what is known of a room, as far as a wish is concerned."""
        now, room, series = self._clock(), history.room, history.series
        history.see(now)
        hours = self._markets.hours(room.symbol)
        holes = sorted(
            [*_past(history, missing(series, hours, now - history.delay), now), *unproved(series)]
        )
        known = set(series.times(before=wish.before, limit=wish.limit))
        places = conf.FCS_CANDLES + 1 - len(series)
        if self._databank.keeps(room):
            await self._databank.save()
            known |= set(await self._databank.times(room, before=wish.before, limit=wish.limit))
            places = NO_LIMIT
        oldest = min(known, default=wish.before)
        return Stock(series, holes, oldest, len(known), places)

    def _postpone(self, delay: Delay, history: RoomHistory, got: _Got | None = None) -> None:
        self.wishes.postpone(history.room, self._clock() + delay.wait, delay.note)
        span = got.span if got is not None else (None, None)
        self._tell(CandleNote(history.room, *span, note=delay.note, wait=delay.wait))

    def _tell(self, note: CandleNote) -> None:
        self.wishes.note(note)
        self._ready.ring()


def historian_of(
    store: CandleStore,
    rest: RestClient | None,
    *,
    lease: Lease | Alone,
    markets: Markets,
    ready: Bell,
    clock: Callable[[], float] = time.time,
) -> Historian:
    """Return a historian that asks ``rest``, and writes to the database of a site with the app."""
    return Historian(
        store,
        fetcher=None if rest is None else Fetcher(rest, store, clock=clock),
        databank=Databank(SavedCandles(clock=clock)),
        markets=markets,
        lease=lease,
        ready=ready,
        clock=clock,
    )


def _past(history: RoomHistory, holes: Iterable[Span], now: float) -> list[Span]:
    """Return the holes to ask for: not the one up to now while a room is not joined.

    That one grows all the time, and would be asked for again and again.
    """
    is_joined = history.joined_at is not None
    return [hole for hole in holes if is_joined or hole[1] < int(now - history.delay)]


class _Got:
    """When the first and the last of the candles opened that the vendor sent."""

    def __init__(self) -> None:
        self.span: tuple[int | None, int | None] = None, None

    def __bool__(self) -> bool:
        return self.span[0] is not None

    def note(self, span: tuple[int, int] | None) -> None:
        """Note the first and the last of some candles."""
        if span is None:
            return
        first, last = self.span
        self.span = min(span[0], first or span[0]), max(span[1], last or span[1])
