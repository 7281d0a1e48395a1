"""The columns of a table: which there are, what heads them, which a narrow table keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import pgettext

from django_fcs.exceptions import BadOption
from django_fcs.prices.symbols import pip_of
from django_fcs.quotes import Quote
from django_fcs.rooms import excerpt

from .arguments import FIELDS
from .texts import texts

__all__ = ["COLUMNS", "USUAL", "as_columns", "as_sort", "heading_of", "key_of", "ranks_of"]

#: What may stand beside the symbol, which is always first.
COLUMNS = ("sparkline", *FIELDS[1:])

USUAL: tuple[str, ...] = ("sparkline", "close", "change", "change_percent")
_NAMES_MAX = 50

#: A narrow table keeps the first of these that it has.
_KEPT = (
    *("close", "change_percent", "sparkline", "bid", "ask", "change", "spread"),
    *("volume", "high", "low", "open", "name", "updated"),
)
#: By their place among those: the first two stay at any width. fcs.css has the widths.
_RANKS = ("", "", "3", "4", "5", "5", *["6"] * 7)

_HEADINGS: dict[str, Callable[[], str]] = {
    "symbol": lambda: pgettext("price", "Instrument"),
    "name": lambda: pgettext("price", "Name"),
    "sparkline": lambda: pgettext("price", "Last hour"),
    "close": lambda: pgettext("price", "Last"),
    "ask": lambda: pgettext("price", "Ask"),
    "bid": lambda: pgettext("price", "Bid"),
    "change": lambda: pgettext("price", "Change"),
    "change_percent": lambda: "%",
    "updated": lambda: pgettext("price", "Time"),
}


def as_columns(value: object) -> tuple[str, ...]:
    """Return the names of columns; ``None`` is the usual ones. Raises ``BadOption``.

    They are a text with blanks or commas between them, or an iterable of texts. The symbol,
    which is always first, may be named.
    """
    if value is None:
        return USUAL
    names: Iterable[object] = [value]
    if isinstance(value, (str, Promise)):
        names = str(value).replace(",", " ").split()
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        names = value
    given = dict.fromkeys(_one_of(name, "columns", COLUMNS) for name in islice(names, _NAMES_MAX))
    given.pop("symbol", None)
    if not given:
        raise BadOption(f"columns are none of {' '.join(COLUMNS)}")
    return tuple(given)


def as_sort(value: object) -> tuple[str, bool]:
    """Return the field that rows are sorted by, and whether the largest value is first.

    ``None`` and an empty text are no field: rows keep their order. Raises ``BadOption``.
    """
    if value is None or value == "":
        return "", False
    is_down = isinstance(value, (str, Promise)) and str(value).startswith("-")
    return _one_of(str(value)[1:] if is_down else value, "sort", FIELDS[1:]), is_down


def ranks_of(columns: Sequence[str]) -> dict[str, str]:
    """Return how early columns go as a table becomes narrower; those that stay have no rank."""
    kept = [name for name in _KEPT if name in columns]
    return {name: rank for name, rank in zip(kept, _RANKS, strict=False) if rank}


def heading_of(column: str) -> str:
    """Return what stands above a column, in the active language."""
    heading = _HEADINGS.get(column)
    return texts()[column] if heading is None else heading()


def key_of(quote: Quote | None, field: str) -> Any:
    """Return the number that a row is sorted by, as the page shows it; ``None`` if unknown."""
    if quote is None:
        return None
    value = getattr(quote, field)
    if field == "updated":
        return value.timestamp()
    pip = pip_of(quote.room.symbol) if field == "spread" else None
    if value is None or value != value:  # NaN is no place in an order
        return None
    return value / pip if pip else value


def _one_of(name: object, what: str, choices: Sequence[str]) -> str:
    text = str(name) if isinstance(name, (str, Promise)) else ""
    if text not in ("symbol", *choices):
        known = " ".join(("symbol", *choices))
        raise BadOption(f"{excerpt(name)} in {what} is not one of {known}")
    return str.__str__(text)  # Adding "" would keep the mark of Jinja2.
