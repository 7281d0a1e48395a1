"""The rooms that browsers need, as web processes announce them; soft state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from django_fcs.layer.events import Hashes
from django_fcs.rooms import Room
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count

__all__ = ["Choice", "Demand"]

logger = logger_of(__name__)

#: How many hubs count. A mistaken sender could invent any number of names; those of processes
#: that ended expire.
HUBS_MAX = 1000

#: How many rooms may linger longer before a hub announces them.
LONGER_MAX = 10_000

#: Why a room gets no price, for visitors.
_UNCONFIRMED = "the feed does not confirm this symbol"
_CROWDED = "too many symbols are watched"


class _Claim(IntEnum):
    """What speaks for a room where not all rooms can be served, the strongest first."""

    SEVERAL = 0  #: At least two addresses watch it.
    ONE = 1  #: One address alone watches it.
    LINGERING = 2  #: Nobody watches it any more.
    DOUBTFUL = 3  #: The vendor did not confirm it.


#: The part of all rooms that are joined only because pages show them: visitors may choose
#: what a page shows.
RENDERED_PART = 4


class Choice(NamedTuple):
    """The rooms that a stream asks the vendor for, and why it gets no price of others."""

    wanted: list[Room]
    unserved: dict[Room, str]
    rendered: int = 0
    """How many of the wanted rooms nobody watches: pages show them."""


@dataclass
class _Interest:
    since: float
    """When the room was first wanted; it has been wanted without a break since."""
    until: float
    """When the last announcement of it expires."""
    doubt: int = 0
    """The number of the last doubt about it, counted over all rooms; 0 if there is none."""
    hubs: dict[str, Hashes] = field(default_factory=dict)
    """The hubs that need it, and the addresses that watch it there."""

    def only_viewer(self) -> str:
        """Return the hash of the one address that watches it; "" if there are more or none.

        Where a hub does not know the addresses, at least two count.
        """
        only = ""
        for hashes in self.hubs.values():
            if len(hashes) != 1 or only not in ("", hashes[0]):
                return ""
            only = hashes[0]
        return only

    def claim(self, viewer: str) -> _Claim:
        """Return what speaks for it; ``viewer`` is its only one."""
        if self.doubt:
            return _Claim.DOUBTFUL
        if not self.hubs:
            return _Claim.LINGERING
        return _Claim.ONE if viewer else _Claim.SEVERAL


class Demand:
    """Rooms wanted by hubs; callers give the time, in monotonic seconds.

    A hub repeats its rooms well within ``ttl``. If a hub is killed, it announces nothing
    more and its rooms expire. If a hub leaves a room, its next announcement is without
    it. In both cases the room lingers before it is no longer wanted.
    """

    def __init__(self, *, ttl: float, linger: float) -> None:
        self._ttl = ttl
        self._linger = linger
        self._longer: dict[Room, tuple[float, float]] = {}
        """How long rooms linger that do so longer than others, in seconds; until when each
        counts although no hub has announced it."""
        self._hubs: dict[str, tuple[frozenset[Room], float]] = {}
        self._interests: dict[Room, _Interest] = {}
        self._unconfirmed: frozenset[Room] = frozenset()
        self._doubts = 0
        self._complaints = Complaints()

    def announce(
        self,
        hub: str,
        rooms: Iterable[Room],
        now: float,
        viewers: Mapping[Room, Hashes] = MappingProxyType({}),
    ) -> None:
        """Replace the rooms that one hub needs; they come in order, longest needed first.

        ``viewers`` are the addresses that watch a room there; a room without any counts as
        watched by several.
        """
        if hub not in self._hubs and len(self._hubs) >= HUBS_MAX:
            return
        in_order = list(rooms)
        needed = frozenset(in_order)
        before, _ = self._hubs.get(hub, (frozenset(), now))
        self._hubs[hub] = (needed, now + self._ttl)
        for room in before - needed:
            interest = self._interests[room]
            del interest.hubs[hub]
            interest.until = max(now, self._needed_until(interest))
        for room in in_order:
            interest = self._interests.setdefault(room, _Interest(since=now, until=now))
            interest.until = max(interest.until, now + self._ttl)
            interest.hubs[hub] = viewers.get(room, ())

    def keep_longer(self, room: Room, seconds: float, now: float) -> None:
        """Let a room linger for ``seconds``, as its candles were asked for.

        A hub may announce it a moment later.
        """
        if room in self._interests or len(self._longer) < LONGER_MAX:
            self._longer[room] = seconds, now + self._ttl

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

    def choose(
        self, own: Iterable[Room], *, limit: int, now: float, rendered: Iterable[Room] = ()
    ) -> Choice:
        """Choose the site's own rooms first, then those in demand, up to a limit.

        What is left is for the rooms that pages show, up to a part of the limit.
        If not all of them can be served, each address that watches rooms alone gets a fair
        share of what the rooms of several addresses leave.
        """
        own = dict.fromkeys(own)
        others = [room for room in self.rooms(now) if room not in own]
        if len(own) + len(others) > limit:
            others = self._fairly(others)
        rooms = [*own, *others]
        doubtful = [room for room, interest in self._interests.items() if interest.doubt]
        crowded = rooms[limit:]
        if crowded and count("stream_rooms_over_limit"):
            text = "FCS_MAX_ROOMS is reached, some rooms have to wait rooms=%d"
            logger.warning(text, len(crowded))
        unserved = dict.fromkeys([*self._unconfirmed, *doubtful], _UNCONFIRMED)
        unserved |= dict.fromkeys(crowded, _CROWDED)
        places = max(0, min(limit - len(rooms), limit // RENDERED_PART))
        known = set(rooms)
        only_rendered = [room for room in rendered if room not in known][:places]
        return Choice([*rooms[:limit], *only_rendered], unserved, len(only_rendered))

    def rooms(self, now: float) -> list[Room]:
        """Return the wanted rooms, longest watched first, lingering ones included.

        Rooms in doubt come after all others, the one that was tried last at the end. Each of them
        gets another turn, because a vendor that was slow once may confirm it then.
        """
        for hub in [hub for hub, (_, until) in self._hubs.items() if until <= now]:
            for room in self._hubs.pop(hub)[0]:
                del self._interests[room].hubs[hub]
        self._interests = {
            room: interest
            for room, interest in self._interests.items()
            if interest.until + self._longer.get(room, (self._linger, 0))[0] > now
        }
        self._longer = {
            room: (seconds, until)
            for room, (seconds, until) in self._longer.items()
            if room in self._interests or until > now
        }
        return sorted(self._interests, key=self._rank)

    def _rank(self, room: Room) -> tuple[int, float]:
        interest = self._interests[room]
        return interest.doubt, interest.since

    def _fairly(self, rooms: Iterable[Room]) -> list[Room]:
        """Sort rooms, which come longest watched first, by what speaks for them.

        Of the rooms with one address, the longest watched of each address come first, then
        the second of each, and so on. A limit then takes from the address that has most.
        """
        ranks: dict[Room, tuple[_Claim, int]] = {}
        taken: Counter[str] = Counter()
        for room in rooms:
            interest = self._interests[room]
            viewer = interest.only_viewer()
            claim = interest.claim(viewer)
            ranks[room] = claim, taken[viewer] if claim is _Claim.ONE else 0
            taken[viewer] += claim is _Claim.ONE
        return sorted(ranks, key=ranks.__getitem__)

    def _needed_until(self, interest: _Interest) -> float:
        return max((self._hubs[hub][1] for hub in interest.hubs), default=0.0)
