"""What the options of ``fcs_chart`` may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django_fcs.charts.addresses import RANGES, as_number
from django_fcs.exceptions import BadOption, BadTimeframe
from django_fcs.protocol.bounds import is_price
from django_fcs.rooms import canonical_timeframe, excerpt

from .arguments import plain

__all__ = [
    "HEIGHTS",
    "LINES_MAX",
    "TIMEFRAMES",
    "as_height",
    "as_lines",
    "as_range",
    "as_timeframes",
    "as_zone_of_chart",
]

#: How high the plot is, in CSS pixels.
HEIGHTS = range(160, 801)

#: The timeframes that visitors can choose, unless a page says which.
TIMEFRAMES = ("1", "5", "15", "60", "240", "1D")

#: How many lines a chart has, and how long the label of one may be.
LINES_MAX = 20
_LABEL_MAX = 40

_HEIGHT = 320
_RANGE = 200


def as_timeframes(value: object) -> tuple[str, ...]:
    """Return canonical timeframes, each once; ``None`` is the default. Raises ``BadOption``.

    They are a list, or a text with blanks or commas between them.
    """
    if value is None:
        return TIMEFRAMES
    text = plain(value)
    given = text.replace(",", " ").split() if isinstance(text, str) else text
    if not isinstance(given, Iterable):
        raise BadOption(f"timeframes {excerpt(text)} are not timeframes such as 1 5 60 1D")
    names: list[str] = []
    for one in given:
        try:
            name = canonical_timeframe(plain(one))
        except BadTimeframe as error:
            raise BadOption(f"timeframes {excerpt(text)}: {error}") from None
        names += [] if name in names else [name]
    if not names:
        raise BadOption(f"timeframes {excerpt(text)} are not timeframes such as 1 5 60 1D")
    return tuple(names)


def as_range(value: object) -> int:
    """Return how many candles a chart prints; ``None`` is the default. Raises ``BadOption``."""
    return _RANGE if value is None else as_number("range", plain(value), RANGES)


def as_height(value: object) -> int:
    """Return how high a plot is; ``None`` is the default. Raises ``BadOption``."""
    return _HEIGHT if value is None else as_number("height", plain(value), HEIGHTS)


def as_zone_of_chart(value: object) -> str:
    """Return ``viewer``, ``exchange`` or a zone; ``None`` is the first. Raises ``BadOption``."""
    name = "viewer" if value is None else plain(value)
    if name in ("viewer", "exchange"):
        return str(name)
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, TypeError, OSError):
        text = f"zone {excerpt(name)} is not viewer, exchange, UTC or a zone such as Europe/Berlin"
        raise BadOption(text) from None


def as_lines(value: object) -> tuple[tuple[float, str], ...]:
    """Return prices with their labels; ``None`` is no line. Raises ``BadOption``.

    They are a number, a text of numbers, or a list of numbers, of pairs of a number and a label,
    or of objects or dicts with ``price`` and, if wanted, ``label``.
    """
    text = plain(value)
    given: Any = text.replace(",", " ").split() if isinstance(text, str) else text
    if given is None:
        return ()
    if isinstance(given, (float, Decimal)):
        given = [given]
    if not isinstance(given, Iterable):
        raise BadOption(f"lines {excerpt(text)} is not a list of prices")
    lines = []
    for one in given:
        lines.append(_line(one))
        if len(lines) > LINES_MAX:
            raise BadOption(f"lines has more than {LINES_MAX} prices")
    return tuple(lines)


def _line(one: Any) -> tuple[float, str]:
    if isinstance(one, (tuple, list)) and len(one) == 2:
        price, label = one
    elif isinstance(one, Mapping):
        price, label = one.get("price"), one.get("label")
    else:
        price, label = getattr(one, "price", one), getattr(one, "label", "")
    number, name = _price(plain(price)), plain(label or "")
    if number is None:
        raise BadOption(f"lines: {excerpt(price)} is not a price")
    if not isinstance(name, str) or len(name) > _LABEL_MAX:
        raise BadOption(f"lines: label {excerpt(name)} is no text of {_LABEL_MAX} characters")
    return number, name


def _price(value: object) -> float | None:
    """Return a price that is a number, a decimal, or a text of one."""
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > _LABEL_MAX):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) and is_price(number) else None
