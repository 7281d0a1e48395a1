"""How the way to the vendor stands, as the leader of a site's streams knows it."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Standing"]


@dataclass
class Standing:
    """What the last connection came to; all times are unix seconds.

    ``offline_after`` is how long a break may last that nobody need know of.
    """

    offline_after: float
    online: bool = False
    reason: str = "not connected yet"
    """Why it is not online, for the site's own people."""
    public: str = ""
    """The same, for visitors."""
    is_decided: bool = False
    """Whether the first attempt has ended; before, there is nothing that hubs could be told."""
    heard_since: float = 0.0
    """When the last long break ended: prices from before it prove nothing of now."""
    _lost_at: float = -math.inf

    def take(self, online: bool, reason: str, public: str, now: float) -> None:
        """Take in how an attempt has ended, or a connection."""
        if online and not self.online and abs(now - self._lost_at) > self.offline_after:
            self.heard_since = now
        elif self.online and not online:
            self._lost_at = now
        self.online, self.reason, self.public = online, reason, public
        self.is_decided = True
