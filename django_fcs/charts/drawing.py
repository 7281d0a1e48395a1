"""A chart as an SVG that stands alone: colours are attributes, and every word is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import NamedTuple

from .geometry import BODY, Hole, Plan
from .scales import Scale, step_of, unit_of

__all__ = ["HEAD", "Colours", "Mark", "Words", "colours_of", "drawn", "label_of", "labels_of"]

#: The height above the plot, for the name and the price.
HEAD = 64

_FONT = "system-ui,-apple-system,Segoe UI,Roboto,Arial,sans-serif"

#: In a narrower drawing, the time of the price has a line of its own.
_NARROW = 480

#: Labels of the price axis keep this distance from the label of the price.
_CLEAR = 16


class Colours(NamedTuple):
    """The colours of a theme, as ``#rrggbb``."""

    ground: str
    text: str
    muted: str
    line: str
    grid: str
    up: str
    down: str
    stale: str
    on: str


_THEMES = {
    "light": Colours(
        *("#fbfbfa", "#16181d", "#56585b", "#d9d9d9", "#e9e9e8"),
        *("#08784b", "#c22f46", "#8a5a00", "#ffffff"),
    ),
    "dark": Colours(
        *("#101216", "#e8eaee", "#acaeb2", "#303236", "#212327"),
        *("#41cf90", "#ff7b8b", "#e7b04a", "#101216"),
    ),
}


class Mark(NamedTuple):
    """A label of the time axis, and the pixel of its middle."""

    x: int
    text: str


class Words(NamedTuple):
    """Every text of a drawing but the labels of the price axis, in the reader's language."""

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
    no_data: str
    repaired: str
    previous: str


def colours_of(theme: str) -> Colours:
    """Return the colours of ``light`` or ``dark``."""
    return _THEMES[theme]


def labels_of(scale: Scale, digits: int, write: Callable[[float, int], str]) -> dict[int, str]:
    """Return the labels of the price axis by pixel; ``write`` takes a number and its decimals."""
    prices = step_of(scale, digits).prices(scale)
    return {scale.y(price): label_of(price, scale, digits, write) for price in prices}


def label_of(price: float, scale: Scale, digits: int, write: Callable[[float, int], str]) -> str:
    """Return a price as the axis has it."""
    unit = unit_of(scale, step_of(scale, digits), digits)
    text = write(price / 10**unit.power, unit.digits)
    return f"{text} {unit.letter}" if unit.letter else text


def drawn(
    plan: Plan,
    labels: dict[int, str],
    marks: list[Mark],
    words: Words,
    colours: Colours,
    *,
    price: float | None = None,
    price_label: str = "",
    previous: float | None = None,
    previous_label: str = "",
    hours: Callable[[Hole], str],
    size: tuple[int, int],
) -> str:
    """Return the file. Prices without a place in the plot have no line; ``size`` is in pixels."""
    width, height = size
    now = None if plan.scale is None or price is None else plan.scale.y(price)
    before = _inside(plan, previous)
    pieces = [
        *_head(words, colours, width),
        f'<g transform="translate(0 {HEAD})">',
        *_frame(plan, labels, now, before, colours),
        *_holes(plan, words, hours, colours),
        *_bars(plan, colours),
        *_mended(plan, words, colours),
        *_previous(plan, before, now, previous_label, words, colours, width),
        *_now(plan, now, price_label, words.direction, colours, width),
        *(_text(mark.x, plan.bottom + 16, mark.text, colours.muted, middle=True) for mark in marks),
        "</g>",
    ]
    if words.empty:
        pieces.append(
            _text(width // 2, (HEAD + height) // 2, words.empty, colours.muted, 13, middle=True)
        )
    label = escape(words.sentence)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="{label}"'
        f' font-family="{_FONT}" font-size="11"><title>{label}</title>'
        f'<rect width="{width}" height="{height}" fill="{colours.ground}"/>{"".join(pieces)}</svg>'
    )


def _inside(plan: Plan, price: float | None) -> int | None:
    scale = plan.scale
    if scale is None or price is None or not scale.low <= price <= scale.high:
        return None
    return scale.y(price)


def _text(
    x: int,
    y: int,
    text: str,
    fill: str,
    size: int = 11,
    *,
    weight: int = 400,
    middle: bool = False,
    end: bool = False,
    halo: str = "",
) -> str:
    anchor = ' text-anchor="middle"' if middle else ' text-anchor="end"' if end else ""
    wide = f' font-size="{size}"' if size != 11 else ""
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    around = f' stroke="{halo}" stroke-width="4" paint-order="stroke"' if halo else ""
    return f'<text x="{x}" y="{y}" fill="{fill}"{wide}{bold}{anchor}{around}>{escape(text)}</text>'


def _head(words: Words, colours: Colours, width: int) -> Iterator[str]:
    name = f'<tspan dx="6" font-weight="400" fill="{colours.muted}" font-size="12">'
    first = escape(words.symbol) + (f"{name}{escape(words.name)}</tspan>" if words.name else "")
    ink = colours.text
    yield f'<text x="12" y="22" font-size="15" font-weight="600" fill="{ink}">{first}</text>'
    if width < _NARROW:
        yield _text(12, 60, words.as_of, colours.muted, 10)
    else:
        yield _text(width - 12, 50, words.as_of, colours.muted, end=True)
    tone = _tone(words.direction, colours)
    arrow = {"up": "▲ ", "down": "▼ "}.get(words.direction, "")
    change = f'<tspan dx="8" font-size="12" font-weight="500" fill="{tone}">'
    after = f"{change}{escape(arrow + words.change)}</tspan>" if words.change else ""
    y, size = (44, 20) if width < _NARROW else (50, 24)
    yield (
        f'<text x="12" y="{y}" font-size="{size}"'
        f' font-weight="600" fill="{colours.text}">'
        f"{escape(words.price)}{after}</text>"
    )


