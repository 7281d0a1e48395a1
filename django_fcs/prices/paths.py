"""The way from the vendor to a site, as the stream reported it last."""

from __future__ import annotations

import msgspec

from django_fcs.protocol.intervals import PONG_SECONDS, Seconds, UnixTime

from .states import Outage

__all__ = ["PathReport"]


class PathReport(msgspec.Struct, frozen=True):
    """What every heartbeat says, and the cache keeps; unix seconds on the stream's clock.

    Readers give its ``age`` in seconds: hubs on their monotonic clock, others on the wall
    clock.
    """

    at: UnixTime
    online: bool
    reason: str
    """Why it is not online; visitors may read it."""
    outage: Outage = Outage()
    silence: Seconds = 0.0
    """For how many seconds the vendor had not been heard."""

    def is_silent(self, age: float, offline_after: float) -> bool:
        """Tell whether the next report is overdue."""
        return age > offline_after

    def is_broken(self, age: float, offline_after: float) -> bool:
        """Tell whether the path from the vendor is broken.

        A stream may not know yet that its connection is cut, and its successor never
        learns it. So the silence of the vendor counts, too.
        """
        if not self.online or self.is_silent(age, offline_after):
            return True
        return age + self.silence > offline_after + PONG_SECONDS

    def age(self, now: float) -> float:
        """Return its age at a unix time; a report from the future is as good as none."""
        return abs(now - self.at)
