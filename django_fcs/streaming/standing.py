"""The state of the connection to the vendor, as the leader of a site's streams knows it."""

from __future__ import annotations

from dataclasses import dataclass

from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Outage

__all__ = ["Standing"]


@dataclass
class Standing:
    """The result of the last connection attempt; all times are unix seconds."""

    outage: Outage = Outage()
    """The last outage, which may not have ended."""
    online: bool = False
    reason: str = "not connected yet"
    """Why it is not online, for operators."""
    public: str = ""
    """The same, for visitors."""
    is_decided: bool = False
    """Whether the first attempt has ended; until then there is nothing to report to hubs."""

    @classmethod
    def after(cls, report: PathReport) -> Standing:
        """Return the standing of a new leader whose predecessor left this report."""
        before = cls(report.outage, report.online)
        # The report comes from the cache. Hubs would refuse heartbeats with an impossible time.
        before.note(online=False, heard_at=max(0.0, report.at - max(0.0, report.silence)))
        return cls(before.outage)

    def note(self, *, online: bool, heard_at: float, reason: str = "", public: str = "") -> None:
        """Note how an attempt or a connection ended, and when the vendor was last heard.

        An outage begins when the vendor was last heard, because a cut connection is noticed
        seconds later.
        """
        if online and not self.online:
            self.outage = Outage(self.outage.lost_at, heard_at, self.outage.before)
        elif self.online and not online:
            self.outage = Outage(heard_at, self.outage.ended_at, before=self.outage.ended_at)
        self.online, self.reason, self.public = online, reason, public
        self.is_decided = True

    def report(self, now: float, silence: float) -> PathReport:
        """Return the report for heartbeats; ``silence`` of the vendor is in seconds.

        An outage that lies in the future, because the clock was set back, is moved to ``now``.
        """
        self.outage = self.outage.until(now)
        return PathReport(now, self.online, self.public, self.outage, silence)
