"""The chart: candles as a drawing that stands in the page before any script runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone
from django.utils.translation import pgettext

from django_fcs import quotes
from django_fcs.candles import Candles
from django_fcs.charts.addresses import THEMES, TYPES
from django_fcs.prices.zones import regular_hours
from django_fcs.quotes import Quote
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

from . import formats
from .arguments import room_of
from .bars import candles_to_show
from .charted import (
    TIMEFRAMES,
    as_height,
    as_lines,
    as_range,
    as_timeframes,
    as_zone_of_chart,
)
from .context import current_time, element, option
from .images import as_picture_width, as_theme, as_type
from .plots import Look, base_of, change_of, digits_of, exchange_zone, room_of_day
from .plotted import over_of, plot_of, readout_of, title_of
from .rendering import render
from .still import still
from .texts import texts

__all__ = ["chart"]

logger = logger_of(__name__)
_complaints = Complaints()

_DEFAULT_HEIGHT, _DEFAULT_RANGE, _DEFAULT_WIDTH = (
    as_height(None),
    as_range(None),
    as_picture_width(None),
)


class _Options(NamedTuple):
    """The options of the tag, read: what a variable has wrong is its default."""

    timeframes: tuple[str, ...]
    type: str
    range: int
    zone: str
    height: int
    volume: bool
    lines: Sequence[tuple[float, str]]


def chart(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    timeframes: object = None,
    type: str | None = None,
    volume: bool = True,
    lines: object = None,
    range: int | None = None,
    zone: str | None = None,
    height: int | None = None,
    href: str | None = None,
    announce: bool = False,
    static: bool = False,
    theme: str | None = None,
    width: int | None = None,
) -> SafeString:
    """Print a chart of the last candles. Raises ``RoomError``.

    With ``static``, it is an SVG without an element, ``width`` pixels wide, in the colours of a
    ``theme``.
    """
    room = room_of(symbol, timeframe)
    options = _Options(
        option(lambda: as_timeframes(timeframes), TIMEFRAMES),
        option(lambda: as_type(type), TYPES[0]),
        option(lambda: as_range(range), _DEFAULT_RANGE),
        option(lambda: as_zone_of_chart(zone), "viewer"),
        option(lambda: as_height(height), _DEFAULT_HEIGHT),
        bool(volume),
        option(lambda: as_lines(lines), ()),
    )
    found = candles_to_show(room, options.range)
    if static:
        wide = option(lambda: as_picture_width(width), _DEFAULT_WIDTH)
        return _still(found, options, option(lambda: as_theme(theme), THEMES[0]), wide)
    context = element(
        room, announce=bool(announce), href=href, own=_attributes(options, room.symbol)
    )
    return render("chart", {**context, **_fenced(found, options, context)})


def _attributes(options: _Options, symbol: str) -> dict[str, str | None]:
    named = [{"price": price, "label": label} for price, label in options.lines]
    lines = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
    return {
        "timeframes": " ".join(options.timeframes),
        "type": options.type,
        "range": str(options.range),
        "zone": options.zone,
        "height": str(options.height),
        "volume": "" if options.volume else None,
        "lines": lines if options.lines else None,
        # For the script, which knows no exchange.
        "data-hours": "-".join(map(str, regular_hours(symbol) or ())) or None,
    }


def _zone(options: _Options, symbol: str) -> tzinfo:
    """Return the zone of the times; a server knows only the page's, not the visitor's."""
    if options.zone == "viewer":
        return get_current_timezone()
    return exchange_zone(symbol) if options.zone == "exchange" else ZoneInfo(options.zone)


def _still(found: Candles, options: _Options, theme: str, width: int) -> SafeString:
    zone, quote = _zone(options, found.room.symbol), quotes.quote_to_show(found.room)
    day = quotes.quote_to_show(room_of_day(found.room))
    look = Look(options.type, options.height, zone, width, options.volume, options.lines)
    return SafeString(still(found, look, quote, theme, day))


def _fenced(found: Candles, options: _Options, context: dict[str, Any]) -> dict[str, Any]:
    """Return what ``_drawn`` returns; candles that cannot be drawn are left out.

    A chart without candles is better than no page. The fault is logged once an hour.
    """
    try:
        return _drawn(found, options, context)
    except Exception as error:
        if _complaints.is_new("", f"{type(error).__name__} {found.room}"):
            logger.exception("cannot draw candles, chart shown without them room=%s", found.room)
        return _drawn(Candles(found.room), options._replace(lines=()), context)


def _drawn(found: Candles, options: _Options, context: dict[str, Any]) -> dict[str, Any]:
    """Return what the template needs besides the context of every element."""
    quote: Quote | None = context["fields"].quote
    day, zone = quotes.quote_to_show(room_of_day(found.room)), _zone(options, found.room.symbol)
    digits = digits_of(found, quote)
    notation = formats.notation_of_page()
    head = _head(quote, day, digits)
    look = Look(options.type, options.height, zone, None, options.volume, options.lines)
    status = _status(context, quote, zone)
    title = title_of(found.room, options.type)
    said = [title, *([context["fields"]["close"], head["percent"]] if quote else ()), status]
    plot, date = plot_of(found, look, digits, quote, day, ", ".join(filter(None, said)))
    return {
        **head,
        "title": title,
        "plot": plot,
        "date": date,
        "status": status,
        "readout": readout_of(found, digits, zone, notation),
        "over": over_of(found, options.range, zone, is_known=quote is not None),
        "last": _last(quote, zone),
        "source": pgettext("chart", "Data: {n}").replace("{n}", "FCS API"),
    }


def _head(quote: Quote | None, day: Quote | None, digits: int) -> dict[str, Any]:
    """Return the change of the day, and its figures; without them, that of the room."""
    change, percent = change_of(quote, day)
    previous, base = day.previous_close if day else None, base_of(day)
    direction = "" if not change else "up" if change > 0 else "down"
    row = {}
    if day is not None:
        row = {
            "open": formats.number(day.open, digits),
            "high": formats.number(day.high, digits),
            "low": formats.number(day.low, digits),
            "volume": formats.compact(day.volume) if day.volume else "",
        }
    return {
        "previous": "" if previous is None else f"{previous:.{digits}f}",
        "base": "" if base is None else f"{base:.{digits}f}",
        "change": "" if change is None else formats.signed(change, digits),
        "percent": "" if percent is None else formats.percent(percent),
        "day_direction": direction,
        "row": [(name, texts()[name], text) for name, text in row.items() if text],
    }


def _status(context: dict[str, Any], quote: Quote | None, zone: tzinfo) -> str:
    if quote is None:
        return texts()["waiting"]
    if context["status"]:
        return str(context["status"])
    moment = formats.clock(quote.updated, now=current_time(), zone=zone)
    return pgettext("price", "as of {n}").replace("{n}", moment)


def _last(quote: Quote | None, zone: tzinfo) -> str:
    if quote is None:
        return pgettext("chart", "No price has come yet")
    moment = formats.clock(quote.updated, now=current_time(), zone=zone)
    return pgettext("chart", "Last price {n}").replace("{n}", moment)
