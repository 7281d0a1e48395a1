"""Bars as paths: where each pixel of a chart is, without colours, words or languages.

``tests/charts/cases.json`` has examples that the script of the chart has to follow as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .clocks import Session, sides_of
from .scales import Scale, rounded, scale_of

__all__ = [
    *("AXIS", "BAND", "BODY", "Frame", "Hole", "Place", "Plan", "Row", "Shade"),
    *("plan_of", "width_for"),
]

#: The price axis, at the right, and the time axis, at the bottom, in pixels.
AXIS = 64
_TIMES = 24

#: The width of a bar, and from one bar to the next. A chart that is less high is a small one, in
#: which bars are easier to tell.
BODY = 5
_PITCH, _PITCH_OF_SMALL, _SMALL = 7, 8, 240

#: Between the newest bar and the axis.
_MARGIN = 12

#: Above and below the prices: room for the marks of the high and the low, except in small charts.
_AIR, _AIR_OF_SMALL = 20, 8

#: A drawing is at least so wide.
_LEAST = 480

#: The band of the volume, and its highest column.
BAND = 32
_COLUMN = 24

#: A hole is at most so many bars wide.
_HOLE_MAX = 12


class Row(NamedTuple):
    """One bar as it is drawn."""

    t: int
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    c: float
    v: float | None
    final: bool


class Frame(NamedTuple):
    """What the drawing depends on besides the bars. Sizes are in pixels."""

    width: int
    height: int
    type: str
    """``candles``, ``bars``, ``line`` or ``area``."""
    period: int
    """The length of a bar in seconds."""
    axis: int = AXIS
    session: Session | None = None
    """The hours of the exchange, if bars outside of them are to be shaded."""

    @property
    def pitch(self) -> int:
        """From one bar to the next."""
        return _PITCH_OF_SMALL if self.height < _SMALL else _PITCH

    @property
    def air(self) -> int:
        """Above and below the prices."""
        return _AIR_OF_SMALL if self.height < _SMALL else _AIR


class Place(NamedTuple):
    """A bar and the left edge of its body."""

    x: int
    row: Row


class Hole(NamedTuple):
    """A time without bars: its pixels, and its start and end in unix seconds."""

    x: int
    width: int
    start: int
    end: int


class Shade(NamedTuple):
    """Bars outside of the hours of the exchange: from where to where, in pixels."""

    start: int
    end: int
    side: str
    """``before`` or ``after`` the hours."""


class Plan(NamedTuple):
    """A whole drawing. ``paths`` are by kind, such as ``body up``, in the order of drawing."""

    right: int
    """The line between the plot and the price axis."""
    bottom: int
    """The line between the plot and the time axis."""
    axis: int
    """The width of the price axis."""
    has_volume: bool
    scale: Scale | None
    """``None`` if there is no bar."""
    places: tuple[Place, ...]
    holes: tuple[Hole, ...]
    repaired: tuple[tuple[int, int], ...]
    """From where to where bars came later, in pixels."""
    paths: dict[str, str]
    shades: tuple[Shade, ...] = ()

    @property
    def floor(self) -> int:
        """Where the band of the volume begins, or the time axis."""
        return self.bottom - (BAND if self.has_volume else 0)


def plan_of(
    rows: Sequence[Row],
    frame: Frame,
    missing: Sequence[tuple[int, int]] = (),
    repaired: Sequence[tuple[int, int]] = (),
) -> Plan:
    """Return the drawing of bars, the oldest first, of which the newest that fit are drawn."""
    right, bottom = frame.width - frame.axis, frame.height - _TIMES
    places, holes = _places(rows, frame, missing)
    has_volume = any(place.row.v for place in places)
    scale = None
    shades = _shades(places, frame)
    paths: dict[str, str] = {}
    if places:
        low, high = min(one.row.l for one in places), max(one.row.h for one in places)
        end = bottom - frame.air - (BAND if has_volume else 0)
        scale = scale_of(low, high, frame.air, end, is_alone=len(places) == 1)
        pieces = _columns(places, bottom) if has_volume else []
        shaded = [("session", f"M{one.start} 0V{bottom}H{one.end}V0z") for one in shades]
        paths = _joined([*shaded, *pieces, *_shapes(frame.type, places, holes, scale)])
    spans = tuple(_span(places, start, end) for start, end in repaired)
    kept = tuple(span for span in spans if span is not None)
    held = (tuple(places), tuple(holes), kept, paths, shades)
    return Plan(right, bottom, frame.axis, has_volume, scale, *held)


def width_for(count: int, frame: Frame, missing: Sequence[tuple[int, int]] = ()) -> int:
    """Return how wide a drawing is that has room for so many bars and their holes."""
    bars = count + sum(_bars_of(hole, frame) for hole in missing)
    return max(frame.axis + _MARGIN + BODY + 2 + frame.pitch * bars, _LEAST)


def _places(
    rows: Sequence[Row], frame: Frame, missing: Sequence[tuple[int, int]]
) -> tuple[list[Place], list[Hole]]:
    """Give bars and holes their places from the right; those that do not fit are left out."""
    pitch = frame.pitch
    left = frame.width - frame.axis - _MARGIN - BODY
    places: list[Place] = []
    holes: list[Hole] = []
    waiting = list(missing)
    for row in reversed(rows):
        while waiting and waiting[-1][0] > row.t:
            start, end = waiting.pop()
            wide = pitch * _bars_of((start, end), frame)
            left -= wide
            if left + pitch < 0:
                break
            holes.append(Hole(left + pitch - 1, wide, start, end))
        if left < 1:
            break
        places.append(Place(left, row))
        left -= pitch
    held = [hole for hole in holes if places and hole.x > places[-1].x]
    return places[::-1], held[::-1]


def _bars_of(hole: tuple[int, int], frame: Frame) -> int:
    return min(max(rounded((hole[1] - hole[0]) / frame.period), 1), _HOLE_MAX)


def _span(places: Sequence[Place], start: int, end: int) -> tuple[int, int] | None:
    found = [place.x for place in places if start <= place.row.t < end]
    return (found[0], found[-1] + BODY) if found else None


def _shades(places: Sequence[Place], frame: Frame) -> tuple[Shade, ...]:
    """Return where bars are outside of the hours, each as far as the next bar."""
    if frame.session is None or not places:
        return ()
    sides = sides_of([place.row.t for place in places], frame.period, frame.session)
    ends = [place.x for place in places[1:]] + [places[-1].x + frame.pitch]
    shades: list[Shade] = []
    before = ""
    for place, side, end in zip(places, sides, ends, strict=True):
        if side and side == before:
            shades[-1] = shades[-1]._replace(end=end - 1)
        elif side:
            shades.append(Shade(place.x - 1, end - 1, side))
        before = side
    return tuple(shades)


def _joined(pieces: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Put all pieces of a kind into one path."""
    paths: dict[str, list[str]] = {}
    for kind, piece in pieces:
        paths.setdefault(kind, []).append(piece)
    kinds = sorted(paths, key=lambda kind: _ORDER.index(kind.split()[0]))
    return {kind: "".join(paths[kind]) for kind in kinds}


