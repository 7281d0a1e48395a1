"""Which pictures there are."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CARDS", "SHOTS", "Shot"]

#: The page that only pictures have.
CARDS = "/cards/"
_FAMILY = ("chart", "tape", "table", "spread", "sparkline", "heatmap", "movers", "converter")
_THEMES = ("light", "dark")
#: A page → the heights of its pictures by width.
_PAGES = {
    "gallery": ("/", {1280: 720, 390: 1100}),
    "dashboard": ("/dashboard/", {1280: 720, 390: 1100}),
    "article": ("/article/", {1280: 680, 390: 1100}),
}


@dataclass(frozen=True)
class Shot:
    """A picture of a page or of an element in it; ``name`` is a path in ``docs/images``."""

    name: str
    page: str
    width: int
    height: int | None = None
    """Of the picture; ``None`` for the whole page."""
    element: str = ""
    looks: dict[str, str] = field(default_factory=dict)
    """What differs from the first choice of each switch."""


def _cards(name: str, width: int, **looks: str) -> Shot:
    return Shot(f"widgets/{name}-{width}.webp", CARDS, width, looks={"theme": "light", **looks})


SHOTS = (
    _cards("light", 1280),
    _cards("dark", 1280, theme="dark"),
    _cards("red-up", 390, palette="red-up"),
    _cards("arabic", 320, theme="dark", language="ar"),
    *(
        Shot(f"pages/{name}-{theme}-{width}.webp", page, width, height, looks={"theme": theme})
        for name, (page, heights) in _PAGES.items()
        for width, height in heights.items()
        for theme in _THEMES
    ),
    *(
        Shot(
            f"family/{name}-{theme}.webp",
            "/",
            1280,
            element=f"#fcs_{name} .preview",
            looks={"theme": theme},
        )
        for name in _FAMILY
        for theme in _THEMES
    ),
)
