"""From candles and a quote to all that a plot shows, in a language and a time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import formats as dates
from django.utils.translation import pgettext

from django_fcs.candles import Candles
from django_fcs.charts.clocks import Session
from django_fcs.charts.drawing import (
    Extreme,
    Level,
    Sheet,
    Tag,
    Words,
    label_of,
    labels_of,
    pinned,
)
from django_fcs.charts.geometry import AXIS, BODY, Frame, Hole, Plan, Row, plan_of, width_for
from django_fcs.charts.scales import Scale
from django_fcs.charts.times import local_time, marks_of
from django_fcs.prices.names import usual_digits
from django_fcs.prices.zones import regular_hours, zone_of
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.values.timeframes import LENGTHS

from . import formats
from .formats import Notation

__all__ = ["Look", "change_of", "digits_of", "exchange_zone", "room_of_day", "sheet_of", "time_of"]

_DAY = 86_400

#: More decimals than this are noise of a division.
_DIGITS_MAX = 8

#: A label of more characters than this makes the axis wider, by so many pixels each.
_CHARACTERS, _CHARACTER = 7, 8

#: Texts in a plot are so high.
_SIGN = 13

#: Pages may be wider than the drawing; its lines begin at the left of any screen.
_FAR_LEFT = -4000


class Look(NamedTuple):
    """How the candles are to be drawn."""

    type: str
    height: int
    zone: tzinfo
    width: int | None = None
    """In pixels; ``None`` is as wide as all candles."""
    volume: bool = True
    lines: Sequence[tuple[float, str]] = ()


def sheet_of(
    found: Candles, look: Look, digits: int, price: float | None, day: Quote | None
) -> Sheet:
    """Return the plot of candles, with the price of now and the previous close if known.

    Candles of a day or longer have no line at the previous close: it is that of the last but one.
    """
    notation, period = formats.notation_of_page(), LENGTHS[found.room.timeframe]
    previous = day.previous_close if day is not None and period < _DAY else None
    rows = [Row(*candle) for candle in found]
    if not look.volume:
        rows = [row._replace(v=None) for row in rows]
    plan = _plan(rows, found, look, period, AXIS)
    sheet = _labelled(plan, look, digits, price, previous, notation)
    while (wanted := _axis_of(sheet)) > sheet.plan.axis:
        if look.width is None:
            # The whole drawing becomes wider, so no bar moves.
            sheet = sheet._replace(plan=plan._replace(axis=wanted))
        elif wanted > look.width // 2:
            break
        else:
            plan = _plan(rows, found, look, period, wanted)
            sheet = _labelled(plan, look, digits, price, previous, notation)
    exchange = exchange_zone(found.room.symbol)
    zone = exchange if period >= _DAY else look.zone
    marks = marks_of(sheet.plan.places, sheet.plan.right, period, zone, time_of)
    hours = [_hours(hole, period, zone) for hole in sheet.plan.holes]
    extremes = () if day is None or period >= _DAY else _extremes(sheet, day, digits, notation)
    return sheet._replace(marks=marks, hours=hours, extremes=extremes)


def _extremes(sheet: Sheet, day: Quote, digits: int, notation: Notation) -> list[Extreme]:
    """Return the high and the low of the day, at the newest bars that reached them.

    One of which the bar is not in sight is left out, and one that has no room above or below.
    """
    found, scale = [], sheet.plan.scale
    sides = ((day.high, "h", -5), (day.low, "l", 13))
    for price, side, away in sides if scale else ():
        bars = (one for one in reversed(sheet.plan.places) if getattr(one.row, side) == price)
        place = next(bars, None)
        if price is None or scale is None or place is None:
            continue
        y = scale.y(price) + away
        if _SIGN <= y < sheet.plan.floor:
            found.append(Extreme(place.x + BODY // 2, y, formats.number(price, digits, notation)))
    return found


def _plan(rows: list[Row], found: Candles, look: Look, period: int, axis: int) -> Plan:
    hours, zone = regular_hours(found.room.symbol), exchange_zone(found.room.symbol)
    session = None if hours is None else Session(*hours, zone)
    frame = Frame(look.width or 0, look.height, look.type, period, axis, session)
    if look.width is None:
        frame = frame._replace(width=width_for(len(rows), frame, found.missing))
    return plan_of(rows, frame, found.missing, found.repaired)


def _labelled(
    plan: Plan,
    look: Look,
    digits: int,
    price: float | None,
    previous: float | None,
    notation: Notation,
) -> Sheet:
    scale = plan.scale
    words = Words(
        pgettext("chart", "no data"),
        pgettext("chart", "repaired"),
        pgettext("chart", "Previous close"),
        pgettext("chart", "Before hours"),
        pgettext("chart", "After hours"),
    )
    left = 0 if look.width else _FAR_LEFT
    if scale is None:
        return Sheet(plan, {}, (), words, (), left=left)

    def write(value: float, decimals: int) -> str:
        return formats.number(value, decimals, notation)

    def tag(value: float, scale: Scale = scale) -> Tag:
        return pinned(value, scale, label_of(value, scale, digits, write))

    return Sheet(
        plan,
        labels_of(scale, digits, write),
        (),
        words,
        (),
        now=None if price is None else tag(price),
        before=None if previous is None else tag(previous),
        levels=[Level(tag(value), label) for value, label in look.lines],
        left=left,
    )


def _axis_of(sheet: Sheet) -> int:
    """Return how wide the axis has to be for its labels."""
    tags = [tag for tag in (sheet.now, sheet.before, *(one.tag for one in sheet.levels)) if tag]
    # An arrow has room: an axis that becomes wider while prices move would move the bars.
    labels = [*sheet.labels.values(), *(tag.text.rstrip("\N{THIN SPACE}↑↓") for tag in tags)]
    return AXIS + _CHARACTER * max(0, max(map(len, labels), default=0) - _CHARACTERS)


def room_of_day(room: Room) -> Room:
    """Return the room of the day, whose previous close is that of the day before.

    In rooms of minutes and hours, it is that of the candle before.
    """
    return Room(room.symbol, "1D")


def change_of(quote: Quote | None, day: Quote | None) -> tuple[float | None, float | None]:
    """Return the change of the day, in units and in percent, as the other widgets show it.

    If nothing is known of the day, it is the change of the room.
    """
    if quote is None:
        return None, None
    base = base_of(day)
    if quote.close is None or not base:
        return quote.change, quote.change_percent
    change = quote.close - base
    return change, 100 * change / base


def base_of(day: Quote | None) -> float | None:
    """Return the price from which the change of the day counts: the previous close or the open."""
    return None if day is None else day.previous_close or day.open


def digits_of(found: Candles, quote: Quote | None) -> int:
    """Return the decimals of the market, else those that the newest candles have."""
    usual = quote.digits if quote else usual_digits(found.room.symbol)
    if usual:
        return usual
    texts = (f"{candle.close:.{_DIGITS_MAX}f}".rstrip("0") for candle in found[-50:])
    return max((len(text.partition(".")[2]) for text in texts), default=2)


def exchange_zone(symbol: str) -> ZoneInfo:
    """Return the zone of the symbol's exchange; UTC if it has none."""
    return ZoneInfo(zone_of(symbol) or "UTC")


def time_of(moment: datetime, new: str) -> str:
    """Write what of a time is new: ``Y``, ``M``, ``j`` (the day) or ``H``."""
    if new == "H":
        return f"{moment:%H:%M}"
    return dates.date_format(moment, {"Y": "Y", "M": "M", "j": "j M"}[new])


def _hours(hole: Hole, period: int, zone: tzinfo) -> str:
    start, end = (local_time(at, period, zone) for at in (hole.start, hole.end))
    new = "j" if period >= _DAY or start.date() != end.date() else "H"
    return f"{time_of(start, new)}–{time_of(end, new)}"
