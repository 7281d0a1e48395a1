"""Counters of this process, by name."""

from __future__ import annotations

from collections import Counter

__all__ = ["count", "counts"]

_counts: Counter[str] = Counter()


def count(name: str, by: int = 1) -> bool:
    """Add to a counter; True where its total is worth a line in the log.

    That is the 1st, 2nd, 4th, 8th time and so on: a flood must not fill the disk.
    """
    before = _counts[name]
    _counts[name] += by
    return before.bit_length() != _counts[name].bit_length()


def counts() -> dict[str, int]:
    """Return a copy of all counters of this process."""
    return dict(_counts)
