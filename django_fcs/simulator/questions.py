"""What a request to the simulator's REST history asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple

__all__ = ["LENGTH_MAX", "Asked", "read_question"]

#: Candles in one answer.
LENGTH_MAX = 10_000
_LENGTH = 300

#: Characters of texts that are kept.
_TEXT_MAX = 100

#: Digits of a number; 12 digits of seconds reach beyond the year 30,000.
_DIGITS_MAX = 12

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Asked(NamedTuple):
    """One request for history, as it was asked."""

    at: float
    """When it came, in unix seconds."""
    symbol: str
    period: str
    length: int
    start: int | None
    """``from`` in unix seconds."""
    end: int | None
    """``to`` in unix seconds; of a date, the last second."""
    page: int
    is_array: bool
    """Whether candles are asked for as arrays."""


def read_question(parameters: Mapping[str, str], at: float) -> Asked:
    """Read the parameters of a request. Raises ``ValueError`` with a text for people."""
    return Asked(
        at=at,
        symbol=parameters.get("symbol", "")[:_TEXT_MAX],
        period=parameters.get("period", "1D")[:_TEXT_MAX],
        length=min(_number(parameters, "length", _LENGTH), LENGTH_MAX),
        start=_moment(parameters, "from", seconds=0),
        end=_moment(parameters, "to", seconds=86_399),
        page=_number(parameters, "page", 1),
        is_array=parameters.get("is_chart") == "1" or parameters.get("candle") == "chart",
    )


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and int(text)):
        raise ValueError(f"{name} must be a whole number from 1")
    return int(text)


def _moment(parameters: Mapping[str, str], name: str, *, seconds: int) -> int | None:
    """Return a time in unix seconds; of a date, the time so many seconds after its start."""
    text = parameters.get(name)
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        return int(text)
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        day = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    except ValueError:
        raise ValueError(f"{name} must be unix seconds or YYYY-MM-DD") from None
    return int(day.timestamp()) + seconds