#: From back to front.
_ORDER = ("session", "vol", "area", "wick", "stem", "line", "body")


def _kinds(name: str) -> dict[tuple[bool, bool], str]:
    """Return the kinds of a part, by whether a bar is final and whether it went up."""
    return {
        (True, True): f"{name} up",
        (True, False): f"{name} down",
        (False, True): f"{name} forming up",
        (False, False): f"{name} forming down",
    }


_VOL, _WICK, _STEM, _BODY = map(_kinds, ("vol", "wick", "stem", "body"))


def _columns(places: Sequence[Place], bottom: int) -> list[tuple[str, str]]:
    most = max(place.row.v or 0 for place in places)
    return [
        (
            _VOL[row.final, row.c >= row.o],
            f"M{x} {bottom}v-{max(rounded(row.v / most * _COLUMN), 1)}h{BODY}V{bottom}z",
        )
        for x, row in places
        if row.v
    ]


def _shapes(
    type: str, places: Sequence[Place], holes: Sequence[Hole], scale: Scale
) -> list[tuple[str, str]]:
    if type in ("line", "area"):
        return _lines(type, places, holes, scale)
    return _candles(places, scale) if type == "candles" else _stems(places, scale)


def _candles(places: Sequence[Place], scale: Scale) -> list[tuple[str, str]]:
    """Return wicks and, over them, bodies, whose outline is sharp whether or not it is full."""
    y, pieces = scale.places(), []
    for x, (_, o, h, l, c, _, final) in places:  # noqa: E741
        key, high, low = (final, c >= o), y(h), y(l)
        if high != low:
            pieces.append((_WICK[key], f"M{x + BODY // 2}.5 {high}V{low}"))
        top, bottom = (y(c), y(o)) if c >= o else (y(o), y(c))
        tall = bottom - top - 1
        # A rectangle without a height has no corners, which would shorten its line.
        rest = f"h{BODY - 1}v{tall}h-{BODY - 1}z"
        body = f"M{x} {top}.5h{BODY}" if tall < 1 else f"M{x}.5 {top}.5{rest}"
        pieces.append((_BODY[key], body))
    return pieces


def _stems(places: Sequence[Place], scale: Scale) -> list[tuple[str, str]]:
    """Return bars: the open at the left, the close at the right."""
    y, pieces = scale.places(), []
    for x, (_, o, h, l, c, _, final) in places:  # noqa: E741
        middle = x + BODY // 2
        range_ = f"M{middle}.5 {y(h)}V{y(l) + 1}"
        stem = f"M{x} {y(o)}.5h3{range_}M{middle} {y(c)}.5h3"
        pieces.append((_STEM[final, c >= o], stem))
    return pieces


def _lines(
    type: str, places: Sequence[Place], holes: Sequence[Hole], scale: Scale
) -> list[tuple[str, str]]:
    """Return a line through the closes, which no hole is bridged by, and the area under it."""
    pieces: list[tuple[str, str]] = []
    for run in _runs(places, holes):
        points = [(x + BODY // 2, scale.y(row.c)) for x, row in run]
        if type == "area":
            pieces.append(("area", f"{_line(points)}V{scale.bottom}H{points[0][0]}.5z"))
        settled = len(points) if run[-1].row.final else len(points) - 1
        if settled:
            pieces.append(("line", _line(points[:settled])))
        if settled < len(points):
            pieces.append(("line forming", _line(points[max(settled - 1, 0) :])))
    return pieces


def _runs(places: Sequence[Place], holes: Sequence[Hole]) -> list[list[Place]]:
    """Split bars at the holes."""
    edges = [hole.x for hole in holes]
    runs: dict[int, list[Place]] = {}
    for place in places:
        runs.setdefault(sum(edge < place.x for edge in edges), []).append(place)
    return list(runs.values())


def _line(points: Sequence[tuple[int, int]]) -> str:
    """Return a line; for one point, it has no length but round ends."""
    (x, y), *others = points
    steps = "".join(f"L{right}.5 {down}" for right, down in others) or "h0"
    return f"M{x}.5 {y}{steps}"
