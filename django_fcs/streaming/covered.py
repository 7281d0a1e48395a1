"""For which parts of a range the vendor need not be asked, as the database has its candles."""

from __future__ import annotations

from django_fcs.candles.spans import Span
from django_fcs.prices.sessions import Hours
from django_fcs.protocol.bounds import CANDLES_MAX
from django_fcs.values.timeframes import LONGEST

from .asking import note_saved
from .databank import Databank
from .histories import RoomHistory

__all__ = ["note_database"]


async def note_database(history: RoomHistory, span: Span, databank: Databank, hours: Hours) -> None:
    """Note which parts of a range (unix seconds) count as answered, the newest part first."""
    start, stop = span
    room, answered = history.room, history.series.answered
    await _doubt_deleted(history, span, databank)
    while parts := answered.outside(start, stop):
        first, last = parts[-1]
        rows = await databank.load(room, before=last, limit=CANDLES_MAX)
        rows = [row for row in rows if row.t >= first]
        is_noted = note_saved(history.series, rows, first, last, hours)
        left = answered.outside(start, stop)
        if not is_noted or (left and left[-1][1] >= last):  # That is to be asked for.
            return


async def _doubt_deleted(history: RoomHistory, span: Span, databank: Databank) -> None:
    """Forget the vendor's answers for times from which the database has no candles any more.

    Only candles before a time are deleted, so those at the beginning of an answered range tell.
    That the vendor has none there is known from the answers that this stream saw itself.
    """
    series, longest = history.series, LONGEST[history.room.timeframe]
    newest = series.oldest.t if series.oldest is not None else span[1]
    for start, stop in series.answered.inside(span[0], min(span[1], newest)):
        first = await databank.first(history.room, start, stop)
        if first is None:
            return
        for deleted in history.empty.outside(start, first):
            if deleted[1] - deleted[0] > longest:
                series.answered.remove(*deleted)
                series.is_exhausted = False
