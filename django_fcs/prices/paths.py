"""The path from the vendor to a site, as the stream last reported it."""

from __future__ import annotations

import msgspec
from msgspec.structs import force_setattr

from django_fcs.protocol.bounds import Seconds, UnixTime
from django_fcs.protocol.intervals import PONG_SECONDS
from django_fcs.tools.texts import one_line

from .states import Outage

__all__ = ["PathReport"]


class PathReport(msgspec.Struct, frozen=True):
    """The content of a heartbeat, also kept in the cache; unix seconds on the stream's clock.

    Callers pass its ``age`` in seconds: hubs measure it on their monotonic clock, other
    readers on the wall clock.
    """

    at: UnixTime
    online: bool
    reason: str
    """Why the path is not online; visitors may read it."""
    outage: Outage = Outage()
    silence: Seconds = 0.0
    """Seconds without data from the vendor when the report was made."""

    def __post_init__(self) -> None:
        force_setattr(self, "reason", one_line(self.reason))

    def is_silent(self, age: float, offline_after: float) -> bool:
        """Tell whether the next report is overdue."""
        return age > offline_after

    def is_broken(self, age: float, offline_after: float) -> bool:
        """Tell whether the path from the vendor is broken.

        A stream may not know yet that its connection is cut, and the next leader never
        learns it. Therefore the vendor's silence counts too.
        """
        if not self.online or self.is_silent(age, offline_after):
            return True
        return age + self.silence > offline_after + PONG_SECONDS

    def age(self, now: float) -> float:
        """Return its age at a unix time; for a report from the future, how far ahead it is."""
        return abs(now - self.at)
