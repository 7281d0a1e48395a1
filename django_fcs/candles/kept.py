"""A series as bytes for the cache, which a reader does not trust."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import Annotated, Literal

import msgspec

from django_fcs.prices.entries import drop_malformed
from django_fcs.prices.updates import TICK_AHEAD_SECONDS
from django_fcs.protocol.bounds import (
    PRICE_MAX,
    PRICE_MIN,
    TIME_MAX,
    VOLUME_MAX,
    UnixTime,
    is_price,
)
from django_fcs.values.timeframes import LENGTHS

from .bars import Rank
from .columns import BYTES_OF_A_BAR, Columns
from .holes import HOLES_MAX
from .series import Series
from .spans import SPANS_MAX, Span, Spans

__all__ = ["BARS_MAX", "NOTE_MAX", "Kept"]

#: As many as ``FCS_CANDLES`` allows, and the one that is forming.
BARS_MAX = 10_001

#: The longest note for people, in characters.
NOTE_MAX = 300

#: The longest entry that is read: all bars, and all intervals at their longest.
_BYTES_MAX = BARS_MAX * BYTES_OF_A_BAR + 4 * SPANS_MAX * 20 + 4096

_Whole = Annotated[int, msgspec.Meta(ge=-TIME_MAX, le=TIME_MAX)]
_Spans = Annotated[tuple[tuple[_Whole, _Whole], ...], msgspec.Meta(max_length=SPANS_MAX)]
_Holes = Annotated[tuple[tuple[_Whole, _Whole], ...], msgspec.Meta(max_length=HOLES_MAX)]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """All of a series, and what the stream that saved it knows besides."""

    form: Literal[1] = 1
    timeframe: str
    saved_at: UnixTime
    """In unix seconds."""
    bars: Annotated[bytes, msgspec.Meta(max_length=BARS_MAX * BYTES_OF_A_BAR)]
    """As ``Columns.pack`` returns them."""
    has_ended: bool = False
    """Whether the newest bar is known to have ended."""
    joined: _Spans = ()
    answered: _Spans = ()
    repaired: _Spans = ()
    since: UnixTime | None = None
    is_exhausted: bool = False
    missing: _Holes = ()
    """The holes when it was saved; only the stream knows all hours."""
    note: Annotated[str, msgspec.Meta(max_length=NOTE_MAX)] = ""
    wanted_at: UnixTime | None = None
    """When somebody last asked for candles of the room."""

    @classmethod
    def of(
        cls,
        series: Series,
        *,
        saved_at: float,
        missing: tuple[Span, ...] = (),
        note: str = "",
        wanted_at: float | None = None,
    ) -> Kept:
        """Return what is to be kept of a series."""
        columns, has_ended = series.state()
        return cls(
            timeframe=series.timeframe,
            saved_at=saved_at,
            bars=columns.pack(),
            has_ended=has_ended,
            joined=tuple(series.joined),
            answered=tuple(series.answered),
            repaired=tuple(series.repaired),
            since=series.since,
            is_exhausted=series.is_exhausted,
            missing=missing,
            note=note[:NOTE_MAX],
            wanted_at=wanted_at,
        )

    def encode(self) -> bytes:
        """Return it as bytes: some 57 for each bar."""
        return _encode(self)

    @classmethod
    def decode(cls, data: object, timeframe: str) -> Kept | None:
        """Read bytes of the cache; ``None`` if there are none, or for others, which counts."""
        if data is None:
            return None
        try:
            if not isinstance(data, bytes) or len(data) > _BYTES_MAX:
                raise TypeError(f"not at most {_BYTES_MAX} bytes")
            kept = _decode(data)
            kept._check(timeframe)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            drop_malformed(error)
            return None
        return kept

    def series(self, keep: int) -> Series:
        """Return the series, of which the newest ``keep`` bars and one more are kept."""
        series = Series(self.timeframe, keep=keep)
        series.joined = Spans(self.joined)
        series.answered = Spans(self.answered)
        series.repaired = Spans(self.repaired)
        series.since = self.since
        series.is_exhausted = self.is_exhausted
        series.restore(Columns.unpack(self.bars), self.has_ended)
        return series

    def _check(self, timeframe: str) -> None:
        """Raise ``ValueError`` for anything that this project does not write."""
        if self.timeframe != timeframe or timeframe not in LENGTHS:
            raise ValueError("candles of another timeframe")
        if len(self.bars) % BYTES_OF_A_BAR:
            raise ValueError("a candle is cut off")
        for spans in (self.joined, self.answered, self.repaired, self.missing):
            if not _are_ascending(spans):
                raise ValueError("intervals are not ascending")
        if not _are_bars(Columns.unpack(self.bars), self.saved_at + TICK_AHEAD_SECONDS):
            raise ValueError("candles that cannot be")


def _are_ascending(spans: tuple[Span, ...]) -> bool:
    times = [at for span in spans for at in span]
    return all(a < b for a, b in pairwise(times))


def _are_bars(columns: Columns, latest: float) -> bool:
    """Tell whether all of it can be; ten times as fast as one bar after the other."""
    if not columns:
        return True
    t, o, h, l, c = columns.t, columns.o, columns.h, columns.l, columns.c  # noqa: E741
    bars = zip(o, h, l, c, strict=True)
    return (
        t[0] >= 0
        and t[-1] <= latest
        and all(before < after for before, after in pairwise(t))
        and all(low <= a <= high and low <= b <= high for a, high, low, b in bars)
        # Comparing is faster than a call, and almost all prices are positive.
        and max(h) <= PRICE_MAX
        and (min(l) >= PRICE_MIN or all(map(is_price, chain(o, h, l, c))))
        # No volume is NaN, for which each comparison is false.
        and not any(v < 0 or v > VOLUME_MAX for v in columns.v)
        and all(-TIME_MAX <= at <= TIME_MAX for at in columns.at)
        and min(columns.rank) >= Rank.FORMING
        and max(columns.rank) <= Rank.ENDED
    )


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode
