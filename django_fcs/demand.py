"""Which rooms browsers need, as the web processes announce them: soft state."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .rooms import Room

__all__ = ["Demand"]


@dataclass
class _Interest:
    since: float
    """When somebody first wanted the room, without a break since."""
    until: float
    """When the last announcement of it runs out."""
    is_doubtful: bool = False
    """The vendor did not confirm it."""


class Demand:
    """Rooms wanted by hubs; every call is given the time (monotonic seconds).

    A hub repeats its rooms well within ``ttl``. A hub that is killed says nothing
    more, so its rooms run out; one that leaves a room says so by leaving it out.
    Either way the room lingers before it counts as wanted no longer.
    """

    def __init__(self, *, ttl: float, linger: float) -> None:
        self._ttl = ttl
        self._linger = linger
        self._hubs: dict[str, tuple[frozenset[Room], float]] = {}
        self._interests: dict[Room, _Interest] = {}

    def announce(self, hub: str, rooms: Iterable[Room], now: float) -> None:
        """Take in what one hub needs, in place of what it needed before; longest first."""
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

        Anybody may invent a symbol, and must not take the place of one that exists.
        """
        for room in unconfirmed:
            if room in self._interests:
                self._interests[room].is_doubtful = True
        for room, interest in self._interests.items():
            if interest.is_doubtful and room in joined:
                interest.is_doubtful = False

    def rooms(self, now: float) -> list[Room]:
        """Return the wanted rooms, longest watched first, lingering ones included.

        Those in doubt stand behind all others.
        """
        self._hubs = {hub: known for hub, known in self._hubs.items() if known[1] > now}
        self._interests = {
            room: interest
            for room, interest in self._interests.items()
            if interest.until + self._linger > now
        }
        return sorted(self._interests, key=self._rank)

    def _rank(self, room: Room) -> tuple[bool, float]:
        interest = self._interests[room]
        return interest.is_doubtful, interest.since

    def _needed_until(self, room: Room) -> float:
        return max((until for rooms, until in self._hubs.values() if room in rooms), default=0.0)
