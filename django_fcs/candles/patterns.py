"""Which rooms the database keeps, by the patterns of ``FCS_SAVE_CANDLES``."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from django_fcs.rooms import Room

__all__ = ["matches"]


def matches(room: Room, patterns: Iterable[str]) -> bool:
    """Tell whether a pattern matches the symbol or the whole name of a room.

    ``FX:*`` matches all rooms of all symbols of forex, ``FX:EURUSD_60`` one room.
    """
    names = (room.symbol, str(room))
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