def _tone(direction: str, colours: Colours) -> str:
    return {"up": colours.up, "down": colours.down}.get(direction, colours.text)


def _frame(
    plan: Plan, labels: dict[int, str], now: int | None, before: int | None, colours: Colours
) -> Iterator[str]:
    right, bottom = plan.right, plan.bottom
    if labels:
        lines = "".join(f"M0 {y}.5H{right}" for y in labels)
        yield f'<path d="{lines}" stroke="{colours.grid}"/>'
    frame = f"M0 {bottom}.5H{right}M{right}.5 0V{bottom}"
    yield f'<path d="{frame}" stroke="{colours.line}" fill="none"/>'
    taken = [y for y in (now, before) if y is not None]
    for y, text in labels.items():
        if all(abs(y - other) >= _CLEAR for other in taken):
            yield _text(right + 7, y + 4, text, colours.muted)


def _bars(plan: Plan, colours: Colours) -> Iterator[str]:
    for kind, path in plan.paths.items():
        yield f'<path d="{path}" {_paint(kind.split(), colours)}/>'


def _paint(kind: list[str], colours: Colours) -> str:
    """Return the attributes of a path by its kind, such as ``body forming up``."""
    name, forming = kind[0], "forming" in kind
    tone = _tone(kind[-1], colours)
    if name == "vol":
        return f'fill="{_mixed(tone, colours.ground, 20 if forming else 34)}"'
    if name == "body" and not forming:
        return f'fill="{tone}"'
    if name == "body":
        return f'fill="{_mixed(tone, colours.ground, 30)}" stroke="{tone}"'
    if name == "area":
        return f'fill="{_mixed(tone, colours.ground, 8)}"'
    if name == "line":
        dashes = ' stroke-dasharray="3 3"' if forming else ""
        ends = ' stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"'
        return f'fill="none" stroke="{tone}"{ends}{dashes}'
    return f'fill="none" stroke="{tone}"' + (' stroke-opacity=".6"' if forming else "")


def _mixed(tone: str, ground: str, percent: int) -> str:
    """Return so much of a tone on the ground."""
    parts = [
        (int(tone[at : at + 2], 16) * percent + int(ground[at : at + 2], 16) * (100 - percent))
        // 100
        for at in (1, 3, 5)
    ]
    return "#{:02x}{:02x}{:02x}".format(*parts)


def _holes(
    plan: Plan, words: Words, hours: Callable[[Hole], str], colours: Colours
) -> Iterator[str]:
    tint = _mixed(colours.stale, colours.ground, 45)
    for hole in plan.holes:
        x, wide = hole.x, hole.width
        lines = "".join(
            f"M{x} {min(y + wide, plan.bottom)}L{x + min(wide, plan.bottom - y)} {y}"
            for y in range(0, plan.bottom, 6)
        )
        yield f'<path d="{lines}" stroke="{tint}"/>'
        yield (f'<path d="M{x}.5 36v-3h{wide - 1}v3" fill="none" stroke="{colours.stale}"/>')
        middle = min(max(x + wide // 2, 40), plan.right - 40)
        for y, text in ((14, words.no_data), (26, hours(hole))):
            yield _text(
                middle, y, text, colours.stale, 10, weight=600, middle=True, halo=colours.ground
            )


def _mended(plan: Plan, words: Words, colours: Colours) -> Iterator[str]:
    y = plan.bottom - (36 if plan.has_volume else 4)
    for start, end in plan.repaired:
        wide = max(end - start - 1, BODY - 1)
        yield f'<path d="M{start}.5 {y - 4}v3h{wide}v-3" fill="none" stroke="{colours.muted}"/>'
        middle = min(max((start + end) // 2, 28), plan.right - 28)
        yield _text(
            middle, y - 8, words.repaired, colours.muted, 10, middle=True, halo=colours.ground
        )


def _previous(
    plan: Plan,
    before: int | None,
    now: int | None,
    label: str,
    words: Words,
    colours: Colours,
    width: int,
) -> Iterator[str]:
    if before is None:
        return
    tone = _mixed(colours.text, colours.ground, 45)
    yield f'<path d="M0 {before}.5H{plan.right}" stroke="{tone}" stroke-dasharray="4 3"/>'
    yield _text(8, before - 4, words.previous, colours.muted, 10, halo=colours.ground)
    if now is None or abs(now - before) >= _CLEAR:
        yield _text(plan.right + 7, before + 4, label, colours.text)


def _now(
    plan: Plan, now: int | None, label: str, direction: str, colours: Colours, width: int
) -> Iterator[str]:
    if now is None:
        return
    tone = _tone(direction, colours)
    yield f'<path d="M0 {now}.5H{plan.right}" stroke="{tone}" stroke-dasharray="1 3"/>'
    yield (
        f'<rect x="{plan.right}" y="{now - 8}" width="{width - plan.right - 4}" height="17" rx="2"'
        f' fill="{tone}"/>'
    )
    ink = colours.on if direction else colours.ground
    yield _text(plan.right + 7, now + 4, label, ink, weight=600)
