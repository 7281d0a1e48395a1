"""A rate limit that allows bursts."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["TokenBucket"]


class TokenBucket:
    """Allows ``burst`` at once and ``rate`` per second after that."""

    def __init__(
        self, *, burst: float, rate: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._monotonic = monotonic
        self._left = float(burst)
        self._filled_at = monotonic()

    def take(self, number: float = 1) -> bool:
        """Take ``number`` tokens and return True, or return False if there are fewer."""
        now = self._monotonic()
        self._left = min(self._burst, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._left < number:
            return False
        self._left -= number
        return True
