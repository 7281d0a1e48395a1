"""What the arguments of tags may be: read here, so that each tag refuses the same."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from django.utils.functional import Promise

from django_fcs.exceptions import BadField, BadOption
from django_fcs.rooms import Room, canonical_timeframe, check_symbol, excerpt
from django_fcs.site import room_to_show

__all__ = [
    "COUNTS",
    "DIRECTIONS",
    "FIELDS",
    "SIZES",
    "as_attribute",
    "as_count",
    "as_direction",
    "as_field",
    "as_href",
    "as_item_size",
    "as_label",
    "as_symbol",
    "as_timeframe",
    "as_unit",
    "link_of",
    "plain",
    "room_of",
]

FIELDS = (
    "symbol",
    "name",
    "close",
    "open",
    "high",
    "low",
    "volume",
    "ask",
    "bid",
    "spread",
    "change",
    "change_percent",
    "updated",
)

#: How much a card shows: the first one is the default.
SIZES = ("regular", "compact")

#: Where a tape goes: the first one is the default.
DIRECTIONS = ("horizontal", "vertical")

#: How many rows a ranking shows on each side.
COUNTS = range(1, 21)

_HREF_MAX = 2000
_LABEL_MAX = 100
_ATTRIBUTE_MAX = 100
_UNIT_MAX = 16
_SCHEME = re.compile(r"([^/?#:]*):")


def as_symbol(value: object) -> str:
    """Return a symbol as plain text. Raises ``BadSymbol``."""
    return check_symbol(plain(value))


def as_timeframe(value: object) -> str | None:
    """Return a canonical timeframe; ``None`` is that of the site. Raises ``BadTimeframe``."""
    return None if value is None else canonical_timeframe(plain(value))


def as_field(value: object) -> str:
    """Return the name of a value of a widget. Raises ``BadField``."""
    field = plain(value)
    # The values of some types cannot be compared with a text.
    if not isinstance(field, str) or field not in FIELDS:
        raise BadField(f"field {excerpt(field)} is not one of {' '.join(FIELDS)}")
    return field


def as_item_size(value: object) -> str:
    """Return one of ``SIZES``; ``None`` is the default. Raises ``BadOption``."""
    size = SIZES[0] if value is None else plain(value)
    if not isinstance(size, str) or size not in SIZES:
        raise BadOption(f"item_size {excerpt(size)} is not one of {' '.join(SIZES)}")
    return size


def as_direction(value: object) -> str:
    """Return one of ``DIRECTIONS``; ``None`` is the default. Raises ``BadOption``."""
    direction = DIRECTIONS[0] if value is None else plain(value)
    if not isinstance(direction, str) or direction not in DIRECTIONS:
        raise BadOption(f"direction {excerpt(direction)} is not one of {' '.join(DIRECTIONS)}")
    return direction


def as_label(value: object) -> str:
    """Return the accessible name of a widget; ``None`` is none. Raises ``BadOption``."""
    label = "" if value is None else plain(value)
    if not isinstance(label, str) or len(label) > _LABEL_MAX:
        raise BadOption(f"label {excerpt(label)} is not a text of at most {_LABEL_MAX} characters")
    return label.strip()


def as_href(value: object) -> str:
    """Return the pattern of an address; ``None`` is none. Raises ``BadOption``.

    Only relative addresses and those of ``http`` and ``https`` are links.
    """
    href = "" if value is None else plain(value)
    if not isinstance(href, str) or len(href) > _HREF_MAX or not href.isprintable():
        raise BadOption(f"href {excerpt(href)} is not a printable text of {_HREF_MAX} characters")
    # A browser ignores blanks at the start, which would hide the scheme.
    scheme = _SCHEME.match(href.strip())
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise BadOption(f"href {excerpt(href)} is not relative, and not of http or https")
    return href.strip()


def as_unit(value: object) -> str | None:
    """Return what a price is counted in; ``None`` is that of the symbol. Raises ``BadOption``."""
    unit = plain(value)
    if unit is not None and not (isinstance(unit, str) and len(unit) <= _UNIT_MAX):
        raise BadOption(f"unit {excerpt(unit)} is not a text of at most {_UNIT_MAX} characters")
    return unit


def as_attribute(value: object) -> str:
    """Return the name of an attribute of rows; ``None`` is none. Raises ``BadOption``."""
    name = "" if value is None else plain(value)
    is_name = isinstance(name, str) and len(name) <= _ATTRIBUTE_MAX
    if not is_name or (name and (not name.isidentifier() or name.startswith("_"))):
        raise BadOption(f"size {excerpt(name)} is not the name of an attribute, as in weight")
    return str(name)


def as_count(value: object) -> int:
    """Return one of ``COUNTS``, which may be given as text. Raises ``BadOption``."""
    text = "" if isinstance(value, bool) else plain(value)
    if isinstance(text, str) and len(text) <= 2 and text.isdecimal() and int(text) in COUNTS:
        return int(text)
    raise BadOption(f"count {excerpt(value)} is not a number of {COUNTS[0]} to {COUNTS[-1]}")


def link_of(href: str, symbol: str) -> str:
    """Return the address of a symbol: its percent-encoded name takes the place of ``{symbol}``."""
    return href.replace("{symbol}", quote(symbol, safe=""))


def room_of(symbol: object, timeframe: object) -> Room:
    """Return the room that a tag names. Raises ``BadSymbol`` or ``BadTimeframe``."""
    return room_to_show(plain(symbol), plain(timeframe))


def plain(value: Any) -> Any:
    """Turn what templates pass into text: strings that are lazy or marked as safe, and numbers."""
    if isinstance(value, Promise):
        value = str(value)
    if isinstance(value, str):
        return str.__str__(value)  # Adding "" would keep the mark of Jinja2.
    # Python refuses to print longer integers than 4,300 digits.
    return str(value) if isinstance(value, int) and value.bit_length() <= 64 else value
