"""One symbol among several: what tiles of a map and rows of a ranking have in common."""

from __future__ import annotations

import math
from typing import Any

from django.utils.safestring import SafeString

from django_fcs.prices.states import State
from django_fcs.rooms import Room

from .arguments import link_of
from .attributes import data_of, spelling_of
from .context import quoted

__all__ = ["change_of", "data_of_member", "member"]

_ON_MEMBERS = ("symbol", "timeframe", "token", "state", "direction", "delay", "digits")


def member(room: Room, pattern: str) -> dict[str, Any]:
    """Return the context of a room, with its link and its state in words."""
    context = quoted(room)
    # A script writes the age. The page may be read long after it was rendered.
    words = context["texts"]["stale"] if context["state"] == State.STALE.value else ""
    link = link_of(pattern, room.symbol) if pattern else ""
    return {**context, "link": link, "status": words or context["status"]}


def change_of(context: dict[str, Any]) -> float | None:
    """Return the change in percent that a context shows, if it is known."""
    quote = context["fields"].quote
    change = None if quote is None else quote.change_percent
    return float(change) if change is not None and math.isfinite(change) else None


def data_of_member(context: dict[str, Any], **more: str) -> SafeString:
    """Return the ``data-`` attributes that the script reads of a room, and others."""
    values = {name: context[name] for name in _ON_MEMBERS} | more
    return SafeString(f"{data_of(values)} {spelling_of(context['numbers'])}")
