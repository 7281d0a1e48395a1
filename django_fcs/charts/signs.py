"""Short texts within a plot: those that would lie on others are left out.

``fcs-chart-plot.js`` follows the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Sign", "kept_of"]

#: The width of a letter and the height of a line, in pixels.
_LETTER, _LINE = 6, 12


class Sign(NamedTuple):
    """A text of one or more lines; ``x`` and ``y`` are those of the foot of its last line."""

    x: int
    y: int
    lines: tuple[str, ...]
    look: str = "halo"
    anchor: str = "middle"

    @property
    def width(self) -> int:
        """About how wide the text is."""
        return _LETTER * max(map(len, self.lines))

    @property
    def left(self) -> int:
        """Where it begins."""
        return self.x - (self.width if self.anchor == "end" else self.width // 2)

    def meets(self, other: Sign) -> bool:
        """Tell whether two texts lie on each other."""
        is_beside = self.left >= other.left + other.width or other.left >= self.left + self.width
        tops = [one.y - _LINE * len(one.lines) for one in (self, other)]
        return not is_beside and self.y > tops[1] and other.y > tops[0]


def kept_of(signs: Iterable[Sign], right: int) -> list[Sign]:
    """Return those that have room, each between 0 and ``right``; earlier ones have priority."""
    kept: list[Sign] = []
    for sign in signs:
        half = sign.width // 2 + 2
        if sign.anchor == "middle":
            sign = sign._replace(x=max(min(sign.x, right - half), half))
        if not any(map(sign.meets, kept)):
            kept.append(sign)
    return kept
