"""A limit on how often something may happen, with a burst."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["TokenBucket"]


class TokenBucket:
    """Allow ``burst`` at once and ``rate`` a second after that."""

    def __init__(
        self, *, burst: float, rate: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._monotonic = monotonic
        self._left = float(burst)
        self._filled_at = monotonic()

    def take(self, number: float = 1) -> bool:
        """Take one, or so many, if there are as many."""
        now = self._monotonic()
        self._left = min(self._burst, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._left < number:
            return False
        self._left -= number
        return True
