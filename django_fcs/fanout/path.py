"""The path from the vendor to this process, as heartbeats report it."""

from __future__ import annotations

from dataclasses import dataclass

from django_fcs.layer.events import Beat
from django_fcs.prices.paths import PathReport

__all__ = ["Path"]

#: Before the first heartbeat the path counts as working.
_UNHEARD = PathReport(0.0, online=True, reason="")


@dataclass(frozen=True)
class Path:
    """The last report, and when it came. Times are monotonic seconds of this process."""

    beat_at: float
    """When the last heartbeat came; before the first, when this process began to listen."""
    report: PathReport = _UNHEARD
    epoch: int | None = None
    """The epoch of the stream that sent it; ``None`` before the first heartbeat."""
    fence: int = 0
    """Messages of a lower epoch come too late and are refused."""

    @classmethod
    def of(cls, beat: Beat, now: float) -> Path:
        """Return the path that a heartbeat reports, which came at ``now``."""
        return cls(now, beat.path, beat.epoch, fence=beat.epoch)

    def unfenced(self) -> Path:
        """Return the same path, open to streams of any epoch."""
        return Path(self.beat_at, self.report, self.epoch)

    def is_silent(self, now: float, offline_after: float) -> bool:
        """Tell whether heartbeats are missing."""
        return self.report.is_silent(now - self.beat_at, offline_after)

    def is_broken(self, now: float, offline_after: float) -> bool:
        """Tell whether the path is broken."""
        return self.report.is_broken(now - self.beat_at, offline_after)

    def is_online(self, now: float, offline_after: float) -> bool | None:
        """Tell whether the vendor is heard; None before the first heartbeat."""
        if self.is_silent(now, offline_after):
            return False
        return None if self.epoch is None else not self.is_broken(now, offline_after)

    def why_broken(self, now: float, offline_after: float) -> str:
        """Return why it is broken, for visitors; empty if it is not."""
        if not self.is_broken(now, offline_after):
            return ""
        if not self.report.online:
            return self.report.reason
        if self.is_silent(now, offline_after):
            return "no heartbeat from the stream"
        return "no data from the feed"
