"""A series as bytes for the cache, which a reader does not trust."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec

from django_fcs.prices.entries import drop_malformed
from django_fcs.prices.updates import TICK_AHEAD_SECONDS
from django_fcs.protocol.bounds import TIME_MAX, VOLUME_MAX, UnixTime
from django_fcs.values.timeframes import LENGTHS

from .bars import Rank, is_sound
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

    @classmethod
    def of(
        cls, series: Series, *, saved_at: float, missing: tuple[Span, ...] = (), note: str = ""
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
    return all(a < b for a, b in zip(times, times[1:], strict=False))


def _are_bars(columns: Columns, latest: float) -> bool:
    before = -1
    for index in range(len(columns)):
        bar = columns.bar(index)
        if not (before < bar.t <= latest and is_sound(bar) and _is_volume(bar.v)):
            return False
        before = bar.t
    ranks, at = columns.rank, columns.at
    return all(Rank.FORMING <= rank <= Rank.ENDED for rank in ranks) and all(
        math.isfinite(time) and abs(time) <= TIME_MAX for time in at
    )


def _is_volume(v: float | None) -> bool:
    return v is None or 0 <= v <= VOLUME_MAX


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode
