"""The values of a widget as text: each is written when a template asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from django_fcs.quotes import Quote
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

from . import formats
from .arguments import FIELDS
from .formats import Notation
from .spared import escaped, spared

__all__ = ["Figures", "Spans"]

logger = logger_of(__name__)
_complaints = Complaints()


class Figures(Mapping[str, str]):
    """All ``FIELDS`` by name; a dash for what is not known, and for what cannot be written.

    A template prints a few of them, and writing one costs microseconds.

    Args:
        names: The fields that are known without a quote, as text.
        quote: The others.
        notation: How numbers are written.
        now: Decides whether a time is written with its date.
    """

    def __init__(
        self, names: Mapping[str, str], quote: Quote | None, notation: Notation, now: datetime
    ) -> None:
        self._texts = dict(names)
        self.quote = quote
        """What the texts are written from; ``None`` if it is not known."""
        self._notation = notation
        self._now = now

    def __getitem__(self, field: str) -> str:
        text = self._texts.get(field)
        if text is None:
            write = _WRITERS[field]
            text = self._texts[field] = spared(self._fenced(field, write))
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(FIELDS)

    def __len__(self) -> int:
        return len(FIELDS)

    def _fenced(self, field: str, write: _Writer) -> str:
        """Write a value; a fault is logged once an hour, and takes no other value down."""
        if self.quote is None:
            return formats.UNKNOWN
        try:
            return write(self.quote, self._notation, self._now)
        except Exception as error:
            room = self.quote.room
            if _complaints.is_new("", f"{type(error).__name__} {room}"):
                logger.exception("cannot write a value, dash shown field=%s room=%s", field, room)
            return formats.UNKNOWN


class Spans(Mapping[str, SafeString]):
    """The elements with the values: a template that writes them itself takes longer.

    Args:
        fields: The values, as text.
        shown: The context of the room: ``shapes``, ``updated`` and ``exchange_time``.
    """

    def __init__(self, fields: Mapping[str, str], shown: Mapping[str, Any]) -> None:
        self._fields = fields
        self._shown = shown

    def __getitem__(self, field: str) -> SafeString:
        text, kind, shown = escaped(self._fields[field]), "span", self._shown
        if field == "updated" and shown["updated"]:
            kind = "time"
            more = {"datetime": shown["updated"], "title": shown["exchange_time"]}
        else:
            more = {"data-shape": shown["shapes"].get(field, "")}
        known = "".join(f' {name}="{escaped(value)}"' for name, value in more.items() if value)
        return SafeString(f'<{kind} translate="no" data-field="{field}"{known}>{text}</{kind}>')

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


_Writer = Callable[[Quote, Notation, datetime], str]

_WRITERS: dict[str, _Writer] = {
    "close": lambda quote, notation, now: formats.number(quote.close, quote.digits, notation),
    "open": lambda quote, notation, now: formats.number(quote.open, quote.digits, notation),
    "high": lambda quote, notation, now: formats.number(quote.high, quote.digits, notation),
    "low": lambda quote, notation, now: formats.number(quote.low, quote.digits, notation),
    "ask": lambda quote, notation, now: formats.number(quote.ask, quote.digits, notation),
    "bid": lambda quote, notation, now: formats.number(quote.bid, quote.digits, notation),
    "volume": lambda quote, notation, now: formats.compact(quote.volume, notation),
    "spread": lambda quote, notation, now: formats.spread(
        quote.spread, quote.room.symbol, quote.digits, notation
    ),
    "change": lambda quote, notation, now: formats.signed(quote.change, quote.digits, notation),
    "change_percent": lambda quote, notation, now: formats.percent(quote.change_percent, notation),
    "updated": lambda quote, notation, now: formats.clock(quote.updated, now=now),
}
