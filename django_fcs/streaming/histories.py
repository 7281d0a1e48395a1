"""The candles of each room of a stream: which were seen, and in which times they could be."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from django_fcs.candles.bars import Bar, Rank, read_bar
from django_fcs.candles.holes import missing
from django_fcs.candles.kept import Kept
from django_fcs.candles.series import Series
from django_fcs.candles.spans import Span, Spans
from django_fcs.conf import conf
from django_fcs.prices.sessions import Markets
from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Price
from django_fcs.rooms import Room

from .asking import Ask

__all__ = ["Histories", "RoomHistory"]

#: How long an interest in the candles of a room lasts, in seconds.
INTEREST_SECONDS = 3600

#: All rooms are saved within this many saves after a candle has ended, not all in one.
SPREAD = 10

#: How often a room is saved although no candle has ended, in seconds; those that browsers ask for
#: more often.
SAVE_SECONDS = 300
SAVE_WANTED_SECONDS = 30

#: Rooms whose stored candles are read in one call.
READ_MAX = 100

#: How many rooms that were left wait for the store. The first that was left is forgotten first.
LEFT_MAX = 1000


# eq=False: compares by identity, which is fast.
@dataclass(eq=False)
class RoomHistory:
    """The candles of one room."""

    room: Room
    series: Series
    snapshot: Snapshot | None = None
    """What is known of the room while it is streamed; else ``None``."""
    joined_at: float | None = None
    """Since when the path has been unbroken, in unix seconds; ``None`` while it is not."""
    ended: Bar | None = None
    """The last candle that this stream saw end."""
    wanted_at: float | None = None
    """When somebody last asked for its candles, in unix seconds."""
    note: str = ""
    """Why older candles are missing, for visitors."""
    is_recalled: bool = False
    """Whether what the store has of it was read."""
    saved_at: float = -math.inf
    """When it was last saved, in unix seconds."""
    given_up: frozenset[Span] = frozenset()
    """Gaps that the vendor's answers leave as they are."""

    told: tuple[Span, ...] = ()
    """The holes of which the hubs were told."""
    empty: Spans = field(default_factory=Spans)
    """For which times the vendor has answered this stream that there are no candles."""

    @property
    def delay(self) -> float:
        """How many seconds the prices of the feed are late."""
        return 0 if self.snapshot is None else self.snapshot.delay or 0

    @property
    def has_prices(self) -> bool:
        """Whether prices of the room come."""
        return self.snapshot is not None and self.snapshot.t is not None

    @property
    def current(self) -> Bar | None:
        """The candle of the newest price; as it was final if ask and bid moved it later."""
        snapshot, known = self.snapshot, self.series.last_final
        values = None if snapshot is None else snapshot.bar
        if snapshot is None or values is None:
            return None
        bar = Bar(*values)
        is_late = snapshot.is_moved and known is not None and known.t == bar.t
        return known if is_late else bar

    def see(self, now: float) -> None:
        """Bring the series up to ``now`` (unix seconds): the forming candle and the joined time."""
        if self.joined_at is not None:
            self.series.joined.add(self.joined_at - self.delay, now - self.delay)
        bar = self.current
        if bar is not None:
            self.series.put(bar, rank=Rank.LIVE, at=now)

    def note_empty(self, ask: Ask, answered: Span | None) -> None:
        """Note the part of an answered request, before its first candle, that has no candles."""
        if ask.start is None or ask.end is None:
            return
        first = ask.end if answered is None else answered[0]
        for span in self.series.answered.inside(ask.start, first):
            self.empty.add(*span)

    def is_wanted(self, now: float) -> bool:
        """Tell whether somebody asked for its candles within the last hour."""
        return self.wanted_at is not None and abs(now - self.wanted_at) < INTEREST_SECONDS


