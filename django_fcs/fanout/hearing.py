"""Whether a process hears all that the stream says; where it does not, it has to begin anew.

A connection that looks well may be deaf: a Redis that forgot who is in a group, a layer
that was full, a machine that slept. Two things tell: a beat is missing, or a text of a
room, which the stream numbers as they go out, so that what it merges before is no gap.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping

from django_fcs.layer.events import Beat, Event
from django_fcs.prices.updates import Update
from django_fcs.rooms import Room
from django_fcs.tools.backoff import doubling
from django_fcs.tools.metrics import count

from .watched import Feed

__all__ = ["Hearing"]

logger = logging.getLogger(__name__)

#: Two beats are missing, with time left for a new start before pages say offline.
BEATS_SECONDS = 6.5

#: Without a beat for longer, nothing that comes is taken for news.
LATE_SECONDS = 10

#: The pauses between new starts, first and longest, and after how long without one the
#: next is a first one. A layer that is full loses more with each; a stream that has
#: ended is not there either way.
PAUSE_SECONDS = 2
PAUSE_MAX_SECONDS = 30
SETTLED_SECONDS = 60


class Hearing:
    """What one member of the channel layer hears, and what it has missed.

    Every call is given the time, in monotonic seconds. ``feeds`` is the hub's own.
    """

    def __init__(self, feeds: Mapping[Room, Feed]) -> None:
        self._feeds = feeds
        self._beat_at = 0.0
        self._has_gap = False
        self._pauses = doubling(first=PAUSE_SECONDS, cap=PAUSE_MAX_SECONDS)
        self._rests_until = -math.inf

    def begin(self, now: float) -> None:
        """Listen with a new member: whatever comes first is no gap."""
        self._beat_at, self._has_gap = now, False
        for feed in self._feeds.values():
            feed.next_seq = math.inf

    def follow(self, rooms: Iterable[Room]) -> None:
        """Miss nothing of these rooms from now on: their groups are joined."""
        for room in rooms:
            feed = self._feeds.get(room)
            if feed is not None and feed.next_seq == math.inf:
                feed.next_seq = -1

    def is_late(self, now: float) -> bool:
        """Tell whether what comes now may have come long ago.

        Where a process stood still, buffers on the way kept prices and beats for it: worked
        off, they would be news for a moment. A new member hears only what is said from now on.
        """
        silence = now - self._beat_at
        if silence <= LATE_SECONDS:
            return False
        _tell(f"what comes may be {silence:.0f} s old")
        return True

    def take(self, burst: Iterable[Event], now: float) -> bool:
        """Take note of what has come; True where something is missing for the first time."""
        had_gap = self._has_gap
        for event in burst:
            if isinstance(event, Update):
                feed = self._feeds.get(event.room)
                if feed is not None and event.seq >= feed.next_seq:
                    if event.seq > feed.next_seq >= event.epoch * 1000:
                        self._has_gap = True
                    feed.next_seq = event.seq + 1
            elif isinstance(event, Beat):
                self._beat_at = now
        return self._has_gap and not had_gap

    def trouble(self, now: float) -> str:
        """Return why to begin anew now; empty where all is well, or it was tried just now."""
        reason = "a price is missing" if self._has_gap else ""
        if now - self._beat_at > BEATS_SECONDS:
            reason = "no beat of the stream"
        if not reason or now < self._rests_until:
            return ""
        if now - self._rests_until > SETTLED_SECONDS:
            self._pauses = doubling(first=PAUSE_SECONDS, cap=PAUSE_MAX_SECONDS)
        self._rests_until = now + next(self._pauses)
        _tell(reason)
        return reason


def _tell(reason: str) -> None:
    if count("hub_deaf"):
        logger.warning("not all is heard, joining anew reason=%s", reason)
