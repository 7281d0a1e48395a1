"""When to publish next: at once while that costs nobody anything, else in bursts."""

from __future__ import annotations

import math

__all__ = ["BURST_SECONDS", "REST_SECONDS", "Pace"]

#: The longest time for which prices are gathered. It is reached as rates grow.
BURST_SECONDS = 0.02

#: After publishing, the stream rests for as long as that took, but no longer than this.
REST_SECONDS = 1

#: The rate of updates is that of about the last half second.
MEMORY_SECONDS = 0.5


class Pace:
    """The pauses between two bursts, from the rate at which updates come.

    To wake up costs a hub twenty times as much as one more price of the same burst. If so many
    updates come that gathering for ``BURST_SECONDS`` makes one burst out of ``n``, it saves
    1 - 1/n of that, and the pause is this share of ``BURST_SECONDS``. A room that changes up to
    50 times a second is never delayed. All times are monotonic seconds.
    """

    def __init__(self, now: float) -> None:
        self._seen_at = now
        self._seen = 0
        self._rate = 0.0

    def due(self, began: float, ended: float, updates: int) -> float:
        """Return when to publish next, after a burst, if ``updates`` have come in all so far.

        If publishing takes long, reading gets as much time as publishing.
        """
        came, self._seen = updates - self._seen, updates
        passed, self._seen_at = max(began - self._seen_at, 0.0), began
        self._rate = self._rate * math.exp(-passed / MEMORY_SECONDS) + came / MEMORY_SECONDS
        gathered = max(self._rate * BURST_SECONDS, 1.0)
        rest = min(ended - began, REST_SECONDS)
        return max(began + BURST_SECONDS * (1 - 1 / gathered), ended + rest)
