"""The plot of a chart as SVG: bars and everything around them, in the ink that is given.

``fcs-chart.js`` draws the same parts, of the same kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from .geometry import BAND, BODY, Plan
from .ink import Ink
from .scales import Scale, step_of, unit_of
from .signs import Sign, kept_of

__all__ = [
    "Extreme",
    "Level",
    "Mark",
    "Sheet",
    "Tag",
    "Words",
    "label_of",
    "labels_of",
    "pinned",
    "plot",
]

#: Labels of the price axis keep this distance from each other.
_CLEAR = 17

#: A label is at least so far from the top.
_TOP = 9

#: How far a stripe of a hole is from the next one.
_STRIPE = 6


class Mark(NamedTuple):
    """A label of the time axis, and the pixel of its middle."""

    x: int
    text: str
    is_day: bool = False
    """Whether a day begins there, or a month or year."""


class Tag(NamedTuple):
    """A label on the price axis."""

    y: int
    text: str
    is_inside: bool
    """Whether its price is in sight; otherwise it stands at the edge, with an arrow."""


class Level(NamedTuple):
    """A line across the plot, at a price of the site's choice."""

    tag: Tag
    label: str


class Words(NamedTuple):
    """The words within a plot, in the reader's language."""

    no_data: str
    repaired: str
    previous: str
    before: str = ""
    """Of the bars before the hours of the exchange, and of those after them."""
    after: str = ""


class Extreme(NamedTuple):
    """The high or the low of the day, at the bar that made it."""

    x: int
    y: int
    text: str


class Sheet(NamedTuple):
    """All that a plot shows."""

    plan: Plan
    labels: dict[int, str]
    """The labels of the price axis, by pixel."""
    marks: Sequence[Mark]
    words: Words
    hours: Sequence[str]
    """When each hole was."""
    now: Tag | None = None
    before: Tag | None = None
    """The previous close."""
    levels: Sequence[Level] = ()
    extremes: Sequence[Extreme] = ()
    """The high and the low of the day, where they are in sight."""
    left: int = 0
    """Where lines begin; pages show more than the drawing if they are wider."""


def labels_of(scale: Scale, digits: int, write: Callable[[float, int], str]) -> dict[int, str]:
    """Return the labels of the price axis by pixel; ``write`` takes a number and its decimals."""
    step = step_of(scale, digits)
    unit = unit_of(scale, step, digits)
    return {
        scale.y(price): _shortened(price, unit.power, unit.letter, unit.digits, write)
        for price in step.prices(scale)
    }


def label_of(price: float, scale: Scale, digits: int, write: Callable[[float, int], str]) -> str:
    """Return a price as the axis has it."""
    unit = unit_of(scale, step_of(scale, digits), digits)
    return _shortened(price, unit.power, unit.letter, unit.digits, write)


def _shortened(
    price: float, power: int, letter: str, digits: int, write: Callable[[float, int], str]
) -> str:
    return (
        f"{write(price / 10**power, digits)}\N{THIN SPACE}{letter}"
        if power
        else write(price, digits)
    )


def pinned(price: float, scale: Scale, label: str) -> Tag:
    """Return the label of a price; out of sight it is at the edge, with an arrow."""
    if price > scale.high:
        return Tag(scale.top, f"{label}\N{THIN SPACE}↑", False)
    if price < scale.low:
        return Tag(scale.bottom, f"{label}\N{THIN SPACE}↓", False)
    return Tag(scale.y(price), label, True)


def plot(sheet: Sheet, ink: Ink) -> str:
    """Return the elements of a plot, from back to front."""
    plan = sheet.plan
    signs = [*_holes_named(sheet), *_mended_named(sheet), *_lines_named(sheet), *_rest_named(sheet)]
    bars = {kind: path for kind, path in plan.paths.items() if kind != "session"}
    pieces = [
        *_ground(sheet, ink),
        *_holes(sheet, ink),
        *(f'<path {ink.of(kind)} d="{path}"/>' for kind, path in bars.items()),
        *_brackets(sheet, ink),
        *_lines(sheet, ink),
        *_signs(kept_of(signs, plan.right), ink),
        *_axis(sheet, ink),
        *(
            _text(
                mark.x,
                plan.bottom + 17,
                mark.text,
                ink.of("text strong" if mark.is_day else "text"),
                "middle",
            )
            for mark in sheet.marks
        ),
    ]
    return "".join(pieces)


def _ground(sheet: Sheet, ink: Ink) -> Iterator[str]:
    plan, left = sheet.plan, sheet.left
    if "session" in plan.paths:
        yield f'<path {ink.of("session")} d="{plan.paths["session"]}"/>'
    if sheet.labels:
        lines = "".join(f"M{left} {y}.5H{plan.right}" for y in sheet.labels)
        yield f'<path {ink.of("grid")} d="{lines}"/>'
    days = "".join(f"M{mark.x}.5 0V{plan.bottom}" for mark in sheet.marks if mark.is_day)
    if days:
        yield f'<path {ink.of("day")} d="{days}"/>'
    band = f"M{left} {plan.bottom - BAND}.5H{plan.right}" if plan.has_volume else ""
    frame = f"M{left} {plan.bottom}.5H{plan.right}M{plan.right}.5 0V{plan.bottom}{band}"
    yield f'<path {ink.of("frame")} d="{frame}"/>'
    if sheet.before and sheet.before.is_inside:
        yield f'<path {ink.of("prev")} d="M{left} {sheet.before.y}.5H{plan.right}"/>'


