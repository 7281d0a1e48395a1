"""The bars of a series as parallel arrays: 57 bytes for each."""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from .bars import Bar

__all__ = ["BYTES_OF_A_BAR", "Columns"]

BYTES_OF_A_BAR = 7 * 8 + 1


class Columns:
    """Bars by ascending ``t``, with the rank of each and the time at which it came."""

    __slots__ = ("_all", "at", "c", "h", "l", "o", "rank", "t", "v")

    def __init__(self) -> None:
        self.t = array("q")
        self.o = array("d")
        self.h = array("d")
        self.l = array("d")
        self.c = array("d")
        self.v = array("d")
        """NaN if it is not known."""
        self.at = array("d")
        self.rank = array("b")
        self._all: tuple[array[Any], ...] = (
            self.t,
            self.o,
            self.h,
            self.l,
            self.c,
            self.v,
            self.at,
            self.rank,
        )

    def __len__(self) -> int:
        return len(self.t)

    def find(self, t: int) -> tuple[int, bool]:
        """Return where a bar is or belongs, and whether it is there."""
        index = bisect_left(self.t, t)
        return index, index < len(self.t) and self.t[index] == t

    def bar(self, index: int) -> Bar:
        """Return one bar."""
        v = self.v[index]
        return Bar(
            self.t[index],
            self.o[index],
            self.h[index],
            self.l[index],
            self.c[index],
            None if math.isnan(v) else v,
        )

    def insert(self, index: int, bar: Bar, rank: int, at: float) -> None:
        """Insert a bar where it belongs."""
        for column, value in zip(self._all, _row(bar, rank, at), strict=True):
            column.insert(index, value)

    def replace(self, index: int, bar: Bar, rank: int, at: float) -> None:
        """Replace a bar by another one of the same ``t``."""
        # One by one: a loop over the columns takes three times as long.
        v = bar.v
        self.o[index], self.h[index], self.l[index], self.c[index] = bar[1:5]
        self.v[index] = math.nan if v is None else v
        self.at[index], self.rank[index] = at, rank

    def insert_many(self, bars: Sequence[Bar], ranks: Sequence[int], at: float) -> None:
        """Insert bars with their ranks, ascending; none of them is here yet."""
        if not bars:
            return
        is_later = not self.t or bars[0].t > self.t[-1]
        # Without a row for each bar: collecting thousands of objects would hold up prices.
        self.t.extend([bar.t for bar in bars])
        self.o.extend([bar.o for bar in bars])
        self.h.extend([bar.h for bar in bars])
        self.l.extend([bar.l for bar in bars])
        self.c.extend([bar.c for bar in bars])
        self.v.extend([math.nan if bar.v is None else bar.v for bar in bars])
        self.at.extend([at] * len(bars))
        self.rank.extend(ranks)
        if not is_later:
            order = sorted(range(len(self.t)), key=self.t.__getitem__)
            for column in self._all:
                column[:] = array(column.typecode, [column[index] for index in order])

    def drop_first(self, count: int) -> None:
        """Drop the oldest bars."""
        for column in self._all:
            del column[:count]

    def drop_last(self, count: int) -> None:
        """Drop the newest bars."""
        for column in self._all:
            del column[len(column) - count :]

    def pack(self) -> bytes:
        """Return all of it: one column after the other, in little-endian order."""
        return b"".join(_little(column).tobytes() for column in self._all)

    @classmethod
    def unpack(cls, data: bytes) -> Columns:
        """Read what ``pack`` returned; its length must be a multiple of ``BYTES_OF_A_BAR``."""
        columns, count, start = cls(), len(data) // BYTES_OF_A_BAR, 0
        for column in columns._all:
            stop = start + count * column.itemsize
            column.frombytes(data[start:stop])
            if sys.byteorder == "big":
                column.byteswap()
            start = stop
        return columns


def _row(bar: Bar, rank: int, at: float) -> tuple[float, ...]:
    t, o, h, l, c, v = bar  # noqa: E741
    return (t, o, h, l, c, math.nan if v is None else v, at, rank)


def _little(column: array[Any]) -> array[Any]:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column
