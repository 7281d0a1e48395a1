"""What a process knows of a room, and of the path by which prices reach it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from django_fcs.conf import conf
from django_fcs.layer.events import Beat
from django_fcs.prices.states import Expectation, Outage, State, decide, is_broken
from django_fcs.prices.updates import Update
from django_fcs.protocol import RoomState, serialise
from django_fcs.rooms import Room

__all__ = ["Feed", "Limits", "Path"]

_SILENCE = "no sign of life of the stream"
_UNHEARD = "no sign of life of the feed"
_UNPROVED = "no price since the connection was lost"


@dataclass
class Feed:
    """A room in this process: the last of everything, and how it was joined."""

    room: Room
    update: Update | None = None
    next_seq: float = math.inf
    """Of the text that comes next, if none is missing; -1 where that is unknown, and
    infinite until its group is joined: what comes before is what one left behind hears."""
    proof_seq: int | None = None
    """Of the text that has to come, it or a later one, before the room is live again."""
    profile: str = ""
    is_left: bool = False
    """Nobody can tell whether the price is the last one: it is not live until the room is heard."""
    expected: Expectation | None = None
    """What the stream expects; ``None`` until it says so, or the store."""
    trouble: str = ""
    """Why no price can come, as the stream says."""
    state: State = State.WAITING
    reason: str = ""
    """Why it is offline, or waits in vain, where it does."""
    until: int | None = None
    """When it opens, unix seconds, where it is closed and that is known."""
    spellings: dict[str, int] = field(default_factory=dict)
    """Spelling of the timeframe → number of browsers that joined it so."""

    def is_news(self, update: Update) -> bool:
        """Tell whether a text is newer than the last one, which a repetition proves."""
        if self.proof_seq is not None and update.seq >= self.proof_seq:
            self.proof_seq = None
        if self.update is not None and update.seq >= self.update.seq:
            self.is_left = False
        return self.update is None or update.seq > self.update.seq

    def lack(self, trouble: str) -> None:
        """Take in why no price can come, if so; what came before that is from before."""
        self.is_left = self.is_left or (bool(self.trouble) and not trouble)
        self.trouble = trouble

    def doubt(self) -> None:
        """Let the price be proved, by being repeated or by a newer one."""
        if self.update is not None:
            self.proof_seq = self.update.seq

    def forget(self) -> None:
        """Begin anew, with any number."""
        self.update, self.next_seq, self.proof_seq = None, -1, None

    def expect(self, expected: Expectation) -> bool:
        """Take in what the stream expects; False while the price behind it has to come.

        It is the one that opened the market: until then the old one would seem stale.
        """
        opens = self.expected is not None and self.expected.closed and not expected.closed
        self.expected = expected
        return not opens

    def state_text(self, spelling: str) -> str:
        """Return its state as a message to browsers."""
        return serialise(
            RoomState(
                symbol=self.room.symbol,
                timeframe=spelling,
                state=self.state.value,
                reason=self.reason,
                until=self.until,
            )
        )


class Limits(NamedTuple):
    """What the site allows, in seconds: read once for all rooms, since settings are slow."""

    stale_after: float
    offline_after: float

    @classmethod
    def of_site(cls) -> Limits:
        """Return them as they are now."""
        return cls(conf.FCS_STALE_AFTER_SECONDS, conf.FCS_OFFLINE_AFTER_SECONDS)


@dataclass
class Path:
    """The way from the vendor to this process, as far as beats tell."""

    beat_at: float
    """When the last beat came, in monotonic seconds."""
    online: bool = True
    reason: str = ""
    epoch: int | None = None
    """Whose beats they are; ``None`` until the first."""
    fence: int = 0
    """What streams of an older epoch say comes too late."""

    outage: Outage = Outage()
    """The last one between vendor and stream."""
    silence: float = 0.0
    """For how many seconds the vendor had not been heard as the last beat was sent."""

    @classmethod
    def of(cls, beat: Beat, now: float) -> Path:
        """Return what a beat says that has just come."""
        told = (beat.online, beat.reason, beat.epoch)
        return cls(now, *told, fence=beat.epoch, outage=beat.outage, silence=beat.silence)

    def look(self, now: float, offline_after: float) -> None:
        """Let any epoch speak again once the one that beat is silent."""
        if self.is_silent(now, offline_after):
            self.fence = 0

    def is_silent(self, now: float, offline_after: float) -> bool:
        """Tell whether beats are missing."""
        return now - self.beat_at > offline_after

    def is_online(self, now: float, offline_after: float) -> bool | None:
        """Tell whether the vendor is heard, in monotonic seconds; None before the first beat."""
        if self.is_silent(now, offline_after):
            return False
        return None if self.epoch is None else not self._is_broken(now, offline_after)

    def _is_broken(self, now: float, offline_after: float) -> bool:
        return is_broken(
            beat_age=now - self.beat_at,
            silence=self.silence,
            online=self.online,
            offline_after=offline_after,
        )

    def state_of(
        self, feed: Feed, *, at: float, now: float, limits: Limits
    ) -> tuple[State, str, int | None]:
        """Return what a room may claim to be, why no price comes, and when it opens.

        ``at`` in unix seconds, ``now`` in monotonic seconds.
        """
        expected, update = feed.expected or Expectation(), feed.update
        is_outdated = update is not None and (
            bool(feed.trouble)
            or feed.proof_seq is not None
            or self.outage.outdates(update.at, at, limits.offline_after)
        )
        state = decide(
            # A price from the future proves as little as an old one: some clock was set.
            age=abs(at - update.at) if update else None,
            broken=self._is_broken(now, limits.offline_after),
            closed=expected.is_closed(at),
            stale_after=limits.stale_after,
            patience=expected.patience,
            overdue=expected.is_overdue(at) or (feed.is_left and not feed.trouble),
            open_for=expected.open_for(at),
            outdated=is_outdated,
        )
        if state is State.CLOSED:
            return state, "", expected.opens_at
        if state is not State.OFFLINE:
            return state, feed.trouble if state is State.WAITING else "", None
        return state, self._why_offline(feed, now, limits.offline_after), None

    def _why_offline(self, feed: Feed, now: float, offline_after: float) -> str:
        if not self.online:
            return self.reason
        if self.is_silent(now, offline_after):
            return _SILENCE
        if self._is_broken(now, offline_after):
            return _UNHEARD
        return feed.trouble or _UNPROVED
