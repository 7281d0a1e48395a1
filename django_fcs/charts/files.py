"""A chart as an SVG that stands alone: a head with the price over the plot, for any page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from .drawing import Sheet, plot
from .ink import Painted, colours_of

__all__ = ["HEAD", "NARROW", "Head", "file_of"]

#: The height above the plot, for the name and the price.
HEAD = 64

#: In a narrower drawing, the time of the price has a line of its own.
NARROW = 480

_FONT = "system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif"


class Head(NamedTuple):
    """What stands over a plot, in the reader's language."""

    sentence: str
    """The whole chart, for who does not see it."""
    symbol: str
    name: str
    price: str
    change: str
    direction: str
    """``up``, ``down`` or empty."""
    as_of: str
    empty: str
    """What is said in place of bars; empty if there are some."""


def file_of(sheet: Sheet, head: Head, theme: str, size: tuple[int, int]) -> str:
    """Return the file. ``size`` is its width, and the height of the plot, in pixels."""
    width, height = size[0], size[1] + HEAD
    ink = Painted(colours_of(theme), head.direction)
    label = escape(head.sentence)
    pieces = [
        *_head(head, ink, width),
        f'<g transform="translate(0 {HEAD})">{plot(sheet, ink)}</g>',
    ]
    if head.empty:
        middle = f'x="{width // 2}" y="{(HEAD + height) // 2}" text-anchor="middle"'
        pieces.append(f'<text {ink.of("text")} {middle} font-size="13">{escape(head.empty)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="{label}"'
        f' font-family="{_FONT}" font-size="11"><title>{label}</title>'
        f'<rect width="{width}" height="{height}" fill="{ink.colours.ground}"/>'
        f"{''.join(pieces)}</svg>"
    )


def _head(head: Head, ink: Painted, width: int) -> Iterator[str]:
    muted, text = ink.colours.muted, ink.colours.text
    name = (
        f'<tspan dx="6" font-weight="400" fill="{muted}" font-size="12">{escape(head.name)}</tspan>'
    )
    first = escape(head.symbol) + (name if head.name else "")
    yield f'<text x="12" y="22" font-size="15" font-weight="600" fill="{text}">{first}</text>'
    if width < NARROW:
        yield f'<text x="12" y="60" fill="{muted}" font-size="10">{escape(head.as_of)}</text>'
    else:
        place = f'x="{width - 12}" y="50" text-anchor="end"'
        yield f'<text {place} fill="{muted}">{escape(head.as_of)}</text>'
    tone = ink.tone(head.direction)
    arrow = {"up": "▲ ", "down": "▼ "}.get(head.direction, "")
    change = f'<tspan dx="8" font-size="12" font-weight="500" fill="{tone}">'
    after = f"{change}{escape(arrow + head.change)}</tspan>" if head.change else ""
    y, size = (44, 20) if width < NARROW else (50, 24)
    yield (
        f'<text x="12" y="{y}" font-size="{size}" font-weight="600" fill="{text}">'
        f"{escape(head.price)}{after}</text>"
    )
