"""The one place that decides what a price may claim to be.

The stream keeps a ``Pulse`` a room and tells the ``Expectation`` that follows from it:
a few numbers, which hubs and the cache hold beside the price. ``decide`` turns them,
the price's age and the path's last beat into a ``State``.
"""

from __future__ import annotations

import math
from enum import Enum

import msgspec
from msgspec.structs import replace

from django_fcs.protocol.intervals import PONG_SECONDS, Seconds, UnixTime

from .sessions import Hours, Phase

__all__ = [
    "Expectation",
    "Outage",
    "Pulse",
    "Rhythm",
    "State",
    "decide",
]

#: A silence of so many times the longest gap of late is none of the room's habits. Where
#: ticks fall at random, n gaps seen leave a chance of n⁻³ that the next is as long.
GAPS = 3

#: A stream says sooner than this that a market has opened.
OPENING_SECONDS = 60

#: How long a gap is remembered: by a factor e less after this time.
MEMORY_SECONDS = 3600

#: The longest patience. A room that ticks once an hour keeps within it; nobody should be
#: told of a silent price for longer than a morning that it is the market's.
CEILING_SECONDS = 4 * 3600

#: Patience is told in steps of this factor: a change of it costs a message.
_STEP = 1.5


class State(str, Enum):
    """What a viewer may be told of a room."""

    WAITING = "waiting"  #: no price has come yet
    LIVE = "live"  #: the last price is the market's
    STALE = "stale"  #: a tick was due and did not come
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
        age: Of its last price, in seconds; ``None`` before the first.
        expected: What the stream expects of the room.
        now: Unix seconds, on the stream's clock.
        broken: Whether the path from the vendor is broken, as ``PathReport`` says.
        stale_after: Seconds of silence that the site always allows.
        unproved: Whether a newer price may have been missed.
        outdated: Whether the path was broken since the price came, for longer than a page
            may be wrong, and the room has not been heard again.

    A broken path outweighs everything: nothing is known behind it, not even that the
    market closed. A market opens with its first price. Until then, or until a price was
    due, the last price of the session before is that of a closed market.
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
    if overdue or silence > max(stale_after, expected.patience):
        return State.STALE
    if silence < age:
        return State.CLOSED
    return State.OFFLINE if outdated else State.LIVE


class Outage(msgspec.Struct, frozen=True):
    """The last time without data from the vendor; unix seconds on the stream's clock, 0 = never.

    It begins when the vendor was last heard. The connection may have been lost up to
    ``PONG_SECONDS`` later.
    """

    lost_at: UnixTime = 0.0
    ended_at: UnixTime = 0.0
    before: UnixTime = 0.0
    """When the outage before this one ended."""

    def until(self, now: float) -> Outage:
        """Return the same without times in the future, as after the clock was put back."""
        if max(self.lost_at, self.ended_at, self.before) <= now:
            return self
        return Outage(min(self.lost_at, now), min(self.ended_at, now), min(self.before, now))

    def outdates(self, at: float, now: float, offline_after: float) -> bool:
        """Tell whether a price of ``at`` is too old to be shown as live since this outage.

        A new connection proves nothing about a room: the last of some hundred rooms is
        joined ten seconds later. A short outage changes no state.
        """
        is_long = abs(now - self.lost_at) > offline_after + PONG_SECONDS
        return at < self.before or (at < self.ended_at and is_long)


class Expectation(msgspec.Struct, frozen=True):
    """What is expected of a room. Times are unix seconds on the stream's clock."""

    closed: bool = False
    patience: Seconds = 0.0
    """Seconds of silence that its own rate allows."""
    since: UnixTime | None = None
    """When its market opened or closed; ``None`` = not known."""
    until: UnixTime | None = None
    """When it will close or open next; ``None`` = not known."""
    overdue: bool = False
    """A tick was due and has not come: an answer to a join, which may be old, is none.

    Or none can come, as the room is streamed no longer. What it said of a closed market
    holds until that opens.
    """

    def left(self) -> Expectation:
        """Return what is expected of a room from when it is streamed no longer."""
        return replace(self, closed=self.closed and self.until is not None, overdue=True)

    def is_closed(self, now: float) -> bool:
        """Tell whether its market is closed, as far as that is known.

        When it opens the stream says so; where no stream does any more, the clock.
        """
        grace = 0.0 if self.overdue else OPENING_SECONDS
        return self.closed and (self.until is None or now < self.until + grace)

    def is_overdue(self, now: float) -> bool:
        """Tell whether a tick was due; also since an opening of which nobody told."""
        return self.overdue or (self.closed and not self.is_closed(now))

    def open_for(self, now: float) -> float | None:
        """Return for how many seconds the market has been open, where that is known."""
        return None if self.closed or self.since is None else max(0.0, now - self.since)

    @property
    def opens_at(self) -> int | None:
        """When a closed market opens, in unix seconds; ``None`` = not known, or open."""
        return None if not self.closed or self.until is None else int(self.until)


