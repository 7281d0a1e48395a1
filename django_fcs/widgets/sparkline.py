"""The small line beside a price: the last hour, a point for each minute.

``fcs-sparkline.js`` continues the same line while prices come; a test compares the two.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from django.utils.safestring import SafeString

__all__ = ["Sparkline", "drawn", "sparkline"]

_SVG = (
    '<svg data-part="sparkline" viewBox="0 0 72 20" width="72" height="20" aria-hidden="true"'
    ' data-recent="{recent}" data-minute="{minute}"{level}><path data-part="base" d="{base}"/>'
    '<path data-part="line" d="{line}"/>{point}</svg>'
)
_POINT = '<circle data-part="last" cx="{x}" cy="{y}" r="1.75"/>'

#: Minutes before the running one.
_MINUTES = 60

#: Where the drawing lies in its ``viewBox`` of 72 × 20, in tenths: whole numbers, as both
#: languages round them alike.
_LEFT, _STEP = 20, 11
_TOP, _MIDDLE, _DEPTH = 30, 100, 140
#: Where a level is that lies above all prices, and where one below them.
_ABOVE, _BELOW = 10, 190

#: All coordinates, by tenths.
_TENTHS = [f"{value / 10:g}" for value in range(_LEFT + _STEP * _MINUTES + 1)]

#: Larger numbers are no prices. Below this, no difference of two of them overflows.
_TOO_LARGE = 1e21

_HOLE = "-"


class Sparkline(NamedTuple):
    """What the SVG of a line contains, as text; nothing to draw without a known price."""

    line: str
    """The path, in pieces where minutes are missing."""
    base: str
    """The path of the level that was given, else of the one at which the line begins."""
    x: str
    """Where the last known point is, and ``y``."""
    y: str
    recent: str
    """The prices that the line was drawn from, without the running minute: 60, ``-`` a hole."""
    minute: str
    """The running minute: whole minutes since 1970."""


def sparkline(
    recent: Sequence[float | None],
    last: float | None,
    minute: int,
    level: float | None = None,
) -> Sparkline:
    """Draw the prices of the minutes before ``minute``, the oldest first, and the last price.

    Only the last 60 of ``recent`` are drawn, and fewer end where 60 would. ``None``, and what is no
    finite number below 1e21, is a hole. The oldest point is at x = 2 and the last one at x = 68,
    the highest price at y = 3 and the lowest at y = 17; a flat line is at y = 10. A ``level``
    above all prices is at y = 1, and one below them at y = 19: it does not flatten the line.
    """
    missing: list[float | None] = [None] * (_MINUTES - len(recent))
    past = missing + [_known(price) for price in recent[-_MINUTES:]]
    data = " ".join(_HOLE if price is None else repr(price) for price in past), str(minute)
    prices = [*past, _known(last)]
    points = list(_points(prices))
    if not points:
        return Sparkline("", "", "", "", *data)
    (_, first), (place, y) = points[0], points[-1]
    known = _known(level)
    base = first if known is None else _base(known, [one for one in prices if one is not None])
    return Sparkline(
        _path(points),
        f"M{_TENTHS[_LEFT]} {_TENTHS[base]}H{_TENTHS[-1]}",
        _TENTHS[_LEFT + _STEP * place],
        _TENTHS[y],
        *data,
    )


# Pages are rendered more often than prices change. An entry takes about four kilobytes.
@functools.lru_cache(maxsize=512)
def drawn(
    recent: tuple[float | None, ...],
    last: float | None,
    minute: int,
    level: float | None = None,
    *,
    has_level: bool = False,
) -> SafeString:
    """Return the SVG of the line that ``sparkline`` makes of the same arguments.

    With ``has_level``, the script keeps the base line at the previous close.
    """
    line = sparkline(recent, last, minute, level)
    values = {**line._asdict(), "level": ' data-base="previous-close"' if has_level else ""}
    point = _POINT.format(**values) if line.line else ""
    # Digits, signs and the letters of a path: nothing that is to be escaped.
    return SafeString(_SVG.format(**values, point=point))


def _known(price: float | None) -> float | None:
    # Compared first: an integer may be too large for a float. NaN compares as false.
    return float(price) if price is not None and -_TOO_LARGE < price < _TOO_LARGE else None


def _points(prices: list[float | None]) -> Iterator[tuple[int, int]]:
    """Yield the place of each known price among all, and its y in tenths."""
    known = [price for price in prices if price is not None]
    high, low = max(known, default=0.0), min(known, default=0.0)
    for place, price in enumerate(prices):
        if price is not None:
            yield place, _y(price, high, low)


def _base(level: float, prices: list[float]) -> int:
    """Return the y of a level beside known prices, in tenths."""
    high, low = max(prices), min(prices)
    return _ABOVE if level > high else _BELOW if level < low else _y(level, high, low)


def _y(price: float, high: float, low: float) -> int:
    if high == low:
        return _MIDDLE
    return math.floor(_TOP + (high - price) / (high - low) * _DEPTH + 0.5)


def _path(points: list[tuple[int, int]]) -> str:
    """Join the points that follow each other; a point alone is a line of no length."""
    pieces = groupby(enumerate(points), key=lambda one: one[1][0] - one[0])
    return "".join(_piece([point for _, point in piece]) for _, piece in pieces)


def _piece(points: list[tuple[int, int]]) -> str:
    places = [f"{_TENTHS[_LEFT + _STEP * place]} {_TENTHS[y]}" for place, y in points]
    return f"M{'L'.join(places)}" + ("h0" if len(places) == 1 else "")
