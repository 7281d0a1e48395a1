"""Browsers on the merge protocol: who shares a frame with whom, and when it goes.

Every browser starts alone. Those that have joined the same rooms at the same rate
and have been sent the same are united, and from then on one frame is written for
all of them. Who falls behind goes alone again. Nothing here waits: the time is
given with every call, in monotonic seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from django_fcs.prices.updates import Update

from .agenda import Agenda
from .mail import FRAME_BYTES, Mail
from .routes import Reader, Routes

__all__ = ["Cohorts", "Member", "Run"]

#: Frames that waited go at multiples of this, so that cohorts share the wake-ups of the
#: process; the first after a quiet time goes at once.
GRID_SECONDS = 0.025

#: So many frames are written before the first of them is sent: taking turns, writing and
#: sending would each find the processor's caches full of the other. Not more: they wait.
FRAMES_AT_ONCE = 64


class Member(Protocol):
    """A browser, as far as a cohort knows it."""

    @property
    def is_open(self) -> bool:
        """Whether what is sent now goes at once."""


M = TypeVar("M", bound=Member)


class _Cohort(Generic[M]):
    """Browsers that are sent the same frames: one reader of the rooms they joined."""

    __slots__ = (
        *("agenda", "arrivals", "due", "fresh", "grid", "interval", "is_listed", "keys", "mail"),
        *("members", "name", "newest"),
    )

    def __init__(self, agenda: Agenda[_Cohort[M]], interval: float) -> None:
        self.agenda = agenda
        self.pace(interval)
        self.members: dict[M, None] = {}
        self.keys: dict[Hashable, None] = {}
        self.fresh: set[Hashable] = set()
        """Rooms of which no price has come since they were joined."""
        self.write_on(Mail())
        self.due = -math.inf
        """When the next frame may go; infinite while its only member is shut."""
        self.is_listed = False
        """Whether it stands on the agenda, so that not every price needs to ask."""
        self.name: Hashable = None
        """What it has in common with those who could share its frames."""
        self.arrivals: list[_Cohort[M]] = []
        """Those of the same name, to be united with it after its next frame."""

    def pace(self, interval: float) -> None:
        """Let so many seconds be between two frames."""
        self.interval = interval
        self.grid = min(GRID_SECONDS, interval / 10)

    def write_on(self, mail: Mail) -> None:
        """Go on with what is not sent yet."""
        self.mail = mail
        self.newest = mail.newest

    def put(self, key: Hashable, update: Update) -> None:
        if key in self.fresh:
            self.fresh.discard(key)
            self.name = None
            update = update.in_mode("initial")
        self.mail.put(key, update)
        self.enlist()

    def describe(self, key: Hashable, text: str) -> None:
        self.mail.describe(key, text)
        self.enlist()

    def tell(self, key: Hashable, text: str) -> None:
        self.mail.tell(key, text)
        self.enlist()

    def enlist(self) -> None:
        """Let its frame go when it is due, now that there is one."""
        self.is_listed = self.due < math.inf
        self.agenda.add(self, self.due)


@dataclass
class Run(Generic[M]):
    """Frames that go at the same time."""

    frames: list[tuple[Collection[M], str]] = field(default_factory=list)
    """Each with the browsers that it goes to."""
    first_at: float | None = None
    """When the first price of one of them came in, unix seconds; ``None`` where that is the
    first of its room."""


class Cohorts(Generic[M]):
    """All browsers of a process that are on the merge protocol."""

    def __init__(self) -> None:
        self._routes: Routes[_Cohort[M]] = Routes()
        self._agenda: Agenda[_Cohort[M]] = Agenda()
        self._of: dict[M, _Cohort[M]] = {}
        self._all: dict[_Cohort[M], None] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def members(self) -> int:
        """How many browsers there are."""
        return len(self._of)

    def waiting(self) -> list[int]:
        """Return how many messages wait in each mailbox; may be asked from any thread."""
        return [len(cohort.mail) for cohort in tuple(self._all)]

    def enter(self, member: M, rate: float) -> None:
        """Take in a browser that gets at most ``rate`` frames a second."""
        self._admit(member, _Cohort(self._agenda, 1 / rate))

    def exit(self, member: M) -> None:
        """Forget a browser that has gone."""
        cohort = self._of.pop(member)
        del cohort.members[member]
        if not cohort.members:
            self._dissolve(cohort)

    def set_rate(self, member: M, rate: float) -> None:
        """Send a browser at most so many frames a second, counted from the last one."""
        cohort = self._alone(member)
        cohort.due += 1 / rate - cohort.interval
        cohort.pace(1 / rate)
        if cohort.mail:
            cohort.enlist()

    def join(self, member: M, key: Hashable) -> Reader:
        """Send a room to a browser; its first price will be an initial.

        Returns the reader by which it alone can be told what is known already.
        """
        cohort = self._alone(member)
        cohort.keys[key] = None
        cohort.fresh.add(key)
        cohort.mail.forget(key)
        self._routes.add(key, cohort)
        return cohort

    def leave(self, member: M, key: Hashable) -> None:
        """Send a room to a browser no more."""
        cohort = self._alone(member)
        cohort.keys.pop(key, None)
        cohort.fresh.discard(key)
        cohort.mail.forget(key)
        self._routes.discard(key, cohort)

    def put(self, key: Hashable, update: Update) -> None:
        """Send a price to those that joined its room, or a newer one in its place."""
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

    def describe(self, key: Hashable, text: str) -> None:
        """Send a profile to those that joined its room."""
        for cohort in self._routes.of(key):
            cohort.describe(key, text)

    def tell(self, key: Hashable, text: str) -> None:
        """Send a state to those that joined its room, or a newer one in its place."""
        for cohort in self._routes.of(key):
            cohort.tell(key, text)

    def tell_all(self, key: Hashable, text: str) -> None:
        """Tell every browser something, or something newer in its place."""
        for cohort in self._all:
            cohort.tell(key, text)

    def ready(self, member: M) -> None:
        """Take note that a browser can be sent frames again."""
        cohort = self._of[member]
        if cohort.due == math.inf:
            cohort.due = -math.inf
            if cohort.mail:
                cohort.enlist()

    def next_due(self) -> float:
        """Return when to flush again, in monotonic seconds; infinite for never."""
        return self._agenda.next()

    def flush(self, now: float) -> Iterator[Run[M]]:
        """Write the frames that are due; to be sent before the next ones are written."""
        due = [cohort for cohort in self._agenda.take(now) if self._is_due(cohort, now)]
        for first in range(0, len(due), FRAMES_AT_ONCE):
            yield self._run_of(due[first : first + FRAMES_AT_ONCE], now)
        for cohort in due:
            if cohort.arrivals:
                yield from self._take_in_arrivals(cohort, now)

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
        """Find those that could share their frames; to be called now and then."""
        firsts: dict[Hashable, _Cohort[M]] = {}
        for cohort in list(self._all):
            cohort.arrivals = []
            if cohort.name is None:
                cohort.name = (cohort.interval, frozenset(cohort.keys), frozenset(cohort.fresh))
            first = firsts.setdefault(cohort.name, cohort)
            if first is not cohort and not self._unite(first, cohort):
                first.arrivals.append(cohort)

    def _written(self, cohort: _Cohort[M], now: float) -> str:
        """Write the next frame for those that can be sent it; nothing where none can."""
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

    def _take_in_arrivals(self, cohort: _Cohort[M], now: float) -> Iterator[Run[M]]:
        arrivals, cohort.arrivals = cohort.arrivals, []
        for other in arrivals:
            if cohort.name is None or other.name != cohort.name or not other.members:
                continue
            if other.due <= now and (frame := self._written(other, now)):
                yield Run([(other.members, frame)])
            if not self._unite(cohort, other) and other.due < math.inf:
                # Out of step: it waits for the others once.
                other.due = max(other.due, cohort.due)
                cohort.arrivals.append(other)

    def _unite(self, cohort: _Cohort[M], other: _Cohort[M]) -> bool:
        """Make two one, if neither has anything to send: then both were sent the same."""
        if cohort.mail or other.mail or math.inf in (cohort.due, other.due):
            return False
        cohort.members.update(other.members)
        cohort.due = max(cohort.due, other.due)
        self._of.update(dict.fromkeys(other.members, cohort))
        other.members = {}
        self._dissolve(other)
        return True

    def _alone(self, member: M) -> _Cohort[M]:
        """Return the cohort of this member and nobody else."""
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
    """Return when its next frame may go, counted from when this one was due."""
    grid = cohort.grid
    begun = cohort.due if now - cohort.due < grid else now
    return math.ceil((begun + cohort.interval) / grid - 1e-6) * grid