class Rhythm:
    """How long a room's silences are: its longest gap of late.

    Args:
        floor: Seconds of silence that are always allowed, ``FCS_STALE_AFTER_SECONDS``.

    A burst changes nothing, a longer gap counts at once, a shorter one never. Of a new
    room a gap of ``floor`` is supposed, which is forgotten as fast. An outage must not
    make the room patient: a gap beyond its patience counts as that patience, so it
    takes a room of one tick an hour four ticks to be known as such.
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
        """Seconds of silence after the last tick that are within the room's habits."""
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
        """Count from here: the silence before was not the room's."""
        if self._began is None:
            self._began = at
        self._at = at

    def _decayed(self, at: float | None = None) -> float:
        elapsed = (self._at if at is None else at) - self._learned_at
        return self._longest * math.exp(-max(0.0, elapsed) / MEMORY_SECONDS)


class Pulse:
    """One room as the stream hears it: its ticks, the vendor's word, its market's hours.

    Args:
        hours: When its market is open.
        floor: ``FCS_STALE_AFTER_SECONDS``.
        at: When the room was joined.

    All times are unix seconds. The hours of a delayed feed are later by its delay.
    """

    __slots__ = (
        *("_delay", "_heard_at", "_hours", "_overdue_at", "_rhythm"),
        *("_said_closed_at", "_ticked_at"),
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
        """Take in any price but an initial: it outweighs the vendor's word and calendars."""
        if self._rhythm.is_long(at):
            since = self._phase(at).since
            if since is not None and since > self._heard_at:
                self._rhythm.rest(since)
        self._rhythm.tick(at)
        self._heard_at = self._ticked_at = at
        self._said_closed_at = self._overdue_at = None

    def initial(self, at: float) -> None:
        """Take in the answer to a join: it comes at night too, and tells of no rate.

        The confirmation of a join counts as much: the silence before was not the room's.
        """
        self._rhythm.rest(at)
        self._heard_at = at

    def describe(self, *, is_open: bool | None, delay: float | None, at: float) -> None:
        """Take in a profile: what the vendor says of the session, and the delay in seconds.

        That a market is open is no proof, as it may be said at any hour.
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
            # The calendar errs: nor has it a next time.
            return Expectation(closed, patience, overdue=overdue)
        return Expectation(closed, patience, phase.since, phase.until, overdue)

    def is_due(self, now: float) -> bool:
        """Tell whether a tick should have come by now.

        Never of a closed market, nor of one whose hours nobody knows before its first tick.
        """
        if abs(now - self._heard_at) <= self._rhythm.floor:
            return False
        expected = self.expect(now)
        if expected.closed or (self._ticked_at is None and not self._phase(now).is_open):
            return False
        silent_since = max(self._heard_at, expected.since or 0.0)
        # A tick from the future is one from before the clock was put back.
        return abs(now - silent_since) > expected.patience

    def note_overdue(self, now: float) -> None:
        """Remember that a tick was due, until one comes or the market opens anew."""
        self._overdue_at = now

    def _is_overdue(self, phase: Phase, closed: bool) -> bool:
        overdue_at = self._overdue_at
        return not closed and overdue_at is not None and overdue_at >= (phase.since or 0.0)

    def _is_closed(self, phase: Phase, now: float, patience: float) -> bool:
        began = phase.since or 0.0
        if self._said_closed_at is not None and self._said_closed_at >= began:
            return True  # It was said of this session; of an earlier one it says nothing.
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
