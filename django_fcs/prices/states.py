"""The only module that decides which state a room is in.

The stream keeps a ``Pulse`` for each room and publishes the ``Expectation`` that follows
from it: a few numbers, which hubs and the cache store with the price. ``decide`` computes
the ``State`` from them, the price's age and the path's last heartbeat.
"""

from __future__ import annotations

import math
from enum import Enum

import msgspec
from msgspec.structs import replace

from django_fcs.protocol.bounds import Seconds, UnixTime
from django_fcs.protocol.intervals import PONG_SECONDS

from .sessions import Hours, Phase

__all__ = [
    "Expectation",
    "Outage",
    "Pulse",
    "Rhythm",
    "State",
    "decide",
]

#: A silence of this many times the longest recent gap is unusual for the room. If ticks come
#: at random and n gaps were seen, the next gap is that long with a probability of n⁻³.
GAPS = 3

#: A stream reports within this time that a market has opened.
OPENING_SECONDS = 60

#: A remembered gap shrinks by a factor of e in this time.
MEMORY_SECONDS = 3600

#: The longest patience. A room with one tick an hour stays within it. A silent price should
#: not be shown as the current market price for longer than a morning.
CEILING_SECONDS = 4 * 3600

#: Patience is published in steps of this factor, because each change costs a message.
_STEP = 1.5


class State(str, Enum):
    """The state of a room, as visitors see it."""

    WAITING = "waiting"  #: no price has arrived yet
    LIVE = "live"  #: the last price is the current market price
    STALE = "stale"  #: a tick was due and did not arrive
    CLOSED = "closed"  #: the market is not open
    OFFLINE = "offline"  #: the path from the vendor is broken

    def __str__(self) -> str:
        return self.value


def decide(
    *,
    age: float | None,
    expected: Expectation,
    now: float,
    broken: bool,
    stale_after: float,
    unproved: bool = False,
    outdated: bool = False,
) -> State:
    """Decide the state of a room.

    Args:
        age: Age of its last price in seconds; ``None`` before the first.
        expected: What the stream expects of the room.
        now: Unix seconds, on the stream's clock.
        broken: Whether the path from the vendor is broken, see ``PathReport``.
        stale_after: Seconds of silence that the site always allows.
        unproved: Whether a newer price may have been missed.
        outdated: Whether the path was broken after the price came, for longer than a page
            may show a wrong state, and no price of the room has come since.

    A broken path has priority, because nothing is known then, not even whether the market
    has closed. A market opens with its first price. Until then, or until a price was due,
    the price of the last session counts as that of a closed market.
    """
    if broken:
        return State.OFFLINE
    if age is None:
        return State.WAITING
    if expected.is_closed(now):
        return State.CLOSED
    open_for = expected.open_for(now)
    silence = age if open_for is None else min(age, open_for)
    overdue = unproved or expected.is_overdue(now)
    if overdue or silence > max(stale_after, min(expected.patience, CEILING_SECONDS)):
        return State.STALE
    if silence < age:
        return State.CLOSED
    return State.OFFLINE if outdated else State.LIVE


class Outage(msgspec.Struct, frozen=True):
    """The last time without data from the vendor; unix seconds on the stream's clock, 0 = never.

    It begins with the last data from the vendor. The connection may have been lost up to
    ``PONG_SECONDS`` later.
    """

    lost_at: UnixTime = 0.0
    ended_at: UnixTime = 0.0
    before: UnixTime = 0.0
    """When the outage before this one ended."""

    def until(self, now: float) -> Outage:
        """Return the same without times in the future, which exist after a clock was set back."""
        if max(self.lost_at, self.ended_at, self.before) <= now:
            return self
        return Outage(min(self.lost_at, now), min(self.ended_at, now), min(self.before, now))

    def outdates(self, at: float, now: float, offline_after: float) -> bool:
        """Tell whether a price of ``at`` is too old to be shown as live after this outage.

        A new connection proves nothing about a room: the last of several hundred rooms is
        joined ten seconds later. A short outage does not change the state.
        """
        is_long = abs(now - self.lost_at) > offline_after + PONG_SECONDS
        return at < self.before or (at < self.ended_at and is_long)


