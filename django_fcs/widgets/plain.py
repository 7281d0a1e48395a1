"""Plain values for what is no widget: the title of a page, e-mail, CSV."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real

from django_fcs import quotes
from django_fcs.quotes import Quote

from . import formats
from .arguments import room_of

__all__ = ["number", "quote"]


def quote(symbol: str, timeframe: str | int | None = None) -> Quote | None:
    """Return the last value of a room, or ``None`` if none is known. Raises ``RoomError``.

    All quotes and widgets of a page share one read of the cache.
    """
    return quotes.quote_to_show(room_of(symbol, timeframe))


def number(value: object, quote: object) -> str:
    """Write a number with the decimals of a quote, as the active language does.

    A value that is no finite number is a dash; so is any value without a quote.
    """
    if not isinstance(quote, Quote) or isinstance(value, bool):
        return formats.UNKNOWN
    if not isinstance(value, (Real, Decimal)):
        return formats.UNKNOWN
    try:
        # Subclasses may print themselves in any way.
        plain = int(value) if isinstance(value, int) else float(value)
        return formats.number(plain, quote.digits)
    except (ArithmeticError, TypeError, ValueError):
        return formats.UNKNOWN
