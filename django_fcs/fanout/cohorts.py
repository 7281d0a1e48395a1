"""Browsers on the merge protocol: which of them share a frame, and when it is sent.

Every browser starts in a cohort of its own. Cohorts are united if they have the same
rooms and rate and were sent the same messages. From then on one frame is written for
all their browsers. A browser that falls behind gets a cohort of its own again.
Nothing here waits or reads a clock: callers give the time, in monotonic seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from django_fcs.prices.updates import Update

from .agenda import Agenda
from .mail import FRAME_BYTES, Mail
from .routes import Key, Reader, Routes

__all__ = ["Cohorts", "Member", "Run"]

#: Frames that had to wait are sent at multiples of this, so that cohorts share the wake-ups
#: of the process. The first frame after a quiet time is sent at once.
GRID_SECONDS = 0.025

#: How many frames are written before the first of them is sent. If writing and sending took
#: turns, each would find the processor's caches filled by the other. With a higher number the
#: first frames would wait longer.
FRAMES_AT_ONCE = 64


class Member(Protocol):
    """What a cohort needs of a browser."""

    @property
    def is_open(self) -> bool:
        """Whether a message sent now goes out at once."""


M = TypeVar("M", bound=Member)


class _Cohort(Generic[M]):
    """Browsers that are sent the same frames; one reader of the rooms they joined."""

    __slots__ = (
        "agenda",
        "arrivals",
        "due",
        "fresh",
        "grid",
        "interval",
        "is_listed",
        "keys",
        "mail",
        "members",
        "name",
        "newest",
    )

    def __init__(self, agenda: Agenda[_Cohort[M]], interval: float) -> None:
        self.agenda = agenda
        self.pace(interval)
        self.members: dict[M, None] = {}
        self.keys: dict[Key, None] = {}
        self.fresh: set[Key] = set()
        """Rooms that have had no price since they were joined."""
        self.write_on(Mail())
        self.due = -math.inf
        """When the next frame may be sent; infinite while its only member is not open."""
        self.is_listed = False
        """Whether it is on the agenda; a flag, so that not every price asks the agenda."""
        self.name: Hashable = None
        """Equal for cohorts that could share frames; ``None`` while unknown."""
        self.arrivals: list[_Cohort[M]] = []
        """Cohorts of the same name, to be united with this one after its next frame."""

    def pace(self, interval: float) -> None:
        """Set the time between two frames, in seconds."""
        self.interval = interval
        self.grid = min(GRID_SECONDS, interval / 10)

    def write_on(self, mail: Mail) -> None:
        """Set the mail, which holds what is not sent yet."""
        self.mail = mail
        self.newest = mail.newest

    def put(self, key: Key, update: Update) -> None:
        if key in self.fresh:
            self.fresh.discard(key)
            self.name = None
            update = update.in_mode("initial")
        self.mail.put(key, update)
        self.enlist()

    def describe(self, key: Key, text: str) -> None:
        self.mail.describe(key, text)
        self.enlist()

    def tell(self, key: Hashable, text: str) -> None:
        self.mail.tell(key, text)
        self.enlist()

    def enlist(self) -> None:
        """Put it on the agenda, now that it has something to send."""
        self.is_listed = self.due < math.inf
        self.agenda.add(self, self.due)


@dataclass
class Run(Generic[M]):
    """Frames that are sent at the same time."""

    frames: list[tuple[Collection[M], str]] = field(default_factory=list)
    """Each frame with the browsers it is sent to."""
    first_at: float | None = None
    """When the first price of one of them came in, in unix seconds; ``None`` if that price
    is the first of its room."""


class Cohorts(Generic[M]):
    """All browsers of a process that use the merge protocol."""

    def __init__(self) -> None:
        self._routes: Routes[_Cohort[M]] = Routes()
        self._agenda: Agenda[_Cohort[M]] = Agenda()
        self._of: dict[M, _Cohort[M]] = {}
        self._all: dict[_Cohort[M], None] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def members(self) -> int:
        """The number of browsers."""
        return len(self._of)

    def waiting(self) -> list[int]:
        """Return how many messages wait for each cohort; may be called from any thread."""
        return [len(cohort.mail) for cohort in tuple(self._all)]

    def enter(self, member: M, rate: float) -> None:
        """Add a browser that gets at most ``rate`` frames a second."""
        self._admit(member, _Cohort(self._agenda, 1 / rate))

    def exit(self, member: M) -> None:
        """Remove a browser."""
        cohort = self._of.pop(member)
        del cohort.members[member]
        if not cohort.members:
            self._dissolve(cohort)

    def set_rate(self, member: M, rate: float) -> None:
        """Send a browser at most ``rate`` frames a second, counted from its last frame."""
        cohort = self._alone(member)
        cohort.due += 1 / rate - cohort.interval
        cohort.pace(1 / rate)
        if cohort.mail:
            cohort.enlist()

    def join(self, member: M, key: Key) -> Reader:
        """Send a room to a browser from now on; its first price will be an initial.

        Returns a reader of this browser alone, for what is already known of the room.
        """
        cohort = self._alone(member)
        cohort.keys[key] = None
        cohort.fresh.add(key)
        cohort.mail.forget(key)
        self._routes.add(key, cohort)
        return cohort

    def leave(self, member: M, key: Key) -> None:
        """Stop sending a room to a browser."""
        cohort = self._alone(member)
        cohort.keys.pop(key, None)
        cohort.fresh.discard(key)
        cohort.mail.forget(key)
        self._routes.discard(key, cohort)

    def put(self, key: Key, update: Update) -> None:
        """Send a price to the browsers in its room; it replaces an older one that waits."""
        for cohort in self._routes.of(key):
            if cohort.fresh:
                cohort.put(key, update)
                continue
            newest = cohort.newest
            if key in newest:
                cohort.mail.put(key, update)
            else:
                newest[key] = update
            if not cohort.is_listed:
                cohort.enlist()

    def describe(self, key: Key, text: str) -> None:
        """Send a profile to the browsers in its room."""
        for cohort in self._routes.of(key):
            cohort.describe(key, text)

    def tell(self, key: Key, text: str) -> None:
        """Send a state to the browsers in its room; it replaces an older one that waits."""
        for cohort in self._routes.of(key):
            cohort.tell(key, text)

    def tell_all(self, key: Hashable, text: str) -> None:
        """Send a message to all browsers; it replaces an older one of this key that waits."""
        for cohort in self._all:
            cohort.tell(key, text)

    def ready(self, member: M) -> None:
        """Note that a browser can be sent frames again."""
        cohort = self._of[member]
        if cohort.due == math.inf:
            cohort.due = -math.inf
            if cohort.mail:
                cohort.enlist()

    def next_due(self) -> float:
        """Return when to flush again, in monotonic seconds; infinite if nothing is due."""
        return self._agenda.next()

    def flush(self, now: float) -> Iterator[Run[M]]:
        """Yield the frames that are due; send each run before you take the next one."""
        due = [cohort for cohort in self._agenda.take(now) if self._is_due(cohort, now)]
        for first in range(0, len(due), FRAMES_AT_ONCE):
            yield self._run_of(due[first : first + FRAMES_AT_ONCE], now)
        for cohort in due:
            if cohort.arrivals:
                yield from self._unite_arrivals(cohort, now)

    def _run_of(self, cohorts: list[_Cohort[M]], now: float) -> Run[M]:
        run: Run[M] = Run()
        for cohort in cohorts:
            came_at = cohort.mail.first_at() if run.first_at is None else run.first_at
            if frame := self._written(cohort, now):
                run.frames.append((cohort.members, frame))
                run.first_at = came_at
        return run

    def _is_due(self, cohort: _Cohort[M], now: float) -> bool:
        cohort.is_listed = False
        if cohort.due > now:
            cohort.enlist()
            return False
        return bool(cohort.members)

    def settle(self) -> None:
        """Unite cohorts that can share their frames; call it from time to time."""
        firsts: dict[Hashable, _Cohort[M]] = {}
        for cohort in list(self._all):
            cohort.arrivals = []
            if cohort.name is None:
                cohort.name = (cohort.interval, frozenset(cohort.keys), frozenset(cohort.fresh))
            first = firsts.setdefault(cohort.name, cohort)
            if first is not cohort and not self._unite(first, cohort):
                first.arrivals.append(cohort)

    def _written(self, cohort: _Cohort[M], now: float) -> str:
        """Return the next frame for the members that are open; empty if there is none."""
        for member in cohort.members:
            if not member.is_open:
                self._part_with_the_shut(cohort)
                break
        if cohort.due == math.inf:
            return ""
        frame = cohort.mail.frame()
        if frame:
            cohort.due = _turn_after(cohort, now)
        if len(frame) >= FRAME_BYTES and cohort.mail:
            cohort.enlist()
        return frame

    def _part_with_the_shut(self, cohort: _Cohort[M]) -> None:
        for member in [member for member in cohort.members if not member.is_open]:
            self._alone(member).due = math.inf

    def _unite_arrivals(self, cohort: _Cohort[M], now: float) -> Iterator[Run[M]]:
        arrivals, cohort.arrivals = cohort.arrivals, []
        for other in arrivals:
            if cohort.name is None or other.name != cohort.name or not other.members:
                continue
            if other.due <= now and (frame := self._written(other, now)):
                yield Run([(other.members, frame)])
            if not self._unite(cohort, other) and other.due < math.inf:
                # They send at different times: ``other`` waits once, until ``cohort`` is due.
                other.due = max(other.due, cohort.due)
                cohort.arrivals.append(other)

    def _unite(self, cohort: _Cohort[M], other: _Cohort[M]) -> bool:
        """Unite two cohorts if neither has anything to send; return whether they are united.

        Two cohorts of the same name without mail were sent the same messages.
        """
        if cohort.mail or other.mail or math.inf in (cohort.due, other.due):
            return False
        cohort.members.update(other.members)
        cohort.due = max(cohort.due, other.due)
        self._of.update(dict.fromkeys(other.members, cohort))
        other.members = {}
        self._dissolve(other)
        return True

    def _alone(self, member: M) -> _Cohort[M]:
        """Return a cohort that has only this member; split it off if necessary."""
        cohort = self._of[member]
        cohort.name = None
        if len(cohort.members) == 1:
            return cohort
        own: _Cohort[M] = _Cohort(self._agenda, cohort.interval)
        own.keys, own.fresh = cohort.keys.copy(), cohort.fresh.copy()
        own.write_on(cohort.mail.copy())
        own.due = cohort.due
        del cohort.members[member]
        self._admit(member, own)
        return own

    def _admit(self, member: M, cohort: _Cohort[M]) -> None:
        cohort.members[member] = None
        self._of[member] = cohort
        self._all[cohort] = None
        for key in cohort.keys:
            self._routes.add(key, cohort)
        if cohort.mail:
            cohort.enlist()

    def _dissolve(self, cohort: _Cohort[M]) -> None:
        for key in cohort.keys:
            self._routes.discard(key, cohort)
        del self._all[cohort]


def _turn_after(cohort: _Cohort[M], now: float) -> float:
    """Return when the next frame may be sent, counted from when this one was due."""
    grid = cohort.grid
    begun = cohort.due if now - cohort.due < grid else now
    return math.ceil((begun + cohort.interval) / grid - 1e-6) * grid
