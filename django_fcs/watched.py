"""What a process knows of a room, and of the path by which prices reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .conf import conf
from .messages import RoomState
from .protocol import serialise
from .rooms import Room
from .states import State, decide
from .updates import Update

__all__ = ["Feed", "Limits", "Path"]

_SILENCE = "no sign of life of the stream"


@dataclass
class Feed:
    """A room in this process: the last of everything, and how it was joined."""

    room: Room
    update: Update | None = None
    profile: str = ""
    closed: bool = False
    state: State = State.WAITING
    reason: str = ""
    """Why it is offline, where it is."""
    spellings: dict[str, int] = field(default_factory=dict)
    """Spelling of the timeframe → number of browsers that joined it so."""

    def state_text(self, spelling: str) -> str:
        """Return its state as a message to browsers."""
        return serialise(
            RoomState(
                symbol=self.room.symbol,
                timeframe=spelling,
                state=self.state.value,
                reason=self.reason,
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

    def is_online(self, now: float, offline_after: float) -> bool | None:
        """Tell whether the vendor is heard, in monotonic seconds; None before the first beat."""
        if now - self.beat_at > offline_after:
            return False
        return None if self.epoch is None else self.online

    def state_of(
        self, feed: Feed, *, age: float | None, now: float, limits: Limits
    ) -> tuple[State, str]:
        """Return what a room may claim to be, and why where it is offline.

        ``age`` of its price in seconds, ``now`` in monotonic seconds.
        """
        state = decide(
            age=age,
            beat_age=now - self.beat_at,
            online=self.online,
            closed=feed.closed,
            stale_after=limits.stale_after,
            offline_after=limits.offline_after,
        )
        if state is not State.OFFLINE:
            return state, ""
        return state, _SILENCE if self.online else self.reason
