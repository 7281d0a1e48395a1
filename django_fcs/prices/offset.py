"""How far the clock of this process is ahead of the clock of the stream.

Ages and states compare the stream's times with this process's clock. If the two machines
disagree by more than ``FCS_OFFLINE_AFTER_SECONDS``, every price would seem offline.
"""

from __future__ import annotations

from collections import deque

from django_fcs.tools.logs import logger_of

__all__ = ["NOTICED_SECONDS", "SAMPLES", "ClockOffset"]

logger = logger_of(__name__)

#: In seconds. A smaller difference may come from a slow channel layer or cache.
NOTICED_SECONDS = 2.0

#: A larger difference is a wrong heartbeat. A clock that is wrong by more has to be corrected.
OFFSET_MAX_SECONDS = 86_400

#: This many heartbeats in a row must agree: one may be late, and a clock may jump.
SAMPLES = 3


class ClockOffset:
    """What heartbeats say about this clock. Times are unix seconds; any thread may call it.

    A stream sends a heartbeat every few seconds and saves one every second, so the age of
    each new one is known. If the clocks agreed, this age would be close to 0.
    """

    def __init__(self) -> None:
        self._differences: deque[float] = deque(maxlen=SAMPLES)
        self._last_at: float | None = None
        self.seconds = 0.0
        """How far this clock is ahead; negative if it is behind, 0 if that is not known."""

    def note_heartbeat(self, at: float, now: float) -> None:
        """Note a heartbeat of ``at`` that has just arrived."""
        if at == self._last_at or abs(now - at) > OFFSET_MAX_SECONDS:
            return
        self._last_at = at
        self._differences.append(now - at)
        if len(self._differences) == SAMPLES:
            self._decide(*self._differences)

    def note_read(self, at: float, now: float) -> None:
        """Note the heartbeat that the cache holds.

        The first one says nothing, because its stream may have ended long ago.
        """
        if self._last_at is None:
            self._last_at = at
        self.note_heartbeat(at, now)

    def warning(self) -> str:
        """Return what operators should know, in one sentence; empty if the clocks agree."""
        if not self.seconds:
            return ""
        side = "ahead of" if self.seconds > 0 else "behind"
        return f"the clock of this machine is {abs(self.seconds):,.0f} s {side} the stream's"

    def _decide(self, *differences: float) -> None:
        smallest = min(differences)
        if max(differences) - smallest > NOTICED_SECONDS:
            return
        before, self.seconds = self.seconds, smallest if abs(smallest) > NOTICED_SECONDS else 0.0
        if self.seconds and not before:
            logger.warning("clocks differ, ages are corrected offset=%+.1f", self.seconds)
        elif before and not self.seconds:
            logger.info("clocks agree again")