class Histories:
    """The candles of the rooms that are streamed, and of others that are asked for.

    A room is saved only after what an earlier stream saved of it was read: otherwise that would
    be lost. All times are unix seconds.

    Args:
        markets: The hours of all symbols.
    """

    def __init__(self, *, markets: Markets) -> None:
        self._markets = markets
        self._looked_at = 0.0
        self._rooms: dict[Room, RoomHistory] = {}
        self._unread: dict[Room, None] = {}
        self._left: dict[Room, RoomHistory] = {}
        """Rooms that are no longer streamed, until they are saved."""
        self._due: dict[Room, None] = {}
        self._ended: dict[Room, set[int]] = {}
        """When candles opened that have ended since ``take_ended``."""

    def __len__(self) -> int:
        return len(self._rooms)

    def get(self, room: Room) -> RoomHistory | None:
        """Return the history of a room that is streamed or asked for."""
        return self._rooms.get(room)

    def is_streamed(self, room: Room) -> bool:
        """Tell whether prices of a room come."""
        history = self._rooms.get(room)
        return history is not None and history.snapshot is not None

    def begin(self, room: Room, at: float, snapshot: Snapshot | None = None) -> RoomHistory:
        """Return the history of a room; ``snapshot`` is what is known of it once it is streamed."""
        history = self._rooms.get(room) or self._left.pop(room, None)
        if history is None:
            series = Series(room.timeframe, keep=conf.FCS_CANDLES)
            history = RoomHistory(room, series)
            self._unread[room] = None
        if snapshot is not None:
            history.snapshot = snapshot
            history.series.since = history.series.since or at
        self._rooms[room] = history
        return history

    def ended(self, room: Room) -> Bar | None:
        """Return the last candle of a room that this stream saw end."""
        history = self._rooms.get(room)
        return history.ended if history else None

    def wanted(self, now: float) -> int:
        """Return of how many rooms somebody asked for the candles within the last hour."""
        return sum(history.is_wanted(now) for history in self._rooms.values())

    def change_candle(
        self, history: RoomHistory, price: Price, known: int | None, at: float
    ) -> bool:
        """Note what a price says about candles other than the ``known`` one; it is merged later.

        Return whether the known candle has ended.
        """
        t, has_ended = price.t, False
        if t is not None and known is not None:
            assert history.snapshot is not None, "only a streamed room has a current candle"
            if history.snapshot.t is None:
                self.go_back_to(history, t)
            elif t > known:
                self.end_candle(history, at)
                has_ended = True
        if price.mode == "close":
            values = (t, price.o, price.h, price.l, price.c, price.v)
            bar = read_bar(*values, timeframe=history.room.timeframe, now=at)
            if bar is not None:
                self.close_candle(history, bar, at)
        return has_ended

    def end_candle(self, history: RoomHistory, at: float) -> None:
        """Note that the current candle of a room has ended."""
        assert history.snapshot is not None, "only a streamed room has a current candle"
        bar = history.current
        if bar is not None:
            history.ended = bar
            self._end(history, bar, at)

    def close_candle(self, history: RoomHistory, bar: Bar, at: float) -> None:
        """Note the last state of a candle, which the vendor has sent as such."""
        if history.ended is None or history.ended.t <= bar.t:
            history.ended = bar
        self._end(history, bar, at)

    def _end(self, history: RoomHistory, bar: Bar, at: float) -> None:
        history.series.put(bar, rank=Rank.LIVE, at=at, is_final=True)
        self._due[history.room] = None
        self._ended.setdefault(history.room, set()).add(bar.t)

    def go_back_to(self, history: RoomHistory, t: int) -> None:
        """Forget candles that seemed to open after ``t``: their time was wrong."""
        history.series.go_back_to(t)
        if history.ended is not None and history.ended.t > t:
            history.ended = None

    def look(self, joined: Collection[Room], now: float) -> None:
        """Note which rooms are joined, on a connection that works; drop what nobody asks for."""
        for room in [one.room for one in self._rooms.values() if one.snapshot is None]:
            if not self._rooms[room].is_wanted(now):
                self.forget([room])
        self._looked_at = now
        for room, history in self._rooms.items():
            if history.snapshot is not None:
                history.snapshot.find_end()
            if room not in joined:
                self._part(history, now)
            elif history.joined_at is None:
                history.joined_at = now
                self._due[room] = None

    def part(self, at: float) -> None:
        """Note that the path to the vendor broke at ``at``."""
        for history in self._rooms.values():
            self._part(history, at)

    def _part(self, history: RoomHistory, at: float) -> None:
        began, history.joined_at = history.joined_at, None
        if began is not None and at > began:
            history.series.joined.add(began - history.delay, at - history.delay)

    def forget(self, rooms: Iterable[Room]) -> None:
        """Drop rooms that are no longer streamed, once they are saved."""
        for room in rooms:
            history = self._rooms.pop(room, None)
            if history is None:
                continue
            history.see(self._looked_at)
            self._part(history, self._looked_at)
            history.snapshot = None
            if history.is_recalled:
                self._left[room] = history
            self._unread.pop(room, None)
            self._due.pop(room, None)
        for room in list(self._left)[:-LEFT_MAX]:
            del self._left[room]

    def unread(self) -> list[Room]:
        """Return rooms whose saved candles are to be read next."""
        return list(islice(self._unread, READ_MAX))

    def recall(self, rooms: Collection[Room], found: Mapping[Room, Kept]) -> None:
        """Take what the store has of the rooms that were read."""
        for room in rooms:
            history = self._rooms.get(room)
            if self._unread.pop(room, room) is not None or history is None:
                continue
            history.is_recalled = True
            if room in found:
                _take(history, found[room])
                # The stream before may have ended before the database had them.
                final = history.series.last_final
                if final is not None:
                    times = history.series.times(before=final.t + 1)
                    self._ended.setdefault(room, set()).update(times)

    def take_ended(self) -> Iterator[tuple[Room, list[Bar]]]:
        """Yield the candles that have ended since the last call, by room, and forget them."""
        ended, self._ended = self._ended, {}
        for room, times in ended.items():
            history = self._rooms.get(room) or self._left.get(room)
            if history is not None and times:
                bars = history.series.bars(start=min(times))
                yield room, [bar for bar, _ in bars if bar.t in times]

    def kept(self, history: RoomHistory, now: float) -> Kept:
        """Return what the store is to have of a room."""
        history.see(now)
        series, hours = history.series, self._markets.hours(history.room.symbol)
        if series.settle(hours, now, delay=history.delay):
            self._ended.setdefault(history.room, set()).update(series.times()[-1:])
        return Kept.of(
            series,
            missing=missing(series, hours, now - history.delay),
            note=history.note,
            saved_at=now,
            wanted_at=history.wanted_at,
        )

    def take(self, now: float, *, at_once: bool = False) -> dict[Room, Kept]:
        """Return what is to be saved at ``now``, until ``were_kept``.

        That is a part of the rooms, or all of them ``at_once``.
        """
        for room, history in self._rooms.items():
            pause = SAVE_WANTED_SECONDS if history.is_wanted(now) else SAVE_SECONDS
            if at_once or abs(now - history.saved_at) >= pause:
                self._due[room] = None
        number = len(self._rooms) + len(self._left)
        few = number if at_once else math.ceil(number / SPREAD)
        due = [self._rooms[room] for room in self._due if room in self._rooms]
        chosen = [history for history in due if history.is_recalled][:few]
        chosen += islice(self._left.values(), few)
        return {history.room: self.kept(history, now) for history in chosen}

    def were_kept(self, kept: Mapping[Room, Kept]) -> None:
        """Note that the store has these candles."""
        for room, saved in kept.items():
            self._due.pop(room, None)
            self._left.pop(room, None)
            if room in self._rooms:
                self._rooms[room].saved_at = saved.saved_at


def _take(history: RoomHistory, kept: Kept) -> None:
    """Put what an earlier stream saved into the series of this one."""
    history.wanted_at = history.wanted_at or kept.wanted_at
    history.note = history.note or kept.note
    history.told = kept.missing
    history.series.recall(kept.series(conf.FCS_CANDLES))
