"""Everything a stream knows while it leads, from taking the lease to losing it."""

from __future__ import annotations

from collections.abc import Collection

from django_fcs.conf import conf
from django_fcs.layer.events import Beat
from django_fcs.prices.paths import PathReport
from django_fcs.prices.sessions import Markets
from django_fcs.protocol import ProfileUpdate
from django_fcs.rooms import Room
from django_fcs.upstream import Arrival, Status

from .figures import note_fault
from .standing import Standing
from .streamed import Streamed
from .watchdog import Remedy, Watchdog

__all__ = ["STOPPED", "Term"]

#: Why no price comes once the stream has stopped; visitors see it.
STOPPED = "the stream has stopped"


class Term:
    """The rooms of a leader, and its connection to the vendor.

    Args:
        epoch: The number of this term; a later term has a higher one.
        markets: The hours of all symbols.
        before: The last report of the leader before, if there is one.
    """

    def __init__(self, epoch: int, *, markets: Markets, before: PathReport | None = None) -> None:
        self.epoch = epoch
        self.rooms = Streamed(epoch=epoch, markets=markets)
        self.standing = Standing.after(before) if before else Standing()
        self.silent = 0
        """The number of rooms that were due a tick at the last look."""
        self._watchdog = Watchdog()

    def apply(self, arrival: Arrival) -> int:
        """Note what a frame contains; return the number of prices in it."""
        prices = 0
        for room, item in arrival.items:
            try:
                if isinstance(item, ProfileUpdate):
                    self.rooms.describe(room, item, arrival.at)
                else:
                    prices += 1
                    self.rooms.merge(room, item, arrival.at)
            except Exception as error:
                note_fault(room, error)
        return prices

    def note(self, status: Status, *, heard_at: float, now: float) -> None:
        """Note a change of the connection.

        ``heard_at``, when the vendor was last heard, is in unix seconds; ``now`` is in
        monotonic seconds.
        """
        self.standing.note(
            online=status.online, heard_at=heard_at, reason=status.reason, public=status.public
        )
        self._watchdog.begin(now)
        self.rooms.doubt()
        self.rooms.histories.part(heard_at)

    def stop(self, heard_at: float) -> None:
        """Note that no more prices come, because the stream stops."""
        self.standing.note(online=False, heard_at=heard_at, reason=STOPPED, public=STOPPED)

    def beat(self, now: float, silence: float) -> Beat:
        """Return the heartbeat for now (unix seconds)."""
        return Beat(self.epoch, self.standing.report(now, silence))

    def look(
        self, joined: Collection[Room], wanted: Collection[Room], *, now: float, monotonic: float
    ) -> Remedy:
        """Update what is expected of rooms; return what to do about silence.

        ``now`` is in unix seconds, ``monotonic`` in monotonic seconds.
        """
        silent = self.rooms.look(joined, now)
        self.rooms.histories.look(joined if self.standing.online else (), now)
        self.silent = len(silent)
        if not self.standing.online:
            return Remedy()
        return self._watchdog.look(
            silent,
            wanted=wanted,
            ticks=self.rooms.ticks,
            floor=conf.FCS_STALE_AFTER_SECONDS,
            now=monotonic,
        )
