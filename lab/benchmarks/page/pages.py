"""The HTML of the pages: a ticker and three values for each room, or a row of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django_fcs import widgets

from .recording import Load, Recording, merged, one_by_one

__all__ = ["PAGES", "Page", "ours", "table", "vendor"]

_FIELDS = ("bid", "ask", "change_percent")

_STYLE = """
body { font: 15px/1.6 system-ui, sans-serif; margin: 16px }
main { display: grid; grid-template-columns: repeat(3, 1fr); gap: 12px }
"""
_VENDOR_STYLE = """
.card { border: 1px solid #ddd; border-radius: 8px; padding: 12px 16px }
.head, .row { display: flex; justify-content: space-between; font-size: 12px }
.close { font-size: 28px; font-weight: 600 }
.up .change { color: #08784b } .down .change { color: #c22f46 }
"""


@dataclass(frozen=True)
class Page:
    """A page, the frames that it receives, and a selector of all values that it shows."""

    html: Callable[[Sequence[str]], str]
    frames: Callable[[Load, float, float], Recording]
    values: str


def _document(head: str, style: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Prices</title>'
        f'<link rel="icon" href="data:,"><style>{_STYLE}{style}</style>{head}'
        f"<body><main>{body}</main></body></html>"
    )


def ours(symbols: Sequence[str]) -> str:
    """Return the page with this project's widgets; needs Django."""
    body = "".join(
        f"<div>{widgets.ticker(symbol)}<p>"
        + " ".join(str(widgets.price(symbol, field=field)) for field in _FIELDS)
        + "</p></div>"
        for symbol in symbols
    )
    return _document(widgets.scripts(), "", body)


def table(symbols: Sequence[str]) -> str:
    """Return a page with one table, a row for each room; needs Django."""
    body = f"<div>{widgets.table(symbols)}</div>"
    return _document(widgets.scripts(), "main { display: block }", body)


def vendor(symbols: Sequence[str]) -> str:
    """Return the page after the vendor's pattern."""
    return _document(
        '<script defer src="/vendor.js"></script>', _VENDOR_STYLE, "".join(map(_card, symbols))
    )


def _card(symbol: str) -> str:
    def value(name: str) -> str:
        return f'<span class="value" id="{symbol}-{name}">–</span>'

    last = "Spread" if symbol.startswith("FX:") else "Volume"
    return (
        f'<div><div class="card" id="{symbol}">'
        f'<div class="head"><b>{symbol}</b> {value("status")} {value("time")}</div>'
        f'<div class="close">{value("close")}</div>'
        f'<div class="change">{value("change")} {value("percent")}</div>'
        f'<div class="row">Open {value("open")} High {value("high")} Low {value("low")} '
        f"{last} {value('last')}</div></div>"
        f"<p>{value('bid')} {value('ask')} {value('percent-2')}</p></div>"
    )


PAGES: Mapping[str, Page] = {
    "ours": Page(ours, merged, "[data-field]"),
    "table": Page(table, merged, "tbody [data-field]"),
    "vendor": Page(vendor, one_by_one, ".value"),
}
