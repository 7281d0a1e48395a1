"""Pauses between retries, as generators: a retry loop only takes the next value."""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["doubling", "full_jitter"]


def full_jitter(rng: random.Random, *, first: float, cap: float) -> Iterator[float]:
    """Yield pauses drawn evenly from 0 to a ceiling that doubles up to ``cap``.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
    """
    for ceiling in doubling(first=first, cap=cap):
        yield rng.uniform(0, ceiling)


def doubling(*, first: float, cap: float) -> Iterator[float]:
    """Yield ``first``, twice that and so on, up to ``cap``, for ever."""
    pause = first
    while True:
        yield min(pause, cap)
        pause = min(pause * 2, cap)
