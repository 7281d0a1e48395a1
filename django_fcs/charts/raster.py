"""``python -m django_fcs.charts.raster``: reads an SVG from stdin, writes a PNG to stdout.

A process of its own, because ``resvg_py`` holds the lock of Python while it draws. This module
imports nothing that is slow to import, and it is the only one that knows ``resvg_py``.
"""

from __future__ import annotations

import sys

try:
    from resvg_py import svg_to_bytes
except ImportError:
    svg_to_bytes = None  # type: ignore[assignment]

__all__ = ["NO_FONT", "NO_LIBRARY", "PIXELS", "png_of"]

#: Pixels of the PNG for each unit of the SVG, so that it is sharp on dense screens.
PIXELS = 2

#: The exit codes for what is missing on this machine.
NO_LIBRARY, NO_FONT = 3, 4

#: Fonts without serifs that servers have, the preferred ones first.
_FONTS = (
    *("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans", "Noto Sans", "Open Sans", "Roboto"),
    *("Segoe UI", "Inter", "Ubuntu", "Cantarell", "Nimbus Sans", "FreeSans", "Lato"),
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC"),
)

_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
_LETTER = '<text y="16" font-family="sans-serif">8</text>'


def png_of(svg: str) -> bytes | None:
    """Return an SVG as a PNG; ``None`` if its texts would be missing, because there is no font."""
    font = _font()
    if not font:
        return None
    return svg_to_bytes(svg_string=svg, zoom=PIXELS, font_family=font, sans_serif_family=font)


def _font() -> str:
    """Return a font of this machine: a text in a font that is not there is left out."""
    empty = svg_to_bytes(svg_string=_PROBE.format(""))
    with_letter = _PROBE.format(_LETTER)
    for font in _FONTS:
        if svg_to_bytes(svg_string=with_letter, sans_serif_family=font) != empty:
            return font
    return ""


def _main() -> int:
    if svg_to_bytes is None:
        return NO_LIBRARY
    png = png_of(sys.stdin.buffer.read().decode())
    if png is None:
        return NO_FONT
    sys.stdout.buffer.write(png)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
