"""Plots written directly as SVG, which follow the reader's light or dark colour scheme."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Bar", "Line", "Mark", "bars", "lines", "timeline"]

WIDTH = 760
_LEFT, _RIGHT, _TOP = 190, 100, 46
_BAR, _GAP = 22, 9
_HEIGHT = 300
_CURVES_LEFT = 64

Place = Callable[[float, float], tuple[float, float]]

_STYLE = """<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.quiet { fill: #59636e; font-size: 12px }
.axis { stroke: #c8ccd1; stroke-width: 1 }
.mark { stroke: #6e7781; stroke-width: 1; opacity: .6 }
.ours { fill: #0b6bcb } .floor { fill: #6e7781 } .tutorial { fill: #cf4a3c }
.other { fill: #9a7fd1 }
path { fill: none; stroke-width: 2.5 }
path.ours { fill: none; stroke: #0b6bcb } path.floor { fill: none; stroke: #6e7781 }
path.tutorial { fill: none; stroke: #cf4a3c } path.other { fill: none; stroke: #9a7fd1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 } .axis { stroke: #3d444d }
  .ours { fill: #4c9df3 } .floor { fill: #9198a1 } .tutorial { fill: #f0776b }
  .other { fill: #b9a3e3 }
  path.ours { stroke: #4c9df3 } path.floor { stroke: #9198a1 }
  path.tutorial { stroke: #f0776b } path.other { stroke: #b9a3e3 }
}
</style>"""


@dataclass(frozen=True)
class Bar:
    """One value; ``kind`` (``ours``, ``floor``, ``tutorial``, ``other``) sets its colour."""

    label: str
    value: float
    text: str
    kind: str


@dataclass(frozen=True)
class Line:
    """Points of one curve, in ascending order of x."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: str


@dataclass(frozen=True)
class Mark:
    """A moment on a timeline; a heavy one gets a longer line."""

    x: float
    is_heavy: bool = False


def _document(title: str, subtitle: str, height: float, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img">',
            f"<title>{escape(title)}</title>",
            _STYLE,
            f'<text class="title" x="8" y="20">{escape(title)}</text>',
            f'<text class="quiet" x="8" y="37">{escape(subtitle)}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def bars(title: str, subtitle: str, values: Sequence[Bar]) -> str:
    """Draw horizontal bars from zero, each with its value as text."""
    longest = max((bar.value for bar in values), default=1) or 1
    room = WIDTH - _LEFT - _RIGHT
    parts = []
    for number, bar in enumerate(values):
        y = _TOP + _GAP + number * (_BAR + _GAP)
        length = max(1.0, room * bar.value / longest)
        middle = y + _BAR - 6
        parts += [
            f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class="{bar.kind}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" '
            'rx="2"/>',
            f'<text x="{_LEFT + length + 7:.1f}" y="{middle}">{escape(bar.text)}</text>',
        ]
    height = _TOP + _GAP + len(values) * (_BAR + _GAP) + 6
    return _document(title, subtitle, height, parts)


def lines(title: str, subtitle: str, x_label: str, curves: Sequence[Line]) -> str:
    """Draw curves over a logarithmic x, from zero to a round y, with labels at their ends."""
    xs = sorted({x for curve in curves for x, _ in curve.points})
    top = _top_of(curves)
    first, last = math.log10(xs[0]), math.log10(xs[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        along = (math.log10(x) - first) / ((last - first) or 1)
        return _CURVES_LEFT + along * (WIDTH - 190 - _CURVES_LEFT), _height_of(y / top)

    parts = _axes(xs, top, place, x_label)
    for curve, points, y in _drawn(curves, place):
        parts.append(_path(curve, points))
        for at in points:
            parts.append(
                f'<circle class="{curve.kind}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="3.5"/>'
            )
        parts.append(_label(f"{points[-1][0] + 9:.1f}", y, curve.label))
    return _document(title, subtitle, _HEIGHT, parts)


def timeline(
    title: str, subtitle: str, x_label: str, curves: Sequence[Line], marks: Sequence[Mark]
) -> str:
    """Draw curves over time, from zero on both axes, with marks at the bottom."""
    last = max((x for curve in curves for x, _ in curve.points), default=1) or 1
    top = _top_of(curves)
    right = WIDTH - 130

    def place(x: float, y: float) -> tuple[float, float]:
        return _CURVES_LEFT + x / last * (right - _CURVES_LEFT), _height_of(y / top)

    parts = _axes(_ticks(last), top, place, x_label)
    for mark in marks:
        at, foot = place(mark.x, 0)
        parts.append(
            f'<line class="mark" x1="{at:.1f}" y1="{foot:.1f}" x2="{at:.1f}" '
            f'y2="{foot - (26 if mark.is_heavy else 8):.1f}"/>'
        )
    for curve, points, y in _drawn(curves, place):
        parts += [_path(curve, points), _label(f"{right + 9}", y, curve.label)]
    return _document(title, subtitle, _HEIGHT, parts)


def _top_of(curves: Sequence[Line]) -> float:
    return _round_up(max((y for curve in curves for _, y in curve.points), default=1))


def _height_of(share: float) -> float:
    """Return the y of a share of the height, 0 at the bottom and 1 at the top."""
    bottom = _HEIGHT - 40
    return bottom - share * (bottom - _TOP - 14)


def _ticks(last: float) -> list[float]:
    """Return round moments up to the last moment, and the last moment itself."""
    step = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 1e9) if last / step <= 10)
    ticks = [number * step for number in range(int(last / step) + 1)]
    return [*ticks, last] if last > ticks[-1] else ticks


def _drawn(
    curves: Sequence[Line], place: Place
) -> Iterator[tuple[Line, list[tuple[float, float]], float]]:
    """Yield each curve with its points and label position in pixels, the lowest curve first."""
    ends: list[float] = []
    for curve in sorted(curves, key=lambda curve: curve.points[-1][1]):
        points = [place(*point) for point in curve.points]
        # Labels must not overlap.
        ends.append(min([points[-1][1], *(end - 16 for end in ends)]))
        yield curve, points, ends[-1]


def _path(curve: Line, points: Sequence[tuple[float, float]]) -> str:
    way = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{curve.kind}" d="M{way}"/>'


def _label(x: str, y: float, text: str) -> str:
    return f'<text x="{x}" y="{y + 4:.1f}">{escape(text)}</text>'


def _axes(xs: Sequence[float], top: float, place: Place, x_label: str) -> list[str]:
    parts = []
    for step in range(5):
        value = top * step / 4
        (start, y), (end, _) = place(xs[0], value), place(xs[-1], value)
        parts += [
            f'<line class="axis" x1="{start:.1f}" y1="{y:.1f}" x2="{end:.1f}" y2="{y:.1f}"/>',
            _quiet(start - 8, y + 4, "end", f"{value:,.6g}"),
        ]
    taken = -1e9
    for x in xs:
        at, y = place(x, 0)
        if at - taken >= 44:
            taken = at
            parts.append(_quiet(at, y + 17, "middle", f"{x:,.0f}"))
    at, y = place(xs[-1], 0)
    return [*parts, _quiet(at, y + 34, "end", escape(x_label))]


def _quiet(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text class="quiet" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _round_up(value: float) -> float:
    """Return the next higher value whose quarters are easy to read."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    steps = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
    return next(step * power for step in steps if step * power >= value)
