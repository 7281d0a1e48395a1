"""The address of a chart as an image, for mails, link previews and pages without elements."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.urls import NoReverseMatch, reverse

from django_fcs.charts.addresses import (
    FORMATS,
    RANGES,
    THEMES,
    TYPES,
    WIDTHS,
    Picture,
    as_choice,
    as_language,
    as_number,
    as_zone,
    query_of,
)
from django_fcs.exceptions import BadOption
from django_fcs.rooms import excerpt

from .arguments import plain, room_of

__all__ = [
    "as_format",
    "as_picture_range",
    "as_picture_width",
    "as_picture_zone",
    "as_site",
    "as_theme",
    "as_type",
    "chart_url",
]

#: By default an image is as wide as a mail, and has as many candles as that shows.
_WIDTH = 600
_RANGE = 75

_BASE_MAX = 2000


def chart_url(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    type: str | None = None,
    range: int | None = None,
    theme: str | None = None,
    width: int | None = None,
    zone: str | None = None,
    format: str | None = None,
    base: str | None = None,
    request: Any = None,
) -> str:
    """Return the signed address of a chart as an image, for anybody who has it.

    It is absolute if ``base`` or the page's request says where the site is. The image has the
    language that is active now, and Django's current time zone unless ``zone`` is given.
    Raises ``RoomError``, also if the site does not include ``django_fcs.urls``.
    """
    picture = Picture(
        room_of(symbol, timeframe),
        as_type(type),
        as_picture_range(range),
        as_theme(theme),
        as_picture_width(width),
        as_picture_zone(zone),
        as_language(None),
    )
    kind, start = as_format(format), as_site(base)
    try:
        path = f"{reverse(f'django_fcs:chart_{kind}')}?{query_of(picture, kind)}"
    except NoReverseMatch:
        raise BadOption("charts as images need the urls: include django_fcs.urls") from None
    if start:
        return urljoin(start, path)
    return path if request is None else str(request.build_absolute_uri(path))


def as_type(value: object) -> str:
    """Return a type of chart; ``None`` is the default. Raises ``BadOption``."""
    return TYPES[0] if value is None else as_choice("type", plain(value), TYPES)


def as_theme(value: object) -> str:
    """Return a theme; ``None`` is the default. Raises ``BadOption``."""
    return THEMES[0] if value is None else as_choice("theme", plain(value), THEMES)


def as_format(value: object) -> str:
    """Return what an image may be; ``None`` is the default. Raises ``BadOption``."""
    return FORMATS[0] if value is None else as_choice("format", plain(value), FORMATS)


def as_picture_range(value: object) -> int:
    """Return how many candles an image has; ``None`` is the default. Raises ``BadOption``."""
    return _RANGE if value is None else as_number("range", plain(value), RANGES)


def as_picture_width(value: object) -> int:
    """Return how wide an image is; ``None`` is the default. Raises ``BadOption``."""
    return _WIDTH if value is None else as_number("width", plain(value), WIDTHS)


def as_picture_zone(value: object) -> str:
    """Return the zone of an image's times; ``None`` is Django's. Raises ``BadOption``."""
    return as_zone(plain(value))


def as_site(value: object) -> str:
    """Return where the site is; ``None`` is unknown. Raises ``BadOption``."""
    base = "" if value is None else plain(value)
    is_text = isinstance(base, str) and len(base) <= _BASE_MAX and base.isprintable()
    if not is_text or (base and not base.startswith(("https://", "http://"))):
        raise BadOption(f"base {excerpt(base)} is not an address such as https://example.com")
    return str(base)
