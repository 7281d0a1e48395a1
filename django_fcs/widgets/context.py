"""What the templates of widgets are given: the text of a quote, and of what has none yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from django_fcs import quotes
from django_fcs.conf import Settings
from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.states import State
from django_fcs.prices.symbols import parts_of
from django_fcs.prices.zones import zone_of
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.site import name_to_show, note_mistake, setting_to_show
from django_fcs.tokens import make_token
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

from . import formats
from .arguments import as_href, link_of
from .attributes import attributes_of
from .figures import Figures, Spans
from .refusals import unless_refused
from .shapes import place_in_day, shapes_of
from .spared import spared
from .sparkline import drawn
from .texts import texts

__all__ = ["current_time", "element", "line_of", "option", "quoted", "token_of", "unit_of"]

logger = logger_of(__name__)
_complaints = Complaints()
_ONLY_IF_KNOWN = (
    "direction",
    "delay",
    "delay_text",
    "status",
    "digits",
    "updated",
    "exchange_time",
    "place",
)

T = TypeVar("T")
_Draw = Callable[..., str]


def token_of(symbol: str) -> str:
    """Return a token of a symbol; an empty one if a setting of tokens is wrong."""
    try:
        return make_token(symbol)
    except ConfigurationError as error:
        note_mistake(error)
        return ""


def quoted(
    room: Room, has_line: bool = False, announce: bool = False, *, has_level: bool = False
) -> dict[str, Any]:
    """Return the context of a room. With ``has_level``, its line shows the previous close."""
    quote, notation = quotes.quote_to_show(room), formats.notation_of_page()
    now = current_time()
    draw = partial(line_of, now=now, has_level=has_level) if has_line else _no_line
    known = {} if quote is None else _fenced(quote, draw, now)
    name = formats.name(room.symbol)
    names = {"symbol": spared(name), "name": spared(name_to_show(room.symbol))}
    shown = known or _unknown(room.symbol, draw)
    fields = Figures(names, quote if known else None, notation, now)
    return {
        "symbol": room.symbol,
        "timeframe": room.timeframe,
        "token": token_of(room.symbol),
        "announce": bool(announce),
        "name": name,
        "period": formats.period(room.timeframe),
        "zone": zone_of(room.symbol),
        # Always: no tag knows in which language the scripts of its page are printed.
        "numbers": formats.separators(notation),
        "texts": texts(),
        "fields": fields,
        "spans": Spans(fields, shown),
        **shown,
    }


def element(
    room: Room,
    has_line: bool = False,
    announce: bool = False,
    *,
    has_level: bool = False,
    href: str | None = None,
    own: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Return the context of a room for an element of ours, with its ``attributes`` as HTML.

    The element has ``own`` attributes as well, save those that are ``None``.
    """
    context = quoted(room, has_line, announce, has_level=has_level)
    pattern = option(lambda: as_href(href), "")
    attributes = attributes_of(context, {**(own or {}), "href": pattern or None})
    link = link_of(pattern, room.symbol) if pattern else ""
    return {**context, "attributes": attributes, "link": link}


def _unknown(symbol: str, draw: _Draw) -> dict[str, Any]:
    """Return the context of a room without a known quote."""
    return {
        "state": State.WAITING.value,
        "shapes": shapes_of(symbol, setting_to_show(Settings.FCS_DIGITS)),
        "sparkline": draw((), None),
        # Without these, the engine would print its ``string_if_invalid``.
        **dict.fromkeys(_ONLY_IF_KNOWN, ""),
    }


def _fenced(quote: Quote, draw: _Draw, now: datetime) -> dict[str, Any]:
    """Return the context of a known quote, or nothing if it cannot be written.

    A widget without its price is better than no page. The fault is logged once an hour.
    """
    try:
        return _known(quote, draw, now)
    except Exception as error:
        if _complaints.is_new("", f"{type(error).__name__} {quote.room}"):
            logger.exception("cannot write a price, widget shown without it room=%s", quote.room)
        return {}


def _known(quote: Quote, draw: _Draw, now: datetime) -> dict[str, Any]:
    """Return the context of a known quote, as text: templates would localise numbers."""
    delay_text = _delayed(quote.delay)
    return {
        "state": quote.state.value,
        "shapes": {},
        "direction": quote.direction or "",
        "delay": str(quote.delay or ""),
        "delay_text": delay_text,
        "status": _closed(quote, now) if quote.state is State.CLOSED else delay_text,
        "digits": str(quote.digits),
        "updated": formats.iso(quote.updated),
        "exchange_time": _exchange_time(quote, now),
        "place": place_in_day(quote),
        "sparkline": draw(quote.recent, quote.close, quote.change),
    }


def _exchange_time(quote: Quote, now: datetime) -> str:
    """Write the time of a price in the zone of its exchange; empty if it has none."""
    zone = zone_of(quote.room.symbol)
    return formats.clock(quote.updated, now=now, zone=ZoneInfo(zone)) if zone else ""


def option(read: Callable[[], T], default: T) -> T:
    """Return an option of a tag, or its default if a variable has a wrong value."""
    return unless_refused(read, lambda error: default)


def unit_of(symbol: str) -> str:
    """Return what a price is counted in: the second part of a pair."""
    _, *quoted_in = parts_of(symbol)
    return quoted_in[0] if quoted_in else ""


def line_of(
    recent: Sequence[float | None],
    last: float | None,
    change: float | None = None,
    *,
    now: datetime,
    has_level: bool = False,
) -> SafeString:
    """Draw the last hour, which ends with the last price."""
    minute = int(now.timestamp()) // 60
    if not has_level:
        return drawn(tuple(recent), last, minute)
    level = None if last is None or change is None else last - change
    return drawn(tuple(recent), last, minute, level, has_level=True)


def _no_line(*prices: object) -> str:
    return ""


def current_time() -> datetime:
    """Return the time that a page is rendered at."""
    # Not Django's: that is without a time zone if USE_TZ is off.
    return datetime.now(timezone.utc)


def _delayed(delay: int | None) -> str:
    # Rounded up, so that no feed looks fresher than it is.
    return texts()["delayed"].replace("{n}", str(-(-delay // 60))) if delay else ""


def _closed(quote: Quote, now: datetime) -> str:
    if quote.until is None:
        return texts()["closed"]
    opens = datetime.fromtimestamp(quote.until, timezone.utc)
    # Shorter than the script's text, because it adds a time zone and the card may be narrow.
    return pgettext("price", "opens {n}").replace("{n}", formats.opening(opens, now=now))
