"""Plots as SVG by hand: they follow the light or dark scheme of who looks at them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Bar", "Line", "Mark", "bars", "lines", "timeline"]

WIDTH = 760
_LEFT, _RIGHT, _TOP = 190, 100, 46
_BAR, _GAP = 22, 9
_HEIGHT = 300

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
    """Points of one curve, by rising x."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: str


@dataclass(frozen=True)
class Mark:
    """A moment of a timeline; what is heavy gets a longer line."""

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
    """Draw horizontal bars from zero, each with its figure."""
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
    """Draw curves over a logarithmic x, from zero to a round y; ends bear their labels."""
    xs = sorted({x for curve in curves for x, _ in curve.points})
    top = _round_up(max((y for curve in curves for _, y in curve.points), default=1))
    left, right, bottom = 64, WIDTH - 190, _HEIGHT - 40
    first, last = math.log10(xs[0]), math.log10(xs[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        along = (math.log10(x) - first) / ((last - first) or 1)
        return left + along * (right - left), bottom - y / top * (bottom - _TOP - 14)

    parts = _axes(xs, top, place, x_label)
    ends: list[float] = []
    for curve in sorted(curves, key=lambda curve: curve.points[-1][1]):
        points = [place(x, y) for x, y in curve.points]
        parts.append(f'<path class="{curve.kind}" d="M{" L".join(_pair(*at) for at in points)}"/>')
        for x, y in points:
            parts.append(f'<circle class="{curve.kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
        # A label keeps clear of the one below it.
        y = min([points[-1][1], *(end - 16 for end in ends)])
        ends.append(y)
        parts.append(
            f'<text x="{points[-1][0] + 9:.1f}" y="{y + 4:.1f}">{escape(curve.label)}</text>'
        )
    return _document(title, subtitle, _HEIGHT, parts)


def timeline(
    title: str, subtitle: str, x_label: str, curves: Sequence[Line], marks: Sequence[Mark]
) -> str:
    """Draw curves over time, from zero on both axes, with marks at the foot."""
    last = max((x for curve in curves for x, _ in curve.points), default=1) or 1
    top = _round_up(max((y for curve in curves for _, y in curve.points), default=1))
    left, right, bottom = 64, WIDTH - 130, _HEIGHT - 40
    step = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 1e9) if last / step <= 10)
    ticks = [number * step for number in range(int(last / step) + 1)]

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / last * (right - left), bottom - y / top * (bottom - _TOP - 14)

    parts = _axes([*ticks, last] if last > ticks[-1] else ticks, top, place, x_label)
    for mark in marks:
        at, foot = place(mark.x, 0)
        parts.append(
            f'<line class="mark" x1="{at:.1f}" y1="{foot:.1f}" x2="{at:.1f}" '
            f'y2="{foot - (26 if mark.is_heavy else 8):.1f}"/>'
        )
    ends: list[float] = []
    for curve in sorted(curves, key=lambda curve: curve.points[-1][1]):
        points = [place(*point) for point in curve.points]
        parts.append(f'<path class="{curve.kind}" d="M{" L".join(_pair(*at) for at in points)}"/>')
        y = min([points[-1][1], *(end - 16 for end in ends)])
        ends.append(y)
        parts.append(f'<text x="{right + 9}" y="{y + 4:.1f}">{escape(curve.label)}</text>')
    return _document(title, subtitle, _HEIGHT, parts)


def _pair(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"


def _axes(
    xs: Sequence[float],
    top: float,
    place: Callable[[float, float], tuple[float, float]],
    x_label: str,
) -> list[str]:
    parts = []
    for step in range(5):
        value = top * step / 4
        (start, y), (end, _) = place(xs[0], value), place(xs[-1], value)
        parts += [
            f'<line class="axis" x1="{start:.1f}" y1="{y:.1f}" x2="{end:.1f}" y2="{y:.1f}"/>',
            f'<text class="quiet" x="{start - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">'
            f"{value:,.6g}</text>",
        ]
    taken = -1e9
    for x in xs:
        at, y = place(x, 0)
        if at - taken < 44:
            continue
        taken = at
        parts.append(
            f'<text class="quiet" x="{at:.1f}" y="{y + 17:.1f}" text-anchor="middle">'
            f"{x:,.0f}</text>"
        )
    at, y = place(xs[-1], 0)
    parts.append(
        f'<text class="quiet" x="{at:.1f}" y="{y + 34:.1f}" text-anchor="end">'
        f"{escape(x_label)}</text>"
    )
    return parts


def _round_up(value: float) -> float:
    """Return the next value whose quarters are easy to read."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    steps = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
    return next(step * power for step in steps if step * power >= value)
