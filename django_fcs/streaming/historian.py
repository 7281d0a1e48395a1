"""The history of a site's rooms: kept by the leading stream, fetched once for all visitors."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable
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
from django_fcs.tools.tasks import together

from .asking import (
    Ask,
    Stock,
    affordable,
    credits_of,
    finished,
    holes_before,
    next_ask,
    note_answer,
    range_of,
)
from .covered import note_database
from .databank import Databank
from .fetching import AT_ONCE, Fetcher
from .figures import note_fault
from .histories import Histories, RoomHistory
from .lease import Alone, Lease
from .pauses import Delay
from .turns import take_turns
from .wishes import Wishes

__all__ = ["Historian", "historian_of"]

logger = logger_of(__name__)

#: Between two looks for what is to be read, saved or repaired, in seconds.
LOOK_SECONDS = 1

#: One wish gets at most so many requests in a turn, so that the others get theirs. A wish for a
#: range, which may be long, gets one.
REQUESTS_A_TURN = 10

#: A browser's request costs no more credits. For more candles, its page asks again.
CREDITS_A_REQUEST = 10

#: In place of a limit for candles that the database keeps.
NO_LIMIT = 1_000_000

#: A note about a shorter wait is not stored with the candles: it would be wrong soon.
SHORT_SECONDS = 90

#: After the cache did not answer, in seconds.
PAUSE_SECONDS = 5

_NO_STORE = "the cache does not answer"
_NO_DATABASE = "the database with older candles does not answer"
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
        credits_a_request: How much the request of a browser may cost.
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
        credits_a_request: int = CREDITS_A_REQUEST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._credits = credits_a_request
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
            self._tell(CandleNote(wish.room, note=_NO_KEY, ended=_ranges([wish])))
            return
        self.wishes.add(wish, now)
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
        try:
            await self._save(histories, at_once=at_once)
        except Exception:  # Prices go on without candles, and a leader leaves in time.
            logger.exception("candles cannot be saved now")

    async def _save(self, histories: Histories, *, at_once: bool) -> None:
        await self._recall(histories)
        if not self._lease.is_held:
            return
        now = self._clock()
        kept = histories.take(now, at_once=at_once)
        # Before rooms that were left are forgotten, as they are once they are saved.
        for room, bars in histories.take_ended():
            self._databank.add(room, bars)
            await asyncio.sleep(0)  # After a takeover, these are all bars of many rooms.
            if self._databank.is_filling:
                await self._databank.save()
        if kept and await self._store.asave(kept):
            histories.were_kept(kept)
        for room, saved in kept.items():
            if history := histories.get(room):
                self._tell_holes(history, saved.missing, now)
                self._look_for_gaps(history, now)
        await self._databank.save()

    async def _keep(self, histories: Histories) -> None:
        while True:
            await self.save(histories)
            if self._fetcher is not None:
                await self._fetcher.keep()
            await asyncio.sleep(LOOK_SECONDS)

    async def _recall(self, histories: Histories) -> None:
        rooms = histories.unread()
        found = await self._store.aload(rooms) if rooms else None
        if found is not None:
            histories.recall(rooms, found)

    def _tell_holes(self, history: RoomHistory, holes: tuple[Span, ...], now: float) -> None:
        """Tell the hubs, whose pages are open, that other candles are missing than before."""
        if holes != history.told and history.is_wanted(now):
            self._tell(CandleNote(history.room, holes=True))
        history.told = holes

    def _look_for_gaps(self, history: RoomHistory, now: float) -> None:
        """Wish for what is missing in a room that somebody asked for."""
        if self._fetcher is None or not history.is_wanted(now):
            return
        if self._gaps(history, now):
            self.wishes.add(Wish(history.room, limit=1), now)

    def _gaps(self, history: RoomHistory, now: float) -> list[Span]:
        """Return what to ask the vendor for, ascending."""
        hours, known_until = self._markets.hours(history.room.symbol), now - history.delay
        holes = _past(history, missing(history.series, hours, known_until), known_until)
        spans = {*holes, *unproved(history.series)}
        return sorted(spans - history.given_up)

    async def _fulfil(self, histories: Histories, epoch: int) -> None:
        fetcher = self._fetcher
        if fetcher is None:
            await asyncio.Event().wait()
            return
        await fetcher.open(epoch)
        await take_turns(
            self.wishes,
            partial(self._serve, histories, fetcher),
            # Anybody can invent symbols: rooms of which prices come are first.
            is_first=histories.is_streamed,
            clock=self._clock,
            at_once=AT_ONCE,
        )

    async def _serve(self, histories: Histories, fetcher: Fetcher, room: Room) -> None:
        """Fulfil the wishes of a room as far as possible now; a fault ends only them."""
        now = self._clock()
        if not self._lease.is_held:
            self.wishes.postpone(room, now + LOOK_SECONDS, "")
            return
        wishes = self.wishes.of(room, now)
        try:
            history = histories.begin(room, now)
            if not history.is_recalled:
                await self._recall(histories)
            if not history.is_recalled:
                self._postpone(Delay(_NO_STORE, PAUSE_SECONDS), history)
            elif history.is_wanted(now):
                await self._serve_all(history, wishes, histories, fetcher)
            else:  # Nobody waits for it any more.
                history.note = ""
                self.wishes.end(room, *wishes)
        except Exception as error:
            note_fault(room, error)
            self.wishes.end(room, *wishes)

    async def _serve_all(
        self, history: RoomHistory, wishes: list[Wish], histories: Histories, fetcher: Fetcher
    ) -> None:
        got, delay, done = _Got(), None, list[Wish]()
        for wish in wishes:
            delay = await self._fetch_for(history, wish, fetcher, got)
            if delay is not None:
                break
            self.wishes.end(history.room, wish)
            done.append(wish)
        lasting = delay if delay is not None and delay.wait > SHORT_SECONDS else None
        before, history.note = history.note, "" if lasting is None else lasting.note
        if got or history.note != before:
            kept = {history.room: histories.kept(history, self._clock())}
            history.told = kept[history.room].missing  # By the note that follows.
            if self._lease.is_held and await self._store.asave(kept):
                histories.were_kept(kept)
        if done or delay is None:
            note = CandleNote(history.room, *got.span, note=history.note, ended=_ranges(done))
            self._tell(note)
        if delay is not None:
            self._postpone(delay, history, got)

    async def _fetch_for(
        self, history: RoomHistory, wish: Wish, fetcher: Fetcher, got: _Got
    ) -> Delay | None:
        """Ask the vendor for what a wish lacks; return why not all of it could be asked for."""
        is_of_page = wish.start is None
        if wish.start is not None and not self._databank.keeps(wish.room):
            wish = Wish(wish.room, limit=conf.FCS_CANDLES)  # No more of it could be kept.
        asked: set[Ask] = set()
        left = self._credits if is_of_page else math.inf
        for _ in range(1 if wish.start is not None else REQUESTS_A_TURN):
            stock = await self._stock(history, wish)
            if wish.start is not None and self._databank.failure:
                return Delay(_NO_DATABASE, PAUSE_SECONDS)
            ask = next_ask(stock, wish, self._clock())
            ask = None if ask is None else affordable(ask, left)
            if ask is None:
                return None
            if ask in asked:  # Nothing changes if the vendor answers the same again.
                history.given_up = frozenset(stock.holes)
                return None
            asked.add(ask)
            left -= credits_of(ask.length)
            answer = await fetcher.fetch(history.room, ask, has_prices=history.has_prices)
            if isinstance(answer, Delay):
                return answer
            # By the vendor's clock if that is late: its newest candle is forming.
            now, room = min(self._clock(), answer.server_time or math.inf), history.room
            outcome = note_answer(stock, ask, answer.bars, now, delay=history.delay)
            got.note(outcome.span)
            history.note_empty(ask, outcome.span)
            await asyncio.sleep(0)  # Prices come in between, as an answer may be long.
            self._databank.add(room, finished(answer.bars, room.timeframe, now))
            if outcome.is_late:
                return Delay(_LATE, REST_LATE_SECONDS)
        return Delay(_MORE, 0 if wish.start is not None else LOOK_SECONDS)

    async def _stock(self, history: RoomHistory, wish: Wish) -> Stock:
        """Return what is known of a room, as far as a wish is concerned."""
        now, room, series = self._clock(), history.room, history.series
        history.see(now)
        # With the candle that those before it are to adjoin.
        stop, limit = None if wish.before is None else wish.before + 1, wish.limit + 1
        known = set(series.times(before=stop, limit=limit))
        places, gaps = conf.FCS_CANDLES + 1 - len(series), self._gaps(history, now)
        if self._databank.keeps(room):
            await self._databank.save()
            rows = []
            if wish.start is not None:
                span, hours = range_of(wish, now), self._markets.hours(room.symbol)
                await note_database(history, span, self._databank, hours)
            else:
                rows = await self._databank.load(room, before=stop, limit=limit)
            if not self._databank.failure:
                places = NO_LIMIT
                known |= {bar.t for bar in rows}
                holes = holes_before(series, wish.before, rows, self._markets.hours(room.symbol))
                gaps = sorted({*gaps, *holes} - history.given_up)
        if stop is not None and not known:
            places = 0  # Candles that adjoin no others would leave a gap.
        have = len(known - {wish.before})
        return Stock(series, gaps, min(known, default=None), have, places)

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
    credits_a_request: int = CREDITS_A_REQUEST,
    clock: Callable[[], float] = time.time,
) -> Historian:
    """Return a historian that asks ``rest``, and writes to the database of a site with the app."""
    return Historian(
        store,
        fetcher=None if rest is None else Fetcher(rest, store, lease=lease, clock=clock),
        databank=Databank(SavedCandles(clock=clock)),
        markets=markets,
        lease=lease,
        ready=ready,
        credits_a_request=credits_a_request,
        clock=clock,
    )


def _ranges(wishes: Iterable[Wish]) -> tuple[Span, ...]:
    """Return the ranges of those wishes that have one, which name them to who sent them."""
    return tuple(
        (wish.start, wish.before)
        for wish in wishes
        if wish.start is not None and wish.before is not None
    )


def _past(history: RoomHistory, holes: Iterable[Span], now: float) -> list[Span]:
    """Return the holes to ask for: not the one up to now while a room is not joined.

    That one grows all the time, and would be asked for again and again.
    """
    is_joined = history.joined_at is not None
    return [hole for hole in holes if is_joined or hole[1] < int(now)]


class _Got:
    """When the first and the last of the candles opened that the vendor sent."""

    def __init__(self) -> None:
        self.span: tuple[int | None, int | None] = None, None
        self._is_answered = False

    def __bool__(self) -> bool:
        """Whether the vendor has answered: also that it has no candles is worth keeping."""
        return self._is_answered

    def note(self, span: tuple[int, int] | None) -> None:
        """Note the first and the last candle of an answer."""
        self._is_answered = True
        if span is None:
            return
        first, last = self.span
        self.span = min(span[0], first or span[0]), max(span[1], last or span[1])
