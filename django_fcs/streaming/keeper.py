"""What a leader keeps in the store: for pages, for operators, and for the next leader."""

from __future__ import annotations

from collections.abc import Callable

from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import LastValue, Store
from django_fcs.protocol.intervals import Intervals
from django_fcs.tools.bell import Bell

from .lease import Alone, Lease
from .term import Term

__all__ = ["Keeper"]

#: How often every room is saved, even if it has not changed.
SAVE_ALL_SECONDS = 30


class Keeper:
    """Saves what changed often, and all of it from time to time.

    Args:
        store: Where it is kept.
        lease: Without it nothing is saved: a successor's values are newer.
        path: Returns how the connection stands now.
        report: Returns the figures for operators.
        intervals: How often to save.
        clock: Unix seconds.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        store: Store,
        *,
        lease: Lease | Alone,
        path: Callable[[Term], PathReport],
        report: Callable[[Term], Report],
        intervals: Intervals,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._lease = lease
        self._path = path
        self._report = report
        self._intervals = intervals
        self._clock = clock
        self._monotonic = monotonic
        self.changed = Bell()
        """Rung if something is to be saved at once, because a successor starts from it."""

    async def predecessor(self) -> PathReport | None:
        """Return the last report of the leader before, if there is one."""
        _, before = await self._store.aload([])
        return before

    async def keep(self, term: Term) -> None:
        """Save now and then; does not end."""
        all_at = self._monotonic()
        while True:
            if self._monotonic() >= all_at:
                all_at = self._monotonic() + SAVE_ALL_SECONDS
                term.rooms.touch()
            await self.save(term)
            await self.changed.heard(self._intervals.save)

    async def save(self, term: Term, *, at_once: bool = False) -> None:
        """Save what changed; of the last hours a part, or ``at_once`` all.

        What earlier leaders have left of new rooms is read first.
        Nothing is saved before the first attempt to connect has ended: until then the report
        of the leader before is the newest.
        """
        await self._recall(term)
        if not self._lease.is_held or not term.standing.is_decided:
            return
        values = list(term.rooms.take_values())
        texts = {
            room: LastValue(text, expected, term.rooms.histories.ended(room))
            for room, text, expected in values
        }
        minutes = term.rooms.minutes.take(self._clock(), at_once=at_once)
        if await self._store.asave(texts, self._path(term), self._report(term), minutes):
            term.rooms.were_kept(values)
            term.rooms.minutes.were_kept(minutes)

    async def say_last(self, path: PathReport) -> None:
        """Save the last heartbeat of a stream that nobody succeeds."""
        await self._store.asave({}, path)

    async def _recall(self, term: Term) -> None:
        rooms = term.rooms.minutes.unread()
        found = await self._store.arecall(rooms) if rooms else None
        if found is not None:
            term.rooms.minutes.recall(rooms, found)
