"""How the way to the vendor stands, as the leader of a site's streams knows it."""

from __future__ import annotations

from dataclasses import dataclass

from .states import Outage

__all__ = ["Standing"]


@dataclass
class Standing:
    """What the last connection came to; all times are unix seconds.

    ``offline_after`` is how long an outage may last that nobody need know of.
    """

    offline_after: float
    outage: Outage = Outage()
    """The last one. Of those that follow each other closely, from the first to the last."""
    online: bool = False
    reason: str = "not connected yet"
    """Why it is not online, for the site's own people."""
    public: str = ""
    """The same, for visitors."""
    is_decided: bool = False
    """Whether the first attempt has ended; before, there is nothing that hubs could be told."""

    @classmethod
    def after(cls, offline_after: float, outage: Outage, *, online: bool, at: float) -> Standing:
        """Return that of a successor of who said this last, at that time."""
        before = cls(offline_after, outage, online)
        before.take(False, "", "", at)
        return cls(offline_after, before.outage)

    def take(self, online: bool, reason: str, public: str, now: float) -> None:
        """Take in how an attempt has ended, or a connection."""
        if online and not self.online:
            self.outage = Outage(self.outage.lost_at, now)
        elif self.online and not online and now - self.outage.ended_at > self.offline_after:
            self.outage = Outage(now, self.outage.ended_at)
        self.online, self.reason, self.public = online, reason, public
        self.is_decided = True

    def outage_by(self, now: float) -> Outage:
        """Return the last one; none is in the future, where the clock was put back."""
        self.outage = Outage(*(min(at, now) for at in self.outage))
        return self.outage
