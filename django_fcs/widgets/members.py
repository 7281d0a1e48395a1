"""One symbol among several: what tiles of a map and rows of a ranking have in common."""

from __future__ import annotations

import math
from typing import Any

from django_fcs import quotes
from django_fcs.prices.states import State
from django_fcs.rooms import Room

from .arguments import link_of
from .context import quoted

__all__ = ["change_of", "member"]


def member(room: Room, pattern: str) -> dict[str, Any]:
    """Return the context of a room, with its link and its state in words."""
    context = quoted(room)
    # A script writes the age. The page may be read long after it was rendered.
    words = context["texts"]["stale"] if context["state"] == State.STALE.value else ""
    link = link_of(pattern, room.symbol) if pattern else ""
    return {**context, "link": link, "status": words or context["status"]}


def change_of(context: dict[str, Any], room: Room) -> float | None:
    """Return the change in percent that a context shows, if it is known."""
    quote = quotes.quote_to_show(room) if context["updated"] else None
    change = None if quote is None else quote.change_percent
    return float(change) if change is not None and math.isfinite(change) else None
