"""A cache that counts how often prices are read from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache

__all__ = ["CountedCache"]


class CountedCache(LocMemCache):
    """A cache in memory: what it costs is what a page costs beside the way to a real cache."""

    reads = 0
    """How often prices were read, in all threads; each time is a round trip to a real cache."""

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        """Return the values of these keys."""
        wanted = list(keys)
        # A thread reads which rooms other processes render, now and then.
        if any(":minutes:" in key for key in wanted):
            CountedCache.reads += 1
        return super().get_many(wanted, version)
