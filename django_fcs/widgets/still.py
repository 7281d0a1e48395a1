"""A chart as an SVG file: the same text for the same candles, no matter who asks."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo

from django.utils import formats as dates, translation
from django.utils.translation import pgettext

from django_fcs.candles import Candles
from django_fcs.charts.addresses import Picture
from django_fcs.charts.files import NARROW, Head, file_of
from django_fcs.prices.names import name_of
from django_fcs.quotes import Quote
from django_fcs.values.timeframes import LENGTHS

from . import formats
from .plots import Look, change_of, digits_of, exchange_zone, sheet_of

__all__ = ["still", "svg_of"]

#: The height of the plot in pixels, and of a narrow one.
_HEIGHT, _HEIGHT_OF_NARROW = 256, 216


def svg_of(
    found: Candles, picture: Picture, quote: Quote | None = None, day: Quote | None = None
) -> str:
    """Return candles as a file, in the language and the zone of the picture.

    The quote, if there is one, adds the change and the time of the price, and that of the ``day``
    the previous close.
    """
    zone = exchange_zone(found.room.symbol)
    if picture.zone != "exchange":
        zone = ZoneInfo(picture.zone)
    look = Look(picture.type, _height(picture.width), zone, picture.width)
    with translation.override(picture.language):
        return still(found, look, quote, picture.theme, day)


def still(
    found: Candles, look: Look, quote: Quote | None, theme: str, day: Quote | None = None
) -> str:
    """Return candles as a file, in the active language; ``look`` must have a width.

    The quote of the ``day`` has its previous close.
    """
    width = look.width or 0
    digits = digits_of(found, quote)
    price = found[-1].close if found else quote.close if quote else None
    sheet = sheet_of(found, look, digits, price, day)
    head = _head(found, width, quote, day, price, digits, look.zone)
    return file_of(sheet, head, theme, (width, look.height))


def _height(width: int) -> int:
    return _HEIGHT_OF_NARROW if width < NARROW else _HEIGHT


def _head(
    found: Candles,
    width: int,
    quote: Quote | None,
    day: Quote | None,
    price: float | None,
    digits: int,
    zone: tzinfo,
) -> Head:
    symbol, timeframe = found.room.symbol, found.room.timeframe
    written, name = formats.number(price, digits), name_of(symbol)
    moved, percent = change_of(quote, day)
    points = "" if width < NARROW else f"{formats.signed(moved, digits)} "
    change = "" if moved is None else f"{points}{formats.percent(percent)}"
    title = f"{formats.name(symbol)} · {formats.period(timeframe)}"
    as_of = _as_of(found, quote, zone)
    no_data = pgettext("price", "No data for {n}").replace("{n}", formats.name(symbol))
    empty = "" if found else no_data
    said = (title, *((written, change, as_of) if price is not None else ()), empty)
    return Head(
        sentence=", ".join(filter(None, said)),
        symbol=title,
        name="" if width < NARROW or name in formats.name(symbol) else name,
        price=written,
        change=change,
        direction="" if not moved else "up" if moved > 0 else "down",
        as_of=as_of,
        empty=empty,
    )


def _as_of(found: Candles, quote: Quote | None, zone: tzinfo) -> str:
    """Say when the price was true; without a quote, when its candle opened or ended."""
    if quote is None and not found:
        return ""
    at = quote.updated.timestamp() if quote else float(found[-1].t)
    if quote is None and found[-1].final:
        at += LENGTHS[found.room.timeframe]
    local = datetime.fromtimestamp(at, timezone.utc).astimezone(zone)
    time = f"{dates.date_format(local, 'j M')} {local:%H:%M} {local.tzname()}"
    return pgettext("price", "as of {n}").replace("{n}", time)
