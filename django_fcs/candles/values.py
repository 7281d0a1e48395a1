"""Candles as Python code of a site gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from django_fcs.rooms import Room

__all__ = ["Candle", "Candles"]


class Candle(NamedTuple):
    """One candle: it opened at ``t``, in unix seconds as the vendor gave them."""

    t: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    final: bool
    """Whether it has ended; the last candle may be forming."""


@dataclass(frozen=True, repr=False)
class Candles(Sequence[Candle]):
    """Candles of a room, the oldest first; a slice is a tuple.

    ``missing`` and ``repaired`` are ascending times in unix seconds, each with its start and
    its end: where candles are missing although the market was open, and where they were
    until the vendor sent them.
    """

    room: Room
    candles: tuple[Candle, ...] = ()
    missing: tuple[tuple[int, int], ...] = ()
    repaired: tuple[tuple[int, int], ...] = ()
    more: bool = False
    """Whether there may be older candles."""
    note: str = ""
    """What people should know: why candles are missing, or until when none can be asked for."""
    since: float | None = None
    """Since when the stream has seen this room, in unix seconds; ``None`` if it has not."""
    unread: bool = False
    """Whether the cache or the database did not answer, so that candles may be missing."""

    @overload
    def __getitem__(self, index: int) -> Candle: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Candle, ...]: ...
    def __getitem__(self, index: int | slice) -> Candle | tuple[Candle, ...]:
        return self.candles[index]

    def __len__(self) -> int:
        return len(self.candles)

    def __repr__(self) -> str:
        return f"<Candles {self.room}: {len(self)}>"

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as strict JSON has it; a candle is ``[t, o, h, l, c, v]``."""
        return {
            "symbol": self.room.symbol,
            "timeframe": self.room.timeframe,
            "candles": [list(candle[:6]) for candle in self.candles],
            "final": next((candle.t for candle in reversed(self.candles) if candle.final), None),
            "more": self.more,
            "missing": [list(span) for span in self.missing],
            "repaired": [list(span) for span in self.repaired],
            "note": self.note,
            "since": self.since,
        }
