"""Detection of missed messages: a process that misses some has to rejoin.

A connection that looks healthy may lose messages: Redis forgot the members of a group, a
layer was full, or a machine slept. There are two signs: a heartbeat is missing, or a text of
a room. The stream numbers the texts when it sends them, so the ticks that it merges before
leave no gap.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from django_fcs.layer.events import Beat, GroupEvent
from django_fcs.prices.updates import Update, start_of
from django_fcs.protocol.intervals import DEFAULT, Intervals
from django_fcs.rooms import Room
from django_fcs.tools.backoff import doubling
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count

__all__ = ["Hearing"]

logger = logger_of(__name__)

#: The longest pause between two rejoins. Each rejoin makes a full layer lose more messages, and
#: does not bring back a stream that has stopped.
PAUSE_MAX_SECONDS = 30

#: After this long without a rejoin, the pauses start with the shortest again.
SETTLED_SECONDS = 60


class Hearing:
    """What one member of the channel layer hears, and what it has missed.

    Callers give the time, in monotonic seconds.
    """

    def __init__(self, intervals: Intervals = DEFAULT) -> None:
        self._intervals = intervals
        self._next_seq: dict[Room, float] = {}
        """The number of each room's next text if none is missing; -1 if unknown. Infinite
        until the group is joined, because earlier texts were for the previous member."""
        self._late: dict[Room, int] = {}
        """The last number of each room that was lower than one before."""
        self._beat_at = 0.0
        self._has_gap = False
        self._pauses = self._from_the_first()
        self._rests_until = -math.inf

    def _from_the_first(self) -> Iterator[float]:
        return doubling(first=self._intervals.rejoin, cap=PAUSE_MAX_SECONDS)

    def begin(self, now: float) -> None:
        """Start with a new member of the layer: its first messages are no gap."""
        self._beat_at, self._has_gap = now, False
        self._next_seq = dict.fromkeys(self._next_seq, math.inf)

    def add(self, room: Room) -> None:
        """Add a room; ``follow`` reports when its group is joined."""
        self._next_seq[room] = math.inf

    def discard(self, room: Room) -> None:
        """Remove a room."""
        self._next_seq.pop(room, None)
        self._late.pop(room, None)

    def follow(self, rooms: Iterable[Room]) -> None:
        """Look for gaps in these rooms from now on, as their groups are joined."""
        for room in rooms:
            if self._next_seq.get(room) == math.inf:
                self._next_seq[room] = -1

    def restart(self) -> None:
        """Accept any number for the next text of each room."""
        self._next_seq = dict.fromkeys(self._next_seq, -1)

    def is_late(self, now: float) -> bool:
        """Tell whether messages that come now may have been sent long ago.

        While a process stood still, buffers on the way kept prices and heartbeats for it. If it
        applied them one by one, it would show old prices as new. A new member gets only new
        messages.
        """
        silence = now - self._beat_at
        if silence <= self._intervals.late:
            return False
        _note(f"messages may be {silence:.0f} s old")
        return True

    def note(self, burst: Iterable[GroupEvent], now: float) -> bool:
        """Note what came; return True if it is the first to show that a text is missing."""
        had_gap = self._has_gap
        for event in burst:
            if isinstance(event, Update):
                self._note_number(event)
            elif isinstance(event, Beat):
                self._beat_at = now
        return self._has_gap and not had_gap

    def _note_number(self, update: Update) -> None:
        room, number = update.room, update.seq
        expected = self._next_seq.get(room)
        if expected is None or expected == math.inf or number + 1 == expected:
            return
        if number < expected:
            before, self._late[room] = self._late.get(room), number
            if before is None or number != before + 1:
                return  # A single lower number came late. The second shows that numbers fell.
        elif number > expected >= start_of(update.epoch):
            self._has_gap = True
        self._next_seq[room] = number + 1

    def trouble(self, now: float) -> str:
        """Return why to rejoin now; empty if nothing is missing or the last rejoin is recent."""
        reason = "a price is missing" if self._has_gap else ""
        if now - self._beat_at > self._intervals.beat_missing:
            reason = "no heartbeat from fcs_stream (is it running?)"
        if not reason or now < self._rests_until:
            return ""
        if now - self._rests_until > SETTLED_SECONDS:
            self._pauses = self._from_the_first()
        self._rests_until = now + next(self._pauses)
        _note(reason)
        return reason


def _note(reason: str) -> None:
    if count("hub_rejoins"):
        logger.warning("%s, rejoining", reason)
