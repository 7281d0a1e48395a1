"""How the way to the vendor stands, as the leader of a site's streams knows it."""

from __future__ import annotations

from dataclasses import dataclass

from django_fcs.prices.states import Outage

__all__ = ["Standing"]


@dataclass
class Standing:
    """What the last connection came to; all times are unix seconds."""

    outage: Outage = Outage()
    """The last one, which may not have ended."""
    online: bool = False
    reason: str = "not connected yet"
    """Why it is not online, for the site's own people."""
    public: str = ""
    """The same, for visitors."""
    is_decided: bool = False
    """Whether the first attempt has ended; before, there is nothing that hubs could be told."""

    @classmethod
    def after(cls, outage: Outage, *, online: bool, heard_at: float) -> Standing:
        """Return that of a successor of who said this last, and heard the vendor then."""
        before = cls(outage, online)
        before.take(False, "", "", heard_at)
        return cls(before.outage)

    def take(self, online: bool, reason: str, public: str, heard_at: float) -> None:
        """Take in how an attempt has ended, or a connection, and when the vendor was last heard.

        An outage begins then: that a line is cut is known seconds later.
        """
        if online and not self.online:
            self.outage = self.outage._replace(ended_at=heard_at)
        elif self.online and not online:
            self.outage = Outage(heard_at, self.outage.ended_at, before=self.outage.ended_at)
        self.online, self.reason, self.public = online, reason, public
        self.is_decided = True

    def told(self, now: float, silence: float) -> tuple[float, bool, str, Outage, float]:
        """Return what a beat says of it; no outage is in the future of a clock put back."""
        self.outage = Outage(*(min(at, now) for at in self.outage))
        return now, self.online, self.public, self.outage, silence
