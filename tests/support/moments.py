"""Moments and phases of a market, as tests write them."""

from __future__ import annotations

from datetime import datetime, timezone

from django_fcs.prices.sessions import Phase

UNKNOWN = Phase(None)


def at(text: str) -> float:
    """Read a moment that is written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def span(phase: Phase) -> str:
    """Write a phase: whether it is open, and from when to when in UTC."""
    assert phase.since is not None and phase.until is not None
    ends = [
        datetime.fromtimestamp(end, timezone.utc).strftime("%a %d %b %H:%M")
        for end in (phase.since, phase.until)
    ]
    return " – ".join([f"{'open' if phase.is_open else 'closed'} {ends[0]}", ends[1]])
