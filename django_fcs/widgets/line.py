"""The last hour of a symbol alone, as a line that may stand in a sentence."""

from __future__ import annotations

from django.utils.safestring import SafeString

from .arguments import room_of
from .context import element
from .rendering import render

__all__ = ["sparkline"]


def sparkline(symbol: str, timeframe: str | int | None = None) -> SafeString:
    """Print the last hour as a line, with the previous close. Raises ``RoomError``."""
    room = room_of(symbol, timeframe)
    return render("sparkline", element(room, has_line=True, has_level=True))