class Expectation(msgspec.Struct, frozen=True):
    """What is expected of a room. Times are unix seconds on the stream's clock."""

    closed: bool = False
    patience: Seconds = 0.0
    """Seconds of silence that the room's own rate allows."""
    since: UnixTime | None = None
    """When its market opened or closed; ``None`` = not known."""
    until: UnixTime | None = None
    """When it will close or open next; ``None`` = not known."""
    overdue: bool = False
    """A tick was due and has not come. The answer to a join may be old, so it is no tick.

    Also true if no tick can come because the room is no longer streamed. ``closed`` is then
    valid until the market opens.
    """

    def left(self) -> Expectation:
        """Return what is expected of the room once it is no longer streamed."""
        return replace(self, closed=self.closed and self.until is not None, overdue=True)

    def is_closed(self, now: float) -> bool:
        """Tell whether its market is closed, as far as that is known.

        The stream reports the opening. If no stream does so any more, the clock decides.
        """
        grace = 0.0 if self.overdue else OPENING_SECONDS
        return self.closed and (self.until is None or now < self.until + grace)

    def is_overdue(self, now: float) -> bool:
        """Tell whether a tick was due, or the market has opened and no stream reported it."""
        return self.overdue or (self.closed and not self.is_closed(now))

    def open_for(self, now: float) -> float | None:
        """Return for how many seconds the market has been open; ``None`` = not known."""
        if self.closed or self.since is None or self.since > now + OPENING_SECONDS:
            return None
        return max(0.0, now - self.since)

    @property
    def opens_at(self) -> int | None:
        """When a closed market opens, in unix seconds; ``None`` = not known, or open."""
        return None if not self.closed or self.until is None else int(self.until)


class Rhythm:
    """How long a room is usually silent: its longest recent gap between ticks.

    Args:
        floor: Seconds of silence that are always allowed, ``FCS_STALE_AFTER_SECONDS``.

    A longer gap counts at once, a shorter one never, so bursts have no effect. A new room
    starts with an assumed gap of ``floor``, which decays within about ``floor`` seconds.
    A gap beyond the patience counts as that patience, because an outage must not make the
    room patient. After four ticks a room with one tick an hour is known as slow.
    """

    __slots__ = ("_at", "_began", "_learned_at", "_longest", "floor")

    def __init__(self, floor: float) -> None:
        self.floor = max(floor, 0.001)
        self._began: float | None = None
        self._at = 0.0
        self._longest = 0.0
        self._learned_at = 0.0

    @property
    def patience(self) -> float:
        """Seconds of silence after the last tick that are usual for the room."""
        known = self._decayed()
        watched = 0.0 if self._began is None else max(0.0, self._at - self._began)
        supposed = self.floor * math.exp(-watched / self.floor)
        return max(self.floor, min(GAPS * max(known, supposed), CEILING_SECONDS))

    def is_long(self, at: float) -> bool:
        """Tell whether a tick now would end a gap that counts."""
        return self._began is not None and GAPS * (at - self._at) > self.floor

    def tick(self, at: float) -> None:
        """Learn from a tick that came at ``at``, in unix seconds."""
        if self.is_long(at):
            gap = min(at - self._at, self.patience)
            if gap >= self._decayed(at):
                self._longest, self._learned_at = gap, at
        self.rest(at)

    def rest(self, at: float) -> None:
        """Start counting here: the silence before was not caused by the room."""
        if self._began is None:
            self._began = at
        self._at = at

    def _decayed(self, at: float | None = None) -> float:
        elapsed = (self._at if at is None else at) - self._learned_at
        return self._longest * math.exp(-max(0.0, elapsed) / MEMORY_SECONDS)


