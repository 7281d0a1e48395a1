"""What the arguments of tags may be: read here, so that each tag refuses the same."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise

from django_fcs.exceptions import BadField
from django_fcs.rooms import Room, canonical_timeframe, check_symbol, excerpt
from django_fcs.site import room_to_show

__all__ = ["FIELDS", "as_field", "as_symbol", "as_timeframe", "room_of"]

FIELDS = (
    "symbol",
    "name",
    "close",
    "open",
    "high",
    "low",
    "volume",
    "ask",
    "bid",
    "spread",
    "change",
    "change_percent",
    "updated",
)


def as_symbol(value: object) -> str:
    """Return a symbol as plain text. Raises ``BadSymbol``."""
    return check_symbol(_plain(value))


def as_timeframe(value: object) -> str | None:
    """Return a canonical timeframe; ``None`` is that of the site. Raises ``BadTimeframe``."""
    return None if value is None else canonical_timeframe(_plain(value))


def as_field(value: object) -> str:
    """Return the name of a value of a widget. Raises ``BadField``."""
    field = _plain(value)
    # The values of some types cannot be compared with a text.
    if not isinstance(field, str) or field not in FIELDS:
        raise BadField(f"field {excerpt(field)} is not one of {' '.join(FIELDS)}")
    return field


def room_of(symbol: object, timeframe: object) -> Room:
    """Return the room that a tag names. Raises ``BadSymbol`` or ``BadTimeframe``."""
    return room_to_show(_plain(symbol), _plain(timeframe))


def _plain(value: Any) -> Any:
    """Turn what templates pass into text: strings that are lazy or marked as safe, and numbers."""
    if isinstance(value, Promise):
        value = str(value)
    if isinstance(value, str):
        return str.__str__(value)  # Adding "" would keep the mark of Jinja2.
    # Python refuses to print longer integers than 4,300 digits.
    return str(value) if isinstance(value, int) and value.bit_length() <= 64 else value
