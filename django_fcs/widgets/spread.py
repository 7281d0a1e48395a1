"""Bid and ask as dealers read them: a board of one symbol."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.safestring import SafeString

from django_fcs.prices.symbols import pip_of

from .arguments import room_of
from .context import element, unit_of
from .rendering import render

__all__ = ["Dealt", "dealt", "spread"]

#: How many digits before the point make a price of which the decimals matter least.
_MANY = 4


class Dealt(NamedTuple):
    """A price in three pieces, which dealers see in three sizes."""

    handle: str
    pips: str
    fraction: str


def spread(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    href: str | None = None,
    announce: bool = False,
) -> SafeString:
    """Print a board with bid, ask and the spread between them. Raises ``RoomError``."""
    room = room_of(symbol, timeframe)
    context: dict[str, Any] = element(room, announce=announce, href=href)
    fields, digits, pip = context["fields"], int(context["digits"] or 0), pip_of(room.symbol)
    sides = {side: dealt(fields[side], digits, pip) for side in ("bid", "ask")}
    return render("spread", {**context, **sides, "unit": "" if pip else unit_of(room.symbol)})


def dealt(text: str, digits: int, pip: float | None) -> Dealt:
    """Divide a written price with ``digits`` decimals: ``154.`` ``20`` ``3`` with a pip of 0.01.

    Without a pip, the last two digits before the point stand out if there are four of them
    (``4,0`` ``71`` ``.10``), else the last two of all (``271.`` ``49``).
    """
    places = [place for place, character in enumerate(text) if character in "0123456789"]
    whole = len(places) - digits
    if pip:
        decimals = 4 if pip < 0.01 else 2
        end = whole + min(digits, decimals)
    else:
        end = whole if whole >= _MANY else len(places)
    if end < 2:
        return Dealt("", text, "")
    first, after = places[end - 2], places[end - 1] + 1
    return Dealt(text[:first], text[first:after], text[after:])
