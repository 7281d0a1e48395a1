"""The symbols of a widget that shows several: what the argument ``symbols`` of a tag may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from operator import itemgetter

from django.utils.functional import Promise

from django_fcs.exceptions import BadRows, RoomError
from django_fcs.rooms import Room
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

from .arguments import room_of
from .refusals import unless_refused

__all__ = ["ROWS_MAX", "Group", "Row", "as_rows", "groups_of"]

logger = logger_of(__name__)
_complaints = Complaints()

#: How many rows a widget shows, and how many characters the heading of a group has.
ROWS_MAX, HEADING_MAX = 500, 100

_FORMS = "symbols, objects with a symbol, or pairs of a heading and such a list"


@dataclass(frozen=True)
class Row:
    """A room, and what named it."""

    room: Room
    thing: object
    """The symbol, or the object that has it: widgets read further attributes of it."""


@dataclass(frozen=True)
class Group:
    """Rows below one heading; an empty heading is none."""

    heading: str
    rows: tuple[Row, ...]


def groups_of(
    symbols: object, timeframe: object = None, *, most: int = ROWS_MAX
) -> tuple[Group, ...]:
    """Return the rows that a list of symbols names, none for an empty list.

    A list is a text with blanks or commas between the symbols, or an iterable of symbols, of
    objects or mappings with a ``symbol``, or of pairs ``(heading, list)``. A row or a group with
    a wrong value is left out, and so is what comes after ``most`` rows: the log says so once.
    With ``DEBUG``, a wrong value raises ``RoomError``. Raises ``BadRows`` if all rows are wrong,
    or if it is no list.
    """
    refused: list[RoomError] = []
    given = list(islice(_flat(symbols, refused.append), most + 1))
    if len(given) > most and _complaints.is_new("page", f"rows {most}"):
        logger.warning("a widget shows the first rows of a longer list most=%s", most)
    groups = []
    for heading, several in groupby(given[:most], key=itemgetter(0)):
        rows = (unless_refused(partial(_row, one, timeframe), refused.append) for _, one in several)
        groups.append(Group(heading, tuple(row for row in rows if row)))
    found = tuple(group for group in groups if group.rows)
    if not found and (refused or isinstance(symbols, Iterator)):
        raise BadRows("no symbols to show; a generator can be read only once, so pass a list")
    return found


def as_rows(value: object) -> object:
    """Return a literal as it is. Raises ``RoomError`` if it names no rows, or a wrong symbol."""
    try:
        for _, thing in islice(_flat(value, lambda error: None), ROWS_MAX):
            _row(thing, None)
    except RoomError as error:
        raise type(error)(f"in the list of symbols or rows: {error}") from error
    return value


def _flat(symbols: object, otherwise: Callable[[RoomError], None]) -> Iterator[tuple[str, object]]:
    """Yield each row with the heading that it stands below."""
    for item in _items(symbols):
        if not isinstance(item, (tuple, list)) or hasattr(item, "symbol"):  # named tuples
            yield "", item
        elif pair := unless_refused(partial(_pair, item), otherwise):
            heading, members = pair
            for one in members:
                yield heading, one


def _items(symbols: object) -> Iterable[object]:
    if isinstance(symbols, (str, Promise)):
        return str(symbols).replace(",", " ").split()
    if isinstance(symbols, (Mapping, bytes)) or not isinstance(symbols, Iterable):
        raise BadRows(f"a value of type {type(symbols).__name__} is no list of {_FORMS}")
    return symbols


def _pair(item: tuple[object, ...] | list[object]) -> tuple[str, Iterable[object]]:
    if len(item) != 2:
        raise BadRows(f"{len(item)} values are no pair of a heading and a list of symbols")
    given, members = item
    heading = str(given).strip() if isinstance(given, (str, Promise)) else ""
    if not heading or len(heading) > HEADING_MAX:
        words = f"a group needs a heading of 1 to {HEADING_MAX} characters"
        raise BadRows(f"{words}, not one of type {type(given).__name__}")
    return heading, _items(members)


def _row(thing: object, timeframe: object) -> Row:
    symbol = thing
    if isinstance(thing, Mapping):
        symbol = thing.get("symbol")
    elif not isinstance(thing, (str, Promise)):
        symbol = _symbol_of(thing)
    if symbol is None:
        raise BadRows(f"a row of type {type(thing).__name__} has no symbol: pass {_FORMS}")
    return Row(room_of(symbol, timeframe), thing)


def _symbol_of(thing: object) -> object:
    try:
        return getattr(thing, "symbol", None)
    except Exception as error:  # A property of the site's own.
        name = type(thing).__name__
        raise BadRows(f"the symbol of a row of type {name} cannot be read: {error!r}") from error
