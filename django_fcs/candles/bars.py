"""One candle of a series, and how far its source is to be trusted."""

from __future__ import annotations

import math
import re
from enum import IntEnum
from typing import NamedTuple

from django_fcs.prices.intake import usual_lead
from django_fcs.protocol.bounds import VOLUME_MAX, is_price

__all__ = ["Bar", "Rank", "is_sound", "read_bar"]

#: REST sends numbers or their texts. No price has more characters.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TEXT_MAX = 40


class Bar(NamedTuple):
    """One candle: it opened at ``t``, in unix seconds as the vendor gave them."""

    t: int
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    c: float
    v: float | None


class Rank(IntEnum):
    """Where a bar comes from; a higher rank is trusted more."""

    FORMING = 0
    """REST, while the bar was forming."""
    LIVE = 1
    """The socket."""
    ENDED = 2
    """REST, after the end of the bar."""


def is_sound(bar: Bar) -> bool:
    """Tell whether all prices are prices, and open and close lie between low and high."""
    _, o, h, l, c, _ = bar  # noqa: E741
    return (
        l <= o <= h and l <= c <= h and is_price(o) and is_price(h) and is_price(l) and is_price(c)
    )


def read_bar(
    t: object,
    o: object,
    h: object,
    l: object,  # noqa: E741
    c: object,
    v: object,
    *,
    timeframe: str,
    now: float,
) -> Bar | None:
    """Read a candle from numbers or texts of numbers; ``None`` if it cannot be one.

    It may open in the future as far as a live candle may. ``now`` is in unix seconds. A
    volume that cannot be one is left out.
    """
    opened = _number(t)
    if not 0 <= opened <= now + usual_lead(timeframe) or opened != int(opened):
        return None
    bar = Bar(int(opened), _number(o), _number(h), _number(l), _number(c), _volume(v))
    return bar if is_sound(bar) else None


def _volume(value: object) -> float | None:
    volume = _number(value)
    return volume if 0 <= volume <= VOLUME_MAX else None


def _number(value: object) -> float:
    """Return a number; NaN for anything else."""
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return math.nan
    if isinstance(value, int):
        return float(value) if abs(value) <= VOLUME_MAX else math.nan
    if isinstance(value, str) and len(value) <= _TEXT_MAX and _NUMBER.fullmatch(value):
        return float(value)
    return math.nan