def _holes(sheet: Sheet, ink: Ink) -> Iterator[str]:
    bottom = sheet.plan.bottom
    for hole in sheet.plan.holes:
        x, wide = hole.x, hole.width
        # Stripes that end at the edges: a pattern would need an id that no other chart has.
        stripes = "".join(
            f"M{x + max(0, c - bottom)} {min(c, bottom)}L{x + min(c, wide)} {max(0, c - wide)}"
            for c in range(_STRIPE, wide + bottom, _STRIPE)
        )
        yield f'<path {ink.of("hole")} d="{stripes}"/>'


def _brackets(sheet: Sheet, ink: Ink) -> Iterator[str]:
    """Mark the holes at the top, and what was repaired at the bottom."""
    for hole in sheet.plan.holes:
        yield f'<path {ink.of("holeline")} d="M{hole.x}.5 36v-3.5h{hole.width - 1}v3.5"/>'
    y = sheet.plan.floor - 6
    for start, end in sheet.plan.repaired:
        wide = max(end - start - 1, BODY - 1)
        yield f'<path {ink.of("mended")} d="M{start}.5 {y}v3.5h{wide}v-3.5"/>'


def _lines(sheet: Sheet, ink: Ink) -> Iterator[str]:
    plan, left = sheet.plan, sheet.left
    for level in sheet.levels:
        if level.tag.is_inside:
            yield f'<path {ink.of("level")} d="M{left} {level.tag.y}.5H{plan.right}"/>'
    if sheet.now and sheet.now.is_inside:
        yield f'<path {ink.of("now")} d="M{left} {sheet.now.y}.5H{plan.right}"/>'


def _holes_named(sheet: Sheet) -> Iterator[Sign]:
    for hole, hours in zip(sheet.plan.holes, sheet.hours, strict=True):
        middle = hole.x + hole.width // 2
        yield Sign(middle, 26, (sheet.words.no_data, hours), "halo holetext")


def _mended_named(sheet: Sheet) -> Iterator[Sign]:
    for start, end in sheet.plan.repaired:
        yield Sign((start + end) // 2, sheet.plan.floor - 10, (sheet.words.repaired,))


def _lines_named(sheet: Sheet) -> Iterator[Sign]:
    named = [(level.tag, level.label) for level in sheet.levels]
    named += [(sheet.before, sheet.words.previous)] if sheet.before else []
    for tag, label in named:
        if tag.is_inside and label:
            yield Sign(sheet.plan.right - 8, tag.y - 5, (label,), anchor="end")


def _rest_named(sheet: Sheet) -> Iterator[Sign]:
    """Name the high and the low of the day, then the hours where there is room for it."""
    for one in sheet.extremes:
        yield Sign(one.x, one.y, (one.text,))
    words = {"before": sheet.words.before, "after": sheet.words.after}
    for start, end, side in sheet.plan.shades:
        sign = Sign(end - 6, sheet.plan.floor - 8, (words[side],), "", "end")
        if sign.width + 12 <= end - start:
            yield sign


def _signs(signs: Sequence[Sign], ink: Ink) -> Iterator[str]:
    for sign in signs:
        for row, text in enumerate(sign.lines):
            y = sign.y - 12 * (len(sign.lines) - 1 - row)
            yield _text(sign.x, y, text, ink.of(f"text small {sign.look}".strip()), sign.anchor)


def _axis(sheet: Sheet, ink: Ink) -> Iterator[str]:
    """Label the axis: what has less weight makes way for what has more."""
    taken = [] if sheet.now is None else [sheet.now.y]
    tags = [("tag out", level.tag) for level in sheet.levels]
    tags += [("", sheet.before)] if sheet.before else []
    for kind, tag in tags:
        if all(abs(tag.y - other) >= _CLEAR for other in taken):
            taken.append(tag.y)
            yield _label(sheet, tag, ink.of("text ink"), ink.of(kind) if kind else "")
    for y, label in sheet.labels.items():
        if all(abs(y - other) >= _CLEAR for other in taken):
            yield _text(sheet.plan.right + 7, y + 4, label, ink.of("text"))
    if sheet.now:
        yield _label(sheet, sheet.now, ink.of("text on"), ink.of("tag live"))


def _label(sheet: Sheet, tag: Tag, look: str, box: str) -> str:
    """Return the label of a price; with the look of a box, it is in one."""
    x, y, wide = sheet.plan.right, max(tag.y, _TOP), sheet.plan.axis - 4
    text = _text(x + 7, y + 4, tag.text, look)
    if not box:
        return text
    rect = f'<rect {box} x="{x}.5" y="{y - 9}.5" width="{wide}" height="17" rx="2"/>'
    return f"<g>{rect}{text}</g>"


def _text(x: int, y: int, text: str, look: str, anchor: str = "") -> str:
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text {look}{" " * bool(look)}x="{x}" y="{y}"{at}>{escape(text)}</text>'
