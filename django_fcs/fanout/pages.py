"""Candles as messages to browsers, each of less than 64 kB."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import msgspec

from django_fcs.candles import Candle, Candles

from .routes import Key

__all__ = ["PAGE_MAX", "page_of"]

#: The longest message, in characters. All of them are ASCII.
PAGE_MAX = 64_000

_encode = msgspec.json.Encoder().encode


def page_of(key: Key, candles: Candles, *, note: str = "", start: int = 0) -> str:
    """Return the message ``candles`` for a room as a browser spells it.

    It has the newest candles that fit, of those that open at ``start`` or later, and ``more``
    says whether there are older ones. ``note`` comes before the note of the candles.
    """
    rows = [_row(one) for one in candles[bisect_left([one.t for one in candles], start) :]]
    has_more = candles.more or len(rows) < len(candles)
    while True:
        message = _message(key, candles, rows, more=has_more, note=note or candles.note)
        text = _encode(message)
        if len(text) <= PAGE_MAX or len(rows) < 2:
            return text.decode()
        # A row is about as long as the others, so the second attempt fits.
        few = int(len(rows) * PAGE_MAX / len(text) * 0.98)
        rows, has_more = rows[-max(few, 1) :], True


def _row(candle: Candle) -> tuple[int, float, float, float, float, float | None]:
    return candle[:6]


def _message(
    key: Key, candles: Candles, rows: list[Any], *, more: bool, note: str
) -> dict[str, Any]:
    first = rows[0][0] if rows else 0
    return {
        "type": "candles",
        "symbol": key.room.symbol,
        "timeframe": key.spelling,
        "candles": rows,
        "more": more,
        "missing": [span for span in candles.missing if span[1] > first],
        "repaired": [span for span in candles.repaired if span[1] > first],
        "note": note,
    }
