"""The HTML that the template tags of every engine print."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from django_fcs.conf import Settings
from django_fcs.site import setting_to_show, socket_url

from . import formats
from .arguments import SIZES, as_field, as_item_size, as_symbol, as_unit, room_of
from .context import current_time, element, option, token_of, unit_of
from .page import core_scripts, data_block, file
from .rendering import render

__all__ = ["price", "scripts", "status", "tag", "ticker", "token"]


def scripts(*, nonce: str = "") -> SafeString:
    """Print the stylesheets and the scripts, for the head of a page, once per page."""
    return render(
        "scripts",
        {
            "style": file("fcs.css"),
            "chart_style": file("fcs-chart.css"),
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
    size = option(lambda: as_item_size(item_size), SIZES[0])
    own_unit = option(lambda: as_unit(unit), None)
    has_line = size == SIZES[0] if sparkline is None else bool(sparkline)
    unit_shown = unit_of(room.symbol) if own_unit is None else own_unit
    own = {"item-size": None if size == SIZES[0] else size, "unit": own_unit}
    context = element(room, has_line, announce, href=href, own=own)
    return render("ticker", {**context, "unit": unit_shown})


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
    return render("tag", element(room, bool(sparkline), announce, href=href))


def price(
    symbol: str,
    timeframe: str | int | None = None,
    *,
    field: str = "close",
    announce: bool = False,
) -> SafeString:
    """Print one value of a symbol, for use in a sentence. Raises ``RoomError``."""
    field = as_field(field)
    own: dict[str, str | None] = {"field": field}
    context = element(room_of(symbol, timeframe), announce=announce, own=own)
    return render("price", {**context, "field": field, "span": context["spans"][field]})


def status() -> SafeString:
    """Print the state of the page's connection, which the script keeps up to date."""
    now = current_time()
    text = pgettext("price", "as of {n}").replace("{n}", formats.clock(now, now=now))
    return render("status", {"text": text})


def token(symbol: str) -> str:
    """Sign a symbol, for pages whose own script joins it. Raises ``BadSymbol``.

    If ``FCS_TOKEN_MAX_AGE_SECONDS`` is wrong, the token is empty: without the limit, it would
    be valid forever.
    """
    return token_of(as_symbol(symbol))
