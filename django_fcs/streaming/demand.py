"""The rooms that browsers need, as web processes announce them; soft state."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django_fcs.rooms import Room
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count

__all__ = ["Choice", "Demand"]

logger = logger_of(__name__)

#: How many hubs count. A mistaken sender could invent any number of names; those of processes
#: that ended expire.
HUBS_MAX = 1000

#: Why a room gets no price, for visitors.
_UNCONFIRMED = "the feed does not confirm this symbol"
_CROWDED = "too many symbols are watched"


class Choice(NamedTuple):
    """The rooms that a stream asks the vendor for, and why it gets no price of others."""

    wanted: list[Room]
    unserved: dict[Room, str]


@dataclass
class _Interest:
    since: float
    """When the room was first wanted; it has been wanted without a break since."""
    until: float
    """When the last announcement of it expires."""
    doubt: int = 0
    """The number of the last doubt about it, counted over all rooms; 0 if there is none."""


class Demand:
    """Rooms wanted by hubs; callers give the time, in monotonic seconds.

    A hub repeats its rooms well within ``ttl``. If a hub is killed, it announces nothing
    more and its rooms expire. If a hub leaves a room, its next announcement is without
    it. In both cases the room lingers before it is no longer wanted.
    """

    def __init__(self, *, ttl: float, linger: float) -> None:
        self._ttl = ttl
        self._linger = linger
        self._hubs: dict[str, tuple[frozenset[Room], float]] = {}
        self._interests: dict[Room, _Interest] = {}
        self._unconfirmed: frozenset[Room] = frozenset()
        self._doubts = 0
        self._complaints = Complaints()

    def announce(self, hub: str, rooms: Iterable[Room], now: float) -> None:
        """Replace the rooms that one hub needs; they come in order, longest needed first."""
        if hub not in self._hubs and len(self._hubs) >= HUBS_MAX:
            return
        in_order = list(rooms)
        needed = frozenset(in_order)
        before, _ = self._hubs.get(hub, (frozenset(), now))
        self._hubs[hub] = (needed, now + self._ttl)
        for room in before - needed:
            self._interests[room].until = max(now, self._needed_until(room))
        for room in in_order:
            interest = self._interests.setdefault(room, _Interest(since=now, until=now))
            interest.until = max(interest.until, now + self._ttl)

    def learn(self, *, joined: Collection[Room], unconfirmed: Iterable[Room]) -> None:
        """Doubt rooms that the vendor does not confirm, until it does.

        Anybody can invent a symbol, which must not take the place of one that exists.
        """
        before, self._unconfirmed = self._unconfirmed, frozenset(unconfirmed)
        for room in self._unconfirmed - before:
            self._doubts += 1
            if room in self._interests:
                self._interests[room].doubt = self._doubts
            count("stream_rooms_unconfirmed")
            # All count as one client: anybody can invent names, so the log gets twenty an hour.
            if self._complaints.is_new("", str(room)):
                logger.warning("the vendor did not confirm the room, leaving it room=%s", room)
        for room, interest in self._interests.items():
            if interest.doubt and room in joined:
                interest.doubt = 0

    def choose(self, own: Iterable[Room], *, limit: int, now: float) -> Choice:
        """Choose the site's own rooms first, then those watched longest, up to a limit."""
        rooms = list(dict.fromkeys([*own, *self.rooms(now)]))
        doubtful = [room for room, interest in self._interests.items() if interest.doubt]
        crowded = rooms[limit:]
        if crowded and count("stream_rooms_over_limit"):
            text = "FCS_MAX_ROOMS is reached, some rooms have to wait rooms=%d"
            logger.warning(text, len(crowded))
        unserved = dict.fromkeys([*self._unconfirmed, *doubtful], _UNCONFIRMED)
        return Choice(rooms[:limit], {**unserved, **dict.fromkeys(crowded, _CROWDED)})

    def rooms(self, now: float) -> list[Room]:
        """Return the wanted rooms, longest watched first, lingering ones included.

        Rooms in doubt come after all others, the one that was tried last at the end. Each of them
        gets another turn, because a vendor that was slow once may confirm it then.
        """
        self._hubs = {hub: known for hub, known in self._hubs.items() if known[1] > now}
        self._interests = {
            room: interest
            for room, interest in self._interests.items()
            if interest.until + self._linger > now
        }
        return sorted(self._interests, key=self._rank)

    def _rank(self, room: Room) -> tuple[int, float]:
        interest = self._interests[room]
        return interest.doubt, interest.since

    def _needed_until(self, room: Room) -> float:
        return max((until for rooms, until in self._hubs.values() if room in rooms), default=0.0)
