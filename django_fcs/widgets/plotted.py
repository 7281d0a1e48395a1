"""The parts of a chart in a page: its title, its plot, the read-out and what it says of bars."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from django.utils import formats as dates
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from django_fcs.candles import Candle, Candles
from django_fcs.charts.drawing import plot
from django_fcs.charts.ink import Styled
from django_fcs.charts.times import local_time
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.values.timeframes import LENGTHS

from . import formats
from .context import current_time
from .formats import Notation
from .plots import Look, exchange_zone, sheet_of, time_of
from .spared import escaped

__all__ = ["over_of", "plot_of", "readout_of", "title_of"]

_DAY = 86_400
_INK = Styled()

#: Air between the oldest bar and the left edge of its drawing.
_EDGE = 8


def title_of(room: Room, type: str) -> str:
    """Name a chart: ``AAPL, candles of 5 minutes``."""
    named = {
        "candles": pgettext("chart", "{name}, candles of {period}"),
        "bars": pgettext("chart", "{name}, bars of {period}"),
        "line": pgettext("chart", "{name}, line of {period}"),
        "area": pgettext("chart", "{name}, area of {period}"),
    }[type]
    period = {
        "1": pgettext("chart", "1 minute"),
        "5": pgettext("chart", "5 minutes"),
        "15": pgettext("chart", "15 minutes"),
        "30": pgettext("chart", "30 minutes"),
        "60": pgettext("chart", "1 hour"),
        "240": pgettext("chart", "4 hours"),
        "1D": pgettext("chart", "1 day"),
        "1W": pgettext("chart", "1 week"),
        "1M": pgettext("chart", "1 month"),
    }[room.timeframe]
    return named.replace("{period}", period).replace("{name}", formats.name(room.symbol))


def plot_of(
    found: Candles, look: Look, digits: int, quote: Quote | None, day: Quote | None, sentence: str
) -> tuple[SafeString, str]:
    """Return the SVG of a plot, and the date that all its bars have; empty if they have many.

    A page shows the newest of them, and the server does not know how many. The plot is as wide as
    its bars and the axis; lines go on to its left, where pages are wider.
    """
    price = found[-1].close if found else None
    if quote is not None and quote.close is not None:
        price = quote.close
    sheet = sheet_of(found, look, digits, price, day)
    plan = sheet.plan
    width = plan.right + plan.axis
    edges = [place.x for place in plan.places] + [hole.x for hole in plan.holes]
    left = max(0, min(edges, default=plan.right) - _EDGE)
    svg = (
        f'<svg width="{width - left}" height="{look.height}"'
        f' viewBox="{left} 0 {width - left} {look.height}" role="img"'
        f' aria-label="{escaped(sentence)}">{plot(sheet, _INK)}</svg>'
    )
    return SafeString(svg), _date(found, look.zone) if found else ""


def _date(found: Candles, zone: tzinfo) -> str:
    new = "j" if LENGTHS[found.room.timeframe] < _DAY else "Y"
    first, last = (time_of(_moment(bar, found.room, zone), new) for bar in (found[0], found[-1]))
    return last if first == last else ""


def _moment(bar: Candle, room: Room, zone: tzinfo) -> datetime:
    period = LENGTHS[room.timeframe]
    return local_time(bar.t, period, exchange_zone(room.symbol) if period >= _DAY else zone)


def _time(bar: Candle, room: Room, zone: tzinfo) -> str:
    moment = _moment(bar, room, zone)
    if LENGTHS[room.timeframe] >= _DAY:
        return dates.date_format(moment, "j M Y")
    is_today = moment.date() == current_time().astimezone(zone).date()
    return f"{moment:%H:%M}" if is_today else f"{time_of(moment, 'j')} {moment:%H:%M}"


def readout_of(found: Candles, digits: int, zone: tzinfo, notation: Notation) -> dict[str, Any]:
    """Return the figures of the newest bar; empty if there is none."""
    if not found:
        return {}
    bar = found[-1]
    change = bar.close - bar.open
    values = (bar.open, bar.high, bar.low, bar.close)
    names = (
        pgettext("chart", "O"),
        pgettext("chart", "H"),
        pgettext("chart", "L"),
        pgettext("chart", "C"),
    )
    written = [formats.number(value, digits, notation) for value in values]
    return {
        "time": _time(bar, found.room, zone),
        "figures": list(zip(names, written, strict=True)),
        "change": formats.signed(change, digits, notation),
        "percent": formats.percent(100 * change / bar.open if bar.open else None, notation),
        "direction": "" if not change else "up" if change > 0 else "down",
        "volume_name": pgettext("chart", "Vol"),
        "volume": formats.compact(bar.volume, notation) if bar.volume else "",
    }


def over_of(found: Candles, wanted: int, zone: tzinfo, *, is_known: bool) -> dict[str, str]:
    """Return what is said where bars are missing: a title, and the reason if it is known.

    ``is_known`` tells whether there is a price.
    """
    note = found.note
    if not found:
        name = formats.name(found.room.symbol)
        title = pgettext("price", "No data for {n}").replace("{n}", name)
        if is_known:
            title = pgettext("chart", "No bars yet")
        # It says no more than the title.
        is_plain = note.startswith(f"no candles of {found.room}")
        return {"title": title, "text": "" if is_plain else note}
    first = _time(found[0], found.room, zone)
    if note and len(found) < wanted:
        title = pgettext("chart", "No history before {n}").replace("{n}", first)
        return {"title": title, "text": note}
    if len(found) == 1 and not found.more:
        return {"title": pgettext("chart", "First bar at {n}").replace("{n}", first), "text": ""}
    return {}
