"""What keeps the room of a price until the first one comes: zeros in its usual shape."""

from __future__ import annotations

from django_fcs.prices.names import INDICES, usual_digits
from django_fcs.prices.snapshots import digits_for
from django_fcs.prices.symbols import is_metal, market_of, pip_of
from django_fcs.quotes import Quote

from . import formats

__all__ = ["place_in_day", "shapes_of"]

_PRICES = ("close", "open", "high", "low", "ask", "bid")
#: Digits before the point, by what is traded.
_WHOLE_METAL, _WHOLE_COIN, _WHOLE_INDEX, _WHOLE_STOCK = 4, 5, 5, 3


def shapes_of(symbol: str, patterns: dict[str, int]) -> dict[str, str]:
    """Return by field what is as wide as most of its values, such as ``000.000``.

    ``patterns`` is ``FCS_DIGITS``. Fields without a usual width are missing.
    """
    digits = digits_for(symbol, patterns)
    if digits is None:
        digits = usual_digits(symbol)
    least = 10.0 ** (_whole(symbol) - 1)
    price = formats.number(least, 2 if digits is None else digits).replace("1", "0")
    change = formats.number(0.0, 2 if digits is None else digits)
    percent = formats.percent(0.01).replace("1", "0")
    return {**dict.fromkeys(_PRICES, price), "change": f"+{change}", "change_percent": percent}


def place_in_day(quote: Quote) -> str:
    """Return where the price stands between low and high, as ``62.5%``; empty if unknown."""
    low, high, close = quote.low, quote.high, quote.close
    if low is None or high is None or close is None or not low < high:
        return ""
    return f"{100 * min(max((close - low) / (high - low), 0.0), 1.0):.1f}%"


def _whole(symbol: str) -> int:
    pip = pip_of(symbol)
    if pip is not None:
        return 1 if pip < 0.01 else 3
    if symbol in INDICES:
        return _WHOLE_INDEX
    if is_metal(symbol):
        return _WHOLE_METAL
    return _WHOLE_COIN if market_of(symbol) == "crypto" else _WHOLE_STOCK
