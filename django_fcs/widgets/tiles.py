"""The heat map: tiles by change in percent, in seven steps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from django.utils.safestring import SafeString

from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

from . import formats
from .arguments import as_attribute, as_href, as_timeframe
from .context import option
from .members import change_of, data_of_member, member
from .rendering import render
from .rows import Group, Row, groups_of

__all__ = ["STEPS", "heatmap", "level_of", "sizes_of"]

logger = logger_of(__name__)
_complaints = Complaints()

#: The changes in percent at which a level begins. ``fcs-heatmap.js`` has the same.
STEPS = (0.05, 0.75, 1.75)
_LEVELS = tuple(str(level) for level in range(-len(STEPS), len(STEPS) + 1))

#: How many sizes of tiles there are.
_SIZES = 4


def heatmap(
    rows: object,
    timeframe: str | int | None = None,
    *,
    size: str | None = None,
    href: str | None = None,
) -> SafeString:
    """Print a tile for each row, coloured by its change in percent. Raises ``RoomError``.

    ``size`` names an attribute of the rows, or a key of mappings: its quartiles decide between
    four sizes. Otherwise all tiles are equal.
    """
    timeframe = as_timeframe(timeframe)
    groups = groups_of(rows, timeframe)
    attribute = option(lambda: as_attribute(size), "")
    pattern = option(lambda: as_href(href), "")
    several = [row for group in groups for row in group.rows]
    sizes = iter(_sizes(several, attribute) if attribute else [""] * len(several))
    tiled = [_tiled(group, pattern, [next(sizes) for _ in group.rows]) for group in groups]
    context = {
        "timeframe": several[0].room.timeframe,
        "groups": tiled,
        "levels": _LEVELS,
        "least": formats.percent(-STEPS[-1]),
        "most": formats.percent(STEPS[-1]),
    }
    return render("heatmap", context)


def level_of(percent: float) -> int:
    """Return the step of a change in percent: -3 to 3, and 0 for one below 0.05."""
    level = sum(abs(percent) >= step for step in STEPS)
    return -level if percent < 0 else level


def sizes_of(values: Sequence[float]) -> list[int]:
    """Return by quartile from 1 for the smallest values to 4; equal values have one size."""
    order = sorted(values)
    return [1 + _SIZES * bisect_left(order, value) // len(order) for value in values]


def _tiled(group: Group, pattern: str, sizes: list[str]) -> dict[str, Any]:
    tiles = [_tile(row, pattern, size) for row, size in zip(group.rows, sizes, strict=True)]
    return {"heading": group.heading, "tiles": tiles}


def _tile(row: Row, pattern: str, size: str) -> dict[str, Any]:
    context = member(row.room, pattern)
    change = change_of(context)
    level = "" if change is None else str(level_of(change))
    attributes = data_of_member(context, href=pattern, size=size, level=level)
    return {**context, "attributes": attributes}


def _sizes(rows: Sequence[Row], attribute: str) -> list[str]:
    """Return the size of each row; one without a usable value has the smallest."""
    values = [_value(row.thing, attribute) for row in rows]
    unusable = values.count(None)
    if unusable and _complaints.is_new("page", f"size {attribute}"):
        message = "tiles without a usable size are the smallest ones size=%s tiles=%s of=%s"
        logger.warning(message, attribute, unusable, len(rows))
    return [str(size) for size in sizes_of([value or 0.0 for value in values])]


def _value(thing: object, attribute: str) -> float | None:
    """Return a finite number that is not negative, else ``None``."""
    try:
        if isinstance(thing, Mapping):
            value = thing.get(attribute)
        else:
            value = getattr(thing, attribute, None)
        if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
            return None
        size = float(value)
    except Exception:  # A property of the site's own may raise anything.
        return None
    return size if 0 <= size < math.inf else None
