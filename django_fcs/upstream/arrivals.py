"""What an upstream client yields, and its timeouts."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from django_fcs.exceptions import UpstreamError
from django_fcs.protocol import Price, ProfileUpdate
from django_fcs.protocol.intervals import PONG_SECONDS
from django_fcs.rooms import Room

__all__ = ["PATIENT", "Arrival", "Event", "Item", "Status", "Timing"]


@dataclass(frozen=True)
class Timing:
    """All pauses and timeouts of the client, in seconds."""

    welcome: float = 10
    heartbeat: float = 25
    confirm: float = 10
    leave: float = 30
    """An unconfirmed room is left after this: it may not exist, but counts for the vendor's limit.
    """
    joins_per_second: float = 50
    goodbye: float = 2
    ping: float = PONG_SECONDS
    """Between two pings of the WebSocket protocol, which any server answers."""
    pong: float = 9
    """How long the answer may take. A line may be cut without a close frame."""
    retry_first: float = 1
    retry_cap: float = 60
    refused_first: float = 60
    refused_cap: float = 900
    forbidden_first: float = 5
    """After HTTP 403; the pauses double up to ``refused_cap``."""
    settled: float = 30
    """After a connection that lasted this long, pauses start at the first value again."""

    @classmethod
    def within(cls, seconds: float) -> Timing:
        """Return a timing that notices a cut line within ``seconds`` plus five."""
        return cls(pong=max(1.0, seconds - 1))


PATIENT = Timing()


Item = tuple[Room, Price | ProfileUpdate]


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One frame as it arrived, with the prices and profiles of wanted rooms in it."""

    at: float
    """When it arrived, unix seconds."""
    text: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Status:
    """A change of the connection: welcomed or lost."""

    online: bool
    error: UpstreamError | None = None
    """The error that ended the connection."""

    @property
    def reason(self) -> str:
        """Why it was lost, for operators; includes addresses and the vendor's message."""
        return str(self.error or "")

    @property
    def public(self) -> str:
        """Why it was lost, for visitors."""
        return self.error.public if self.error else ""


Event = Arrival | Status
