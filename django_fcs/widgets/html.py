"""The HTML that the template tags of every engine print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from django.template import TemplateDoesNotExist, loader
from django.template.backends.django import DjangoTemplates
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from django_fcs import quotes
from django_fcs.conf import Settings
from django_fcs.exceptions import ConfigurationError
from django_fcs.prices.states import State
from django_fcs.prices.symbols import parts_of
from django_fcs.quotes import Quote
from django_fcs.rooms import Room
from django_fcs.site import (
    name_to_show,
    note_mistake,
    setting_to_show,
    socket_url,
)
from django_fcs.tokens import make_token
from django_fcs.tools.complaints import Complaints
from django_fcs.tools.logs import logger_of

from . import formats
from .arguments import (
    SIZES,
    as_field,
    as_href,
    as_item_size,
    as_symbol,
    as_unit,
    link_of,
    room_of,
)
from .figures import Figures
from .page import core_scripts, data_block, file
from .refusals import unless_refused
from .shapes import place_in_day, shapes_of
from .spared import spared
from .sparkline import drawn
from .texts import texts

__all__ = ["price", "scripts", "status", "tag", "ticker", "token"]

logger = logger_of(__name__)
_complaints = Complaints()
_ONLY_IF_KNOWN = ("direction", "delay", "delay_text", "status", "digits", "updated", "place")

T = TypeVar("T")


def scripts(*, nonce: str = "") -> SafeString:
    """Print the stylesheet and the scripts, for the head of a page, once per page."""
    return _render(
        "scripts",
        {
            "style": file("fcs.css"),
            "scripts": core_scripts(),
            "nonce": nonce,
            "socket": socket_url(),
            "offline_after": f"{setting_to_show(Settings.FCS_OFFLINE_AFTER_SECONDS):g}",
            "page": data_block(),
        },
    )


def ticker(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    item_size: str | None = None,
    sparkline: bool | None = None,
    unit: str | None = None,
    href: str | None = None,
    announce: bool = False,
) -> SafeString:
    """Print a card with the last price of a symbol. Raises ``RoomError``.

    A compact card has a sparkline only if it is asked for.
    """
    room = room_of(symbol, timeframe)
    size = _option(lambda: as_item_size(item_size), SIZES[0])
    own_unit = _option(lambda: as_unit(unit), None)
    has_line = size == SIZES[0] if sparkline is None else bool(sparkline)
    more = {
        "size": "" if size == SIZES[0] else size,
        "own_unit": own_unit,
        "unit": _unit(room.symbol) if own_unit is None else own_unit,
    }
    context = {**_quoted(room, has_line, announce), **_linked(room, href), **more}
    return _render("ticker", context)


def tag(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    sparkline: bool = False,
    href: str | None = None,
    announce: bool = False,
) -> SafeString:
    """Print a symbol with its price and change, for use in a sentence. Raises ``RoomError``."""
    room = room_of(symbol, timeframe)
    return _render("tag", {**_quoted(room, bool(sparkline), announce), **_linked(room, href)})


def price(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    field: str = "close",
    announce: bool = False,
) -> SafeString:
    """Print one value of a symbol, for use in a sentence. Raises ``RoomError``."""
    field = as_field(field)
    context = _quoted(room_of(symbol, timeframe), announce=announce)
    shape = context["shapes"].get(field, "")
    text = context["fields"][field]
    return _render("price", {**context, "field": field, "text": text, "shape": shape})


def status() -> SafeString:
    """Print the state of the page's connection, which the script keeps up to date."""
    now = formats.clock(_now(), now=_now())
    return _render("status", {"text": pgettext("price", "as of {n}").replace("{n}", now)})


def token(symbol: str) -> str:
    """Sign a symbol, for pages whose own script joins it. Raises ``BadSymbol``.

    If ``FCS_TOKEN_MAX_AGE_SECONDS`` is wrong, the token is empty: without the limit, it would
    be valid forever.
    """
    return _token(as_symbol(symbol))


def _token(symbol: str) -> str:
    try:
        return make_token(symbol)
    except ConfigurationError as error:
        note_mistake(error)
        return ""


def _quoted(room: Room, has_line: bool = False, announce: bool = False) -> dict[str, Any]:
    quote, now, notation = quotes.quote_to_show(room), _now(), formats.notation_of_page()
    known = {} if quote is None else _fenced(quote, has_line, now)
    name = formats.name(room.symbol)
    names = {"symbol": spared(name), "name": spared(name_to_show(room.symbol))}
    return {
        "symbol": room.symbol,
        "timeframe": room.timeframe,
        "token": _token(room.symbol),
        "announce": bool(announce),
        "name": name,
        "period": formats.period(room.timeframe),
        # Always: no tag knows in which language the scripts of its page are printed.
        "numbers": formats.separators(notation),
        "texts": texts(),
        "fields": Figures(names, quote if known else None, notation, now),
        **(known or _unknown(room.symbol, has_line, now)),
    }


def _unknown(symbol: str, has_line: bool, now: datetime) -> dict[str, Any]:
    """Return the context of a room without a known quote."""
    return {
        "state": State.WAITING.value,
        "shapes": shapes_of(symbol, setting_to_show(Settings.FCS_DIGITS)),
        "sparkline": _line((), None, now) if has_line else "",
        # Without these, the engine would print its ``string_if_invalid``.
        **dict.fromkeys(_ONLY_IF_KNOWN, ""),
    }


def _fenced(quote: Quote, has_line: bool, now: datetime) -> dict[str, Any]:
    """Return the context of a known quote, or nothing if it cannot be written.

    A widget without its price is better than no page. The fault is logged once an hour.
    """
    try:
        return _known(quote, has_line, now)
    except Exception as error:
        if _complaints.is_new("", f"{type(error).__name__} {quote.room}"):
            logger.exception("cannot write a price, widget shown without it room=%s", quote.room)
        return {}


def _known(quote: Quote, has_line: bool, now: datetime) -> dict[str, Any]:
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
        "place": place_in_day(quote),
        "sparkline": _line(quote.recent, quote.close, now) if has_line else "",
    }


def _option(read: Callable[[], T], default: T) -> T:
    """Return an option of a tag, or its default if a variable has a wrong value."""
    return unless_refused(read, lambda error: default)


def _unit(symbol: str) -> str:
    """Return what a price is counted in: the second part of a pair."""
    _, *quoted_in = parts_of(symbol)
    return quoted_in[0] if quoted_in else ""


def _linked(room: Room, href: str | None) -> dict[str, str]:
    pattern = _option(lambda: as_href(href), "")
    return {"href": pattern, "link": link_of(pattern, room.symbol)}


def _line(recent: Sequence[float | None], last: float | None, now: datetime) -> SafeString:
    return drawn(tuple(recent), last, int(now.timestamp()) // 60)


def _now() -> datetime:
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


def _render(template: str, context: dict[str, Any]) -> SafeString:
    name = f"django_fcs/{template}.html"
    try:
        found = loader.get_template(name)
    except TemplateDoesNotExist:
        found = _own_templates().get_template(name)
    texts = {key: spared(value) for key, value in context.items() if type(value) is str}
    # A price is used in sentences, where a line break would show as a space.
    return SafeString(found.render({**context, **texts}).strip())


@cache
def _own_templates() -> DjangoTemplates:
    """Return an engine for sites whose engines do not search this package, such as Jinja2."""
    directory = Path(__file__).parents[1] / "templates"
    return DjangoTemplates(
        {"NAME": "django_fcs", "DIRS": [directory], "APP_DIRS": False, "OPTIONS": {}}
    )
