"""How the parts of a drawing look: by classes, for a stylesheet, or by colours as attributes."""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = ["Colours", "Ink", "Painted", "Styled", "colours_of"]


class Colours(NamedTuple):
    """The colours of a theme, as ``#rrggbb``."""

    ground: str
    text: str
    muted: str
    line: str
    grid: str
    shade: str
    up: str
    down: str
    stale: str
    on: str


_THEMES = {
    "light": Colours(
        *("#fbfbfa", "#16181d", "#56585b", "#d9d9d9", "#e9e9e8", "#f3f3f2"),
        *("#08784b", "#c22f46", "#8a5a00", "#ffffff"),
    ),
    "dark": Colours(
        *("#101216", "#e8eaee", "#acaeb2", "#303236", "#212327", "#181a1e"),
        *("#41cf90", "#ff7b8b", "#e7b04a", "#101216"),
    ),
}


def colours_of(theme: str) -> Colours:
    """Return the colours of ``light`` or ``dark``."""
    return _THEMES[theme]


class Ink(Protocol):
    """What gives a part of a drawing its look.

    A part is named by its kind, such as ``body forming up`` or ``text small halo``.
    """

    def of(self, kind: str) -> str:
        """Return the attributes of a part."""


class Styled:
    """Classes: ``fcs-chart.css`` has the colours."""

    def of(self, kind: str) -> str:
        """Return the kind as classes; plain text and the plain line need none."""
        names = kind.removeprefix("text").removesuffix(" on").strip()
        return f'class="{names}"' if names else ""


class Painted:
    """Colours as attributes, for drawings that stand alone.

    Args:
        colours: The theme.
        direction: ``up``, ``down`` or empty: the tone of the price and of lines.
    """

    def __init__(self, colours: Colours, direction: str = "") -> None:
        self.colours = colours
        self._direction = direction

    def of(self, kind: str) -> str:
        """Return the attributes of a kind."""
        name, *more = kind.split()
        if name == "text":
            return self._text(more)
        fixed = self._fixed()
        return fixed[kind] if kind in fixed else self._bar(name, more)

    def _fixed(self) -> dict[str, str]:
        c, tone = self.colours, self.tone(self._direction)
        outline = f'fill="{c.ground}" stroke="{c.text}"'
        return {
            "session": f'fill="{c.shade}"',
            "grid": f'stroke="{c.grid}"',
            "frame": f'fill="none" stroke="{c.line}"',
            "day": f'stroke="{c.line}"',
            "prev": f'stroke="{self.mixed(c.text, 45)}" stroke-dasharray="4 3"',
            "now": f'stroke="{tone}" stroke-dasharray="1 3"',
            "level": f'stroke="{c.text}"',
            "hole": f'stroke="{self.mixed(c.stale, 45)}"',
            "holeline": f'fill="none" stroke="{c.stale}"',
            "mended": f'fill="none" stroke="{c.muted}"',
            "tag live": f'fill="{tone}"',
            "tag out": outline,
        }

    def _bar(self, name: str, more: list[str]) -> str:
        tone, forming = self.tone((more or [self._direction])[-1]), "forming" in more
        if name in ("line", "area"):
            tone = self.tone(self._direction)
        if name == "vol":
            return f'fill="{self.mixed(tone, 20 if forming else 34)}"'
        if name == "area":
            return f'fill="{self.mixed(tone, 8)}"'
        if name == "body":
            return f'fill="{self.mixed(tone, 30) if forming else tone}" stroke="{tone}"'
        if name == "line":
            dashes = ' stroke-dasharray="3 3"' if forming else ""
            ends = ' stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"'
            return f'fill="none" stroke="{tone}"{ends}{dashes}'
        return f'fill="none" stroke="{tone}"'

    def _text(self, more: list[str]) -> str:
        c = self.colours
        is_bold = {"strong", "on", "holetext"} & {*more}
        on = c.on if self._direction else c.ground
        tones = {"strong": c.text, "ink": c.text, "on": on, "holetext": c.stale}
        fill = next((tones[one] for one in more if one in tones), c.muted)
        weight = ' font-weight="600"' if is_bold else ""
        size = ' font-size="10"' if "small" in more else ""
        halo = f' stroke="{c.ground}" stroke-width="4" paint-order="stroke"'
        return f'fill="{fill}"{size}{weight}{halo if "halo" in more else ""}'

    def tone(self, direction: str) -> str:
        """Return the colour of a direction; that of text if there is none."""
        return {"up": self.colours.up, "down": self.colours.down}.get(direction, self.colours.text)

    def mixed(self, tone: str, percent: int) -> str:
        """Return so much of a tone on the ground."""
        ground = self.colours.ground
        parts = [
            (int(tone[at : at + 2], 16) * percent + int(ground[at : at + 2], 16) * (100 - percent))
            // 100
            for at in (1, 3, 5)
        ]
        return "#{:02x}{:02x}{:02x}".format(*parts)
