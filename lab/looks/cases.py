"""The matrix: every page of the example, in every width, language and theme; and all charts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product

from example_project.look import LANGUAGE, PALETTE, THEME
from example_project.markets import MARKETS

__all__ = [
    "CHARTS",
    "LANGUAGES",
    "MODES",
    "PAGES",
    "PALETTES",
    "THEMES",
    "WIDTHS",
    "Case",
    "cases",
    "chart_cases",
]

PAGES = (
    *("/", "/dashboard/", "/article/"),
    *(f"/{slug}/" for slug in MARKETS),
    *(f"/{slug}/plain/" for slug in MARKETS),
)
WIDTHS = (320, 390, 768, 1280, 1440)
#: The page with the chart in every state, which no server has.
CHARTS = "/charts/"
LANGUAGES = tuple(choice.value for choice in LANGUAGE.choices)
THEMES = tuple(choice.value for choice in THEME.choices if choice.value != "auto")
PALETTES = tuple(choice.value for choice in PALETTE.choices)
#: How a page is shown besides live on a screen: ``plain`` is without scripts.
MODES = ("print", "forced", "plain")

#: The widest screen, in pixels, that is one to touch.
_TOUCHED = 768
#: axe takes longer than all the rest, and most of what it finds is the same in every width.
_EXAMINED = (320, 1280)
_EXAMINED_LANGUAGES = ("en", "ar")


@dataclass(frozen=True)
class Case:
    page: str
    width: int
    language: str
    theme: str
    palette: str = PALETTES[0]
    mode: str = ""

    @property
    def has_touch(self) -> bool:
        return self.width <= _TOUCHED

    @property
    def is_examined(self) -> bool:
        """Whether axe examines it."""
        if self.page == CHARTS:
            return self.width in _EXAMINED
        return self.width in _EXAMINED and self.language in _EXAMINED_LANGUAGES

    @property
    def system(self) -> str:
        """The theme of the visitor's system: not that of the page, which must not follow it."""
        return "light" if self.theme == "dark" else "dark"

    def __str__(self) -> str:
        return f"{self.page} {self.place}"

    @property
    def place(self) -> str:
        """Where it is seen."""
        palette = "" if self.palette == PALETTES[0] else self.palette
        parts = (str(self.width), self.language, self.theme, palette, self.mode)
        return " ".join(filter(None, parts))


def cases(
    pages: Collection[str] = PAGES,
    widths: Collection[int] = WIDTHS,
    languages: Collection[str] = LANGUAGES,
    themes: Collection[str] = THEMES,
) -> list[Case]:
    """Return all combinations."""
    return [Case(*values) for values in product(pages, widths, languages, themes)]


def chart_cases() -> list[Case]:
    """Return the charts in all palettes, in all languages, and on paper and the like."""
    usual = LANGUAGES[0]
    return [
        *(Case(CHARTS, *one) for one in product(WIDTHS, (usual,), THEMES, PALETTES)),
        *(Case(CHARTS, *one) for one in product(_EXAMINED, LANGUAGES[1:], THEMES)),
        *(
            Case(CHARTS, width, usual, theme, PALETTES[0], mode)
            for width, theme, mode in product(_EXAMINED, THEMES, MODES)
        ),
    ]
