"""A page with cards in all states, for ``docs/widgets.md``."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation

from django_fcs import widgets

__all__ = ["STATES", "page"]

#: The states of the cards; the others are live.
STATES = {
    "BINANCE:BTCUSDT": "stale",
    "NASDAQ:AAPL": "closed",
    "FX:USDJPY": "offline",
    "FX:EURCHF": "waiting",
}
_SYMBOLS = (
    *("FX:EURUSD", "BINANCE:BTCUSDT", "NASDAQ:AAPL", "FX:USDJPY"),
    *("FX:XAUUSD", "BINANCE:ETHUSDT", "FX:GBPUSD", "FX:EURCHF"),
)

_PAGE = """<!doctype html><html lang="{language}" dir="{direction}" data-palette="{palette}">
<meta name="viewport" content="width=device-width"><title>Widgets</title>{scripts}
<style>:root {{ color-scheme: {theme} }}
body {{ margin: 0; padding: 16px; background: light-dark(#fbfbfa, #101216);
  color: light-dark(#16181d, #e8eaee); font: 16px/1.5 system-ui, sans-serif; --fcs-width: none }}
main {{ display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 264px), 1fr)) }}</style>
<main>{cards}</main><p>{sentence}</p></html>"""


def page(looks: Mapping[str, str]) -> str:
    """Return the page as the server prints it; the looks are those of the example's switches."""
    tag, price = widgets.tag, widgets.price
    with translation.override(looks["language"]):
        cards = [
            widgets.ticker(symbol, unit="USD" if symbol == "NASDAQ:AAPL" else None)
            for symbol in _SYMBOLS
        ]
        small = [widgets.ticker(symbol, item_size="compact") for symbol in _SYMBOLS[:4]]
        return _PAGE.format(
            **looks,
            direction="rtl" if translation.get_language_bidi() else "ltr",
            scripts=widgets.scripts(),
            cards="".join([*cards, *small]),
            sentence=f"{tag('FX:GBPUSD')}, {tag('NASDAQ:AAPL', sparkline=True)}, "
            f"{tag('BINANCE:BTCUSDT')}: {price('FX:XAUUSD')}, {price('FX:USDJPY')}.",
        )