class Pulse:
    """What the stream knows about one room: its ticks, the vendor's session, market hours.

    Args:
        hours: When its market is open.
        floor: ``FCS_STALE_AFTER_SECONDS``.
        at: When the room was joined.

    All times are unix seconds. The hours of a delayed feed are shifted by its delay.
    """

    __slots__ = (
        "_delay",
        "_heard_at",
        "_hours",
        "_overdue_at",
        "_rhythm",
        "_said_closed_at",
        "_ticked_at",
    )

    def __init__(self, hours: Hours, *, floor: float, at: float) -> None:
        self._hours = hours
        self._rhythm = Rhythm(floor)
        self._heard_at = at
        self._ticked_at: float | None = None
        self._said_closed_at: float | None = None
        self._overdue_at: float | None = None
        self._delay = 0.0

    def tick(self, at: float) -> None:
        """Note a tick, which has priority over the vendor's session and over calendars."""
        if self._rhythm.is_long(at):
            since = self._phase(at).since
            if since is not None and since > self._heard_at:
                self._rhythm.rest(since)
        self._rhythm.tick(at)
        self._heard_at = self._ticked_at = at
        self._said_closed_at = self._overdue_at = None

    def initial(self, at: float) -> None:
        """Note the answer to a join, which comes at night too and says nothing about a rate.

        The confirmation of a join counts the same: the room did not cause the silence before.
        """
        self._rhythm.rest(at)
        self._heard_at = at

    def describe(self, *, is_open: bool | None, delay: float | None, at: float) -> None:
        """Note a profile: the vendor's session, and the delay in seconds.

        An open session proves nothing, because the vendor may send it at any hour.
        """
        self._said_closed_at = at if is_open is False else None
        self._delay = delay or 0.0

    def expect(self, now: float) -> Expectation:
        """Return what is expected of the room from now on."""
        phase = self._phase(now)
        patience = self._patience()
        closed = self._is_closed(phase, now, patience)
        overdue = self._is_overdue(phase, closed)
        if closed != (phase.is_open is False):
            # The calendar is wrong, so its next time does not count either.
            return Expectation(closed, patience, overdue=overdue)
        return Expectation(closed, patience, phase.since, phase.until, overdue)

    def is_due(self, now: float) -> bool:
        """Tell whether a tick should have come by now.

        False for a closed market, and before the first tick if the hours are unknown.
        """
        if abs(now - self._heard_at) <= self._rhythm.floor:
            return False
        expected = self.expect(now)
        if expected.closed or (self._ticked_at is None and not self._phase(now).is_open):
            return False
        silent_since = max(self._heard_at, expected.since or 0.0)
        # A tick with a time in the future came before the clock was set back.
        return abs(now - silent_since) > expected.patience

    def note_overdue(self, now: float) -> None:
        """Remember that a tick was due, until a tick comes or the market opens again."""
        self._overdue_at = now

    def _is_overdue(self, phase: Phase, closed: bool) -> bool:
        overdue_at = self._overdue_at
        return not closed and overdue_at is not None and overdue_at >= (phase.since or 0.0)

    def _is_closed(self, phase: Phase, now: float, patience: float) -> bool:
        began = phase.since or 0.0
        if self._said_closed_at is not None and self._said_closed_at >= began:
            return True  # Sent in this session; what was sent in an earlier one does not count.
        if phase.is_open is not False:
            return False
        ticked = self._ticked_at
        return ticked is None or ticked < began or now - ticked > patience

    def _phase(self, now: float) -> Phase:
        phase = self._hours.phase(now - self._delay)
        if not self._delay or phase.since is None or phase.until is None:
            return phase
        return Phase(phase.is_open, phase.since + self._delay, phase.until + self._delay)

    def _patience(self) -> float:
        floor, exact = self._rhythm.floor, self._rhythm.patience
        steps = math.ceil(math.log(exact / floor, _STEP))
        return max(floor, min(floor * _STEP**steps, CEILING_SECONDS))
