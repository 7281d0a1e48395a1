"""The page with all charts, as a server prints it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from unittest import mock
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from django_fcs import widgets
from django_fcs.candles import Candles
from django_fcs.quotes import Quote
from django_fcs.rooms import Room

from .states import MOMENT, SHEET, Shown, candles_of, quote_of

__all__ = ["POLICY", "STYLE", "chart_of", "page"]

#: The policy of the example project.
POLICY = (
    "default-src 'self'; img-src 'self' data:; require-trusted-types-for 'script';"
    " trusted-types 'none'"
)
_HEIGHT = 216

_PAGE = """<!doctype html><html lang="{language}" dir="{direction}"{colours}>
<meta name="viewport" content="width=device-width"><title>Charts</title>{scripts}
<link rel="stylesheet" href="/charts.css">
<body data-theme="{theme}"><main><h1>The chart in every state</h1>{charts}</main></html>"""
STYLE = """
[data-theme=light] { color-scheme: light } [data-theme=dark] { color-scheme: dark }
body { margin: 0; padding: 16px; background: light-dark(#fbfbfa, #101216);
  color: light-dark(#16181d, #e8eaee); font: 13px/20px system-ui, sans-serif;
  --fcs-ground: light-dark(#fbfbfa, #101216) }
main { display: grid; gap: 24px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)) }
h1 { grid-column: 1 / -1; margin: 0; font-size: 15px }
section { min-width: 0 }
h2 { margin: 0; font-size: 13px }
p { margin: 0 0 8px; font-size: 12px }
.wide { grid-column: 1 / -1 }
@media (max-width: 400px) { body { padding: 0 } h1, h2, p { padding: 0 16px } }
@media print { body { padding: 0; background: none; color: #000 } }
"""


class _Moment(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Moment:
        return cls.fromtimestamp(MOMENT.timestamp(), tz)


@contextmanager
def _standing_still(shown: Shown) -> Iterator[None]:
    """Let the server know what it knows in a state."""

    def candles(room: Room, limit: int) -> Candles:
        return candles_of(shown)

    def quote(room: Room) -> Quote | None:
        return quote_of(shown, room)

    with ExitStack() as stack:
        stack.enter_context(mock.patch("django_fcs.widgets.chart.candles_to_show", candles))
        stack.enter_context(mock.patch("django_fcs.quotes.quote_to_show", quote))
        stack.enter_context(mock.patch("django_fcs.widgets.context.datetime", _Moment))
        stack.enter_context(timezone.override(ZoneInfo("UTC")))
        yield


def chart_of(shown: Shown, **options: object) -> str:
    """Return the HTML of a chart in a state."""
    given = {"timeframe": "5", "height": _HEIGHT, **shown.options, **options}
    with _standing_still(shown):
        return str(widgets.chart(shown.symbol, **given))


def page(
    looks: Mapping[str, str], states: Sequence[Shown] = SHEET, *, has_scripts: bool = True
) -> str:
    """Return a page with charts; the looks are those of the example's switches."""
    scripts = widgets.scripts()
    styles = "".join(re.findall("<link[^>]*>", scripts))
    is_usual = looks["palette"] == "green-up"
    with translation.override(looks["language"]):
        charts = [
            f"<section><h2>{one.name}</h2><p>{one.means}</p>{chart_of(one)}</section>"
            for one in states
        ]
        wide = f'<section class="wide"><h2>wide</h2>{chart_of(states[0], height=320)}</section>'
        return _PAGE.format(
            **looks,
            colours="" if is_usual else f' data-palette="{looks["palette"]}"',
            direction="rtl" if translation.get_language_bidi() else "ltr",
            scripts=scripts if has_scripts else styles,
            charts="".join([*charts, wide]),
        )
