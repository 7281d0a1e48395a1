"""The candles of one room, merged from REST and the socket, without a hole or a double.

A series has no clock: times are unix seconds and always arguments.
"""

from __future__ import annotations

from collections.abc import Iterable

from django_fcs.prices.sessions import Hours
from django_fcs.values.timeframes import LENGTHS, LONGEST

from .bars import Bar, Rank
from .columns import Columns
from .sessions import session_end
from .spans import Span, Spans

__all__ = ["REST_LATE_SECONDS", "Series"]

_DAY = 86_400

#: After the end of a session, its last bar may still change for this long.
GRACE_SECONDS = 60

#: REST may be that late: the last row of a page may be forming although its time is over.
REST_LATE_SECONDS = 120


class Series:
    """The newest bars of a room, each once, by ascending ``t``.

    The same bars give the same series in any order: of two with the same ``t`` the one of
    the higher rank counts, and of the same rank the later one. A bar is final if there is a
    larger ``t``, if REST sent it after its end, or if it is known to have ended.

    Args:
        timeframe: In canonical spelling.
        keep: How many bars are kept besides the newest one, which may be forming.
    """

    __slots__ = (
        "_columns",
        "_has_ended",
        "_keep",
        "answered",
        "is_exhausted",
        "joined",
        "repaired",
        "since",
        "timeframe",
        "version",
    )

    def __init__(self, timeframe: str, *, keep: int) -> None:
        self.timeframe = timeframe
        self.joined = Spans()
        """When the room was joined and its path unbroken."""
        self.answered = Spans()
        """For which times REST has answered."""
        self.repaired = Spans()
        """Which times were a hole until REST answered."""
        self.since: float | None = None
        """When the stream began to see this room."""
        self.is_exhausted = False
        """Whether REST has said that nothing older exists."""
        self.version = 0
        """Grows with each change of a bar."""
        self._keep = keep
        self._columns = Columns()
        self._has_ended = False
        """Whether the newest bar is known to have ended although no larger ``t`` is here."""

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def oldest(self) -> Bar | None:
        """The bar with the smallest ``t``."""
        return self._columns.bar(0) if self._columns else None

    @property
    def newest(self) -> Bar | None:
        """The bar with the largest ``t``, which may be forming."""
        return self._columns.bar(-1) if self._columns else None

    @property
    def last_final(self) -> Bar | None:
        """The final bar with the largest ``t``."""
        index = len(self) - 1 if self._is_final(len(self) - 1) else len(self) - 2
        return self._columns.bar(index) if index >= 0 else None

    @property
    def is_uneven(self) -> bool:
        """Whether the newest live bar opens at no multiple of its period after the one before.

        The feed is right about it, and REST may know bars between.
        """
        t, length = self._columns.t, LENGTHS[self.timeframe]
        return (
            length < _DAY
            and len(t) > 1
            and self._columns.rank[-1] == Rank.LIVE
            and (t[-1] - t[-2]) % length != 0
        )

    def bars(
        self, *, start: int = 0, before: int | None = None, limit: int | None = None
    ) -> list[tuple[Bar, bool]]:
        """Return the newest bars that open before a time, ascending, and whether each is final.

        None of them opens before ``start``.
        """
        numbers = range(*self._part(start, before, limit))
        return [(self._columns.bar(index), self._is_final(index)) for index in numbers]

    def times(self, *, before: int | None = None, limit: int | None = None) -> list[int]:
        """Return when the bars open that ``bars`` returns, in a fraction of its time."""
        first, stop = self._part(0, before, limit)
        return self._columns.t[first:stop].tolist()

    def put(self, bar: Bar, *, rank: Rank, at: float, is_final: bool = False) -> bool:
        """Merge a bar that came at ``at``; return whether anything changed.

        ``is_final`` tells that the bar has ended, whatever values it ended with.
        """
        index, is_there = self._columns.find(bar.t)
        if is_there:
            changed = self._merge(index, bar, rank, at)
        else:
            changed = self._insert(index, bar, rank, at)
        if is_final and (newest := self.newest) and newest.t == bar.t:
            changed |= not self._is_final(len(self) - 1)
            self._has_ended = True
        self.version += changed
        return changed

    def take_page(self, bars: Iterable[Bar], *, fetched_at: float, delay: float = 0) -> int:
        """Merge bars that REST sent, in any order; return how many are new or have changed.

        Of a page, all bars but the newest have ended. The newest has if it was fetched long
        after its end. ``delay`` is how many seconds the prices of the vendor are late.
        """
        page = _without_doubles(bars)
        newest = max(page, default=0)
        seen_until = fetched_at - delay - REST_LATE_SECONDS - LONGEST[self.timeframe]
        new: list[Bar] = []
        ranks, changed = bytearray(), 0
        for t in sorted(page)[-self._keep - 1 :]:
            rank = Rank.ENDED if t < newest or t <= seen_until else Rank.FORMING
            index, is_there = self._columns.find(t)
            if is_there:
                changed += self._merge(index, page[t], rank, fetched_at)
            else:
                new.append(page[t])
                ranks.append(rank)
        changed += self._insert_many(new, ranks, fetched_at)
        self.version += changed > 0
        return changed

    def recall(self, before: Series) -> None:
        """Merge what an earlier stream kept of this room; ``before`` may not be used any more."""
        oldest, fewer = before.times()[:1], before
        if len(before) > len(self):
            # In either order the result is the same, and this stream has mostly seen little.
            fewer = Series(self.timeframe, keep=self._keep)
            fewer.restore(*self.state())
            self.restore(*before.state())
            self.version += 1
        columns = fewer._columns
        for index in range(len(fewer)):
            rank, is_final = Rank(columns.rank[index]), fewer._is_final(index)
            self.put(columns.bar(index), rank=rank, at=columns.at[index], is_final=is_final)
        for own, other in (
            (self.joined, before.joined),
            (self.answered, before.answered),
            (self.repaired, before.repaired),
        ):
            for start, stop in other:
                own.add(start, stop)
        known = [since for since in (self.since, before.since) if since is not None]
        self.since = min(known, default=None)
        self.is_exhausted |= before.is_exhausted and self.times()[:1] == oldest

    def settle(self, hours: Hours, now: float, *, delay: float = 0) -> bool:
        """Make the newest bar final if its session has ended; return whether that is new.

        Bars of weeks and months outlast sessions. ``delay`` is how many seconds the prices of
        the vendor are late.
        """
        newest, length = self.newest, LENGTHS[self.timeframe]
        if newest is None or length > _DAY or self._is_final(len(self) - 1):
            return False
        end = session_end(hours, newest.t, newest.t + length)
        if end is None or now < end + delay + GRACE_SECONDS:
            return False
        self._has_ended = True
        self.version += 1
        return True

    def note_answer(self, start: int, stop: int, *, holes: Iterable[Span] = ()) -> None:
        """Note that REST has answered for a time, after its bars were merged.

        Of the ``holes`` there were before, those are repaired that have bars now.
        """
        longest = LONGEST[self.timeframe]
        for first, last in ((max(start, a), min(stop, b)) for a, b in holes):
            has_bars = self._columns.find(first - longest + 1)[0] < self._columns.find(last)[0]
            if has_bars:
                self.repaired.add(first, last)
        self.answered.add(start, stop)

    def go_back_to(self, t: int) -> int:
        """Forget bars after ``t`` that REST has not confirmed, because their time was wrong.

        Return how many there were.
        """
        index, is_there = self._columns.find(t)
        first = index + is_there
        wrong = 0
        while len(self) > first and self._columns.rank[-1] != Rank.ENDED:
            self._columns.drop_last(1)
            wrong += 1
        if wrong:
            self._has_ended = False
            self.version += 1
        return wrong

    def state(self) -> tuple[Columns, bool]:
        """Return the bars, not copied, and whether the newest is known to have ended."""
        return self._columns, self._has_ended

    def restore(self, columns: Columns, has_ended: bool) -> None:
        """Begin with the newest of these bars, which this series owns from now on."""
        self._columns, self._has_ended = columns, has_ended
        self._trim()

    def _part(self, start: int, before: int | None, limit: int | None) -> tuple[int, int]:
        stop = len(self) if before is None else self._columns.find(before)[0]
        first = self._columns.find(start)[0]
        return (first if limit is None else max(first, stop - limit)), stop

    def _is_final(self, index: int) -> bool:
        if index < len(self) - 1:
            return True
        return bool(self) and (self._has_ended or self._columns.rank[-1] == Rank.ENDED)

    def _merge(self, index: int, bar: Bar, rank: Rank, at: float) -> bool:
        columns = self._columns
        old, new = (columns.rank[index], columns.at[index]), (rank, at)
        if new < old:
            return False
        known = columns.bar(index)
        if new == old and _weight(bar) <= _weight(known):
            return False
        columns.replace(index, bar, rank, at)
        if bar != known:
            return True
        # Only the newest bar may become final by its rank.
        return index == len(columns.t) - 1 and old[0] < rank == Rank.ENDED and not self._has_ended

    def _insert(self, index: int, bar: Bar, rank: Rank, at: float) -> bool:
        is_full = len(self) > self._keep
        if is_full and index == 0:
            return False
        if index == len(self):
            self._has_ended = False
        self._columns.insert(index, bar, rank, at)
        self._trim()
        return True

    def _insert_many(self, bars: list[Bar], ranks: bytearray, at: float) -> int:
        """Insert bars that are not here yet, ascending; return how many of them stay."""
        if not bars:
            return 0
        if not self or bars[-1].t > self._columns.t[-1]:
            self._has_ended = False
        self._columns.insert_many(bars, ranks, at)
        self._trim()
        oldest = self._columns.t[0]
        return sum(bar.t >= oldest for bar in bars)

    def _trim(self) -> None:
        if (too_many := len(self) - self._keep - 1) > 0:
            self._columns.drop_first(too_many)
            self.is_exhausted = False


def _weight(bar: Bar) -> tuple[float, ...]:
    """Return what decides between two bars of the same time, rank and arrival."""
    return (-1.0 if bar.v is None else bar.v, *bar[:5])


def _without_doubles(bars: Iterable[Bar]) -> dict[int, Bar]:
    page: dict[int, Bar] = {}
    for bar in bars:
        known = page.get(bar.t)
        if known is None or _weight(bar) > _weight(known):
            page[bar.t] = bar
    return page
