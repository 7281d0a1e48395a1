"""A chart as an SVG file: the same text for the same candles, no matter who asks."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from django.utils import formats as dates, translation
from django.utils.translation import pgettext

from django_fcs.candles import Candles
from django_fcs.prices.names import name_of, usual_digits
from django_fcs.prices.zones import zone_of
from django_fcs.quotes import Quote
from django_fcs.values.timeframes import LENGTHS
from django_fcs.widgets import formats

from .addresses import Picture
from .drawing import HEAD, Words, colours_of, drawn, label_of, labels_of
from .geometry import AXIS, Frame, Hole, Plan, Row, plan_of
from .times import local_time, marks_of

__all__ = ["svg_of"]

#: The height of the plot in pixels, and of one narrower than 480.
_HEIGHT, _HEIGHT_OF_NARROW = 256, 216

#: More decimals than this are noise of a division.
_DIGITS_MAX = 8


def svg_of(found: Candles, picture: Picture, quote: Quote | None = None) -> str:
    """Return candles as a file, in the language and the zone of the picture.

    The quote, if there is one, adds the previous close, the change and the time of the price.
    """
    with translation.override(picture.language):
        return _svg(found, picture, quote)


def _svg(found: Candles, picture: Picture, quote: Quote | None) -> str:
    period, symbol = LENGTHS[picture.room.timeframe], picture.room.symbol
    exchange = ZoneInfo(zone_of(symbol) or "UTC")
    zone = exchange if picture.zone == "exchange" else ZoneInfo(picture.zone)
    digits = _digits(found, symbol, quote)
    plan, labels, price_label = _plan(found, picture, period, digits)
    price = found[-1].close if found else quote.close if quote else None
    previous = quote.previous_close if quote else None
    marks = marks_of(plan.places, plan.right, period, exchange if period >= 86_400 else zone, _time)
    return drawn(
        plan,
        labels,
        marks,
        _words(found, picture, quote, price, digits, zone),
        colours_of(picture.theme),
        price=price,
        price_label=price_label,
        previous=previous,
        previous_label=formats.number(previous, digits),
        hours=lambda hole: _hours(hole, period, zone),
        size=(picture.width, _height(picture) + HEAD),
    )


def _height(picture: Picture) -> int:
    return _HEIGHT_OF_NARROW if picture.width < 480 else _HEIGHT


def _plan(
    found: Candles, picture: Picture, period: int, digits: int
) -> tuple[Plan, dict[int, str], str]:
    """Return the drawing, the labels of its price axis, and that of the price.

    Labels of more than 7 characters make the axis wider by 8 pixels each.
    """
    rows = [Row(*candle) for candle in found]
    axis = AXIS
    while True:
        frame = Frame(picture.width, _height(picture), picture.type, period, axis)
        plan = plan_of(rows, frame, found.missing, found.repaired)
        if plan.scale is None:
            return plan, {}, ""
        labels = labels_of(plan.scale, digits, formats.number)
        last = label_of(found[-1].close, plan.scale, digits, formats.number)
        longest = max(map(len, [last, *labels.values()]))
        wanted = AXIS + 8 * max(0, longest - 7)
        if wanted <= axis or wanted > picture.width // 2:
            return plan, labels, last
        axis = wanted


def _digits(found: Candles, symbol: str, quote: Quote | None) -> int:
    """Return the decimals of the market, else those that the newest candles have."""
    usual = quote.digits if quote else usual_digits(symbol)
    if usual:
        return usual
    texts = (f"{candle.close:.{_DIGITS_MAX}f}".rstrip("0") for candle in found[-50:])
    return max((len(text.partition(".")[2]) for text in texts), default=2)


def _time(moment: datetime, new: str) -> str:
    if new == "H":
        return f"{moment:%H:%M}"
    return dates.date_format(moment, {"Y": "Y", "M": "M", "j": "j M"}[new])


def _hours(hole: Hole, period: int, zone: ZoneInfo) -> str:
    new = "j" if period >= 86_400 else "H"
    start, end = (_time(local_time(at, period, zone), new) for at in (hole.start, hole.end))
    return f"{start}–{end}"


def _words(
    found: Candles,
    picture: Picture,
    quote: Quote | None,
    price: float | None,
    digits: int,
    zone: ZoneInfo,
) -> Words:
    symbol, timeframe = picture.room.symbol, picture.room.timeframe
    written = formats.number(price, digits)
    change = ""
    if quote and quote.change is not None:
        points = "" if picture.width < 480 else f"{formats.signed(quote.change, digits)} "
        change = f"{points}{formats.percent(quote.change_percent)}"
    title = f"{formats.name(symbol)} · {formats.period(timeframe)}"
    as_of = _as_of(found, quote, zone)
    name = name_of(symbol)
    empty = (
        "" if found else pgettext("price", "No data for {n}").replace("{n}", formats.name(symbol))
    )
    said = (title, *((written, change, as_of) if price is not None else ()), empty)
    return Words(
        sentence=", ".join(filter(None, said)),
        symbol=title,
        name="" if picture.width < 480 or name in formats.name(symbol) else name,
        price=written,
        change=change,
        direction=(quote.direction or "") if quote else "",
        as_of=as_of,
        empty=empty,
        no_data=pgettext("chart", "no data"),
        repaired=pgettext("chart", "repaired"),
        previous=pgettext("chart", "Previous close"),
    )


def _as_of(found: Candles, quote: Quote | None, zone: ZoneInfo) -> str:
    """Say when the price was true; without a quote, when its candle opened or ended."""
    if quote is None and not found:
        return ""
    at = quote.updated.timestamp() if quote else float(found[-1].t)
    if quote is None and found[-1].final:
        at += LENGTHS[found.room.timeframe]
    local = datetime.fromtimestamp(at, timezone.utc).astimezone(zone)
    time = f"{dates.date_format(local, 'j M')} {local:%H:%M} {local.tzname()}"
    return pgettext("price", "as of {n}").replace("{n}", time)
