"""A page of candles, put together from what the site has stored of a room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from django_fcs.prices.sessions import Hours
from django_fcs.protocol.bounds import TIME_MAX
from django_fcs.rooms import Room

from .bars import Bar, Rank
from .holes import missing_among
from .kept import Kept
from .live import LiveBar
from .ranges import Range
from .series import Series
from .spans import Span
from .values import Candle, Candles

__all__ = ["Page"]


class Page:
    """The candles of one range: those of the store and the live one, and then older ones.

    Args:
        kept: What the store has of the room, if anything.
        live: The bars of the room's last value.
        keep: How many finished bars the store may have of a room.
        trouble: Why the store could not be read, for people; "" if it could be.
    """

    def __init__(
        self,
        room: Room,
        wanted: Range,
        kept: Kept | None,
        live: Sequence[LiveBar],
        *,
        keep: int,
        trouble: str = "",
    ) -> None:
        series = Series(room.timeframe, keep=keep) if kept is None else kept.series(keep)
        newest, final = series.newest, series.last_final
        for one in live:
            # A value that is older than the store tells nothing new, and no tick moves a bar that
            # has ended.
            known = final if one.is_moved else None
            if (newest is None or newest.t <= one.bar.t) and (known is None or known.t < one.bar.t):
                series.put(one.bar, rank=Rank.LIVE, at=one.at, is_final=one.is_final)
        self._room = room
        self._trouble = trouble
        self._wanted = wanted
        self._kept = kept
        self._looked = series.joined, series.answered
        self._older: tuple[Span, ...] = ()
        """The holes among older bars, and up to those of the store."""
        self._is_full = len(series) >= keep
        # One more than is wanted shows whether there are older ones.
        bars = series.bars(before=wanted.before, limit=wanted.limit + 1)
        self._candles = [Candle(*bar, final) for bar, final in bars]

    @property
    def lacking(self) -> int:
        """How many older bars it could take; with one more than is wanted, ``more`` is known."""
        return self._wanted.limit + 1 - len(self._candles)

    @property
    def begins(self) -> int | None:
        """Before which time the older bars open, in unix seconds; ``None`` for any."""
        return self._candles[0].t if self._candles else self._wanted.before

    def put_older(self, bars: Sequence[Bar], hours: Hours, *, trouble: str = "") -> None:
        """Add final bars, ascending, which open before ``begins``, or why there are none.

        Args:
            hours: When their market is open. Gaps in unknown hours are no holes.
        """
        times, stop = [bar.t for bar in bars], self.begins
        if times:
            stop = times[-1] + 1 if stop is None else stop
            timeframe = self._room.timeframe
            self._older = missing_among(times, timeframe, self._looked, hours, stop)
        self._candles[:0] = [Candle(*bar, True) for bar in bars]
        self._trouble = self._trouble or trouble

    def candles(self, *, is_fetched: bool, is_saved: bool) -> Candles:
        """Return all of it.

        Args:
            is_fetched: Whether the stream can ask the vendor for candles.
            is_saved: Whether the database keeps more of them than the store.
        """
        kept, limit = self._kept, self._wanted.limit
        is_exhausted = kept is not None and kept.is_exhausted
        may_come = is_fetched and not is_exhausted and (is_saved or not self._is_full)
        shown = tuple(self._candles[-limit:])
        start = shown[0].t if shown else 0
        recent = () if kept is None else kept.missing
        stop = TIME_MAX if self._wanted.before is None else self._wanted.before
        return Candles(
            room=self._room,
            candles=shown,
            missing=_within([*self._older, *recent], start, stop),
            repaired=() if kept is None else _within(kept.repaired, start, stop),
            more=len(self._candles) > limit or may_come,
            note=self._trouble or self._note(is_fetched=is_fetched),
            since=None if kept is None else kept.since,
            unread=bool(self._trouble),
        )

    def _note(self, *, is_fetched: bool) -> str:
        kept = self._kept
        if kept is not None and kept.note:
            return kept.note
        if not self._candles:
            when = "" if self._wanted.before is None else " before this time"
            return f"no candles of {self._room}{when} are known"
        if is_fetched or kept is None or kept.since is None:
            return ""
        since = datetime.fromtimestamp(kept.since, timezone.utc)
        return f"these are the candles that the stream has seen since {since:%Y-%m-%d %H:%M} UTC"


def _within(spans: Sequence[Span], start: int, stop: int) -> tuple[Span, ...]:
    cut = ((max(first, start), min(last, stop)) for first, last in spans)
    return tuple((first, last) for first, last in cut if first < last)
