"""The one place that decides what a price may claim to be."""

from __future__ import annotations

from enum import Enum

__all__ = ["State", "decide"]


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
    beat_age: float | None,
    online: bool,
    closed: bool,
    stale_after: float,
    offline_after: float,
) -> State:
    """Decide the state of a room; ages are in seconds, ``None`` = never.

    A broken path outweighs all: behind it nothing is known, not even that the
    market closed.
    """
    if beat_age is None or beat_age > offline_after or not online:
        return State.OFFLINE
    if age is None:
        return State.WAITING
    if closed:
        return State.CLOSED
    return State.STALE if age > stale_after else State.LIVE
