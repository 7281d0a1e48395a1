"""Which candles may be asked for at once: how many, and before which time."""

from __future__ import annotations

import operator
from typing import NamedTuple

from django_fcs.exceptions import BadRange
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.rooms import excerpt

__all__ = ["LIMIT", "LIMIT_MAX", "Range"]

#: How many candles are returned by default, and how many at most.
LIMIT = 300
LIMIT_MAX = 10_000


class Range(NamedTuple):
    """The newest ``limit`` candles that open before ``before``, in unix seconds."""

    limit: int
    before: int | None

    @classmethod
    def read(cls, limit: object = None, before: object = None) -> Range:
        """Check both numbers; raise ``BadRange`` if one cannot be used.

        Without ``limit`` it is ``LIMIT``; without ``before``, the range ends with the newest.
        """
        number = _whole("limit", LIMIT if limit is None else limit, 1, LIMIT_MAX)
        return cls(number, None if before is None else _whole("before", before, 0, TIME_MAX))


def _whole(name: str, value: object, least: int, most: int) -> int:
    try:
        # True is a whole number for Python.
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        unit = " (unix seconds)" if name == "before" else ""
        text = f"{name} {excerpt(value)} is not a whole number from {least} to {most}{unit}"
        raise BadRange(text)
    return number
