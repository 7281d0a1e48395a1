"""A row of prices that moves if it does not fit."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from .arguments import (
    DIRECTIONS,
    SIZES,
    as_direction,
    as_href,
    as_item_size,
    as_label,
    as_timeframe,
)
from .context import option
from .html import tag, ticker
from .rendering import render
from .rows import Row, groups_of

__all__ = ["tape"]

#: How many symbols a tape shows: one that moves at 40 px/s shows these in about seven minutes.
TAPE_MAX = 100

_COMPACT = SIZES[1]


def tape(
    symbols: object,
    timeframe: str | int | None = None,
    *,
    direction: str | None = None,
    item_size: str | None = None,
    sparkline: bool = False,
    href: str | None = None,
    label: str | None = None,
) -> SafeString:
    """Print a row of prices, by default a compact one. Raises ``RoomError``.

    ``symbols`` is read by ``rows.groups_of``; headings are left out.
    """
    way = option(lambda: as_direction(direction), DIRECTIONS[0])
    size = option(lambda: as_item_size(_COMPACT if item_size is None else item_size), _COMPACT)
    pattern = option(lambda: as_href(href), "") or None
    groups = groups_of(symbols, as_timeframe(timeframe), most=TAPE_MAX)
    rows = [row for group in groups for row in group.rows]
    context = {
        "direction": way,
        "size": size,
        "label": option(lambda: as_label(label), "") or pgettext("price", "Prices"),
        "items": [_item(row, size, bool(sparkline), pattern) for row in rows],
    }
    return render("tape", context)


def _item(row: Row, size: str, sparkline: bool, href: str | None) -> SafeString:
    symbol, timeframe = row.room.symbol, row.room.timeframe
    if size == _COMPACT:
        return tag(symbol, timeframe, sparkline=sparkline, href=href)
    return ticker(symbol, timeframe, item_size=_COMPACT, sparkline=sparkline, href=href)
