"""The matrix: every page of the example, in every width, language and theme."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product

from example_project.look import LANGUAGE, THEME
from example_project.markets import MARKETS

__all__ = ["LANGUAGES", "PAGES", "THEMES", "WIDTHS", "Case", "cases"]

PAGES = (
    *("/", "/dashboard/", "/article/"),
    *(f"/{slug}/" for slug in MARKETS),
    *(f"/{slug}/plain/" for slug in MARKETS),
)
WIDTHS = (320, 390, 768, 1280, 1440)
LANGUAGES = tuple(choice.value for choice in LANGUAGE.choices)
THEMES = tuple(choice.value for choice in THEME.choices if choice.value != "auto")

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

    @property
    def has_touch(self) -> bool:
        return self.width <= _TOUCHED

    @property
    def is_examined(self) -> bool:
        """Whether axe examines it."""
        return self.width in _EXAMINED and self.language in _EXAMINED_LANGUAGES

    @property
    def system(self) -> str:
        """The theme of the visitor's system: not that of the page, which must not follow it."""
        return "light" if self.theme == "dark" else "dark"

    def __str__(self) -> str:
        return f"{self.page} {self.width} {self.language} {self.theme}"


def cases(
    pages: Collection[str] = PAGES,
    widths: Collection[int] = WIDTHS,
    languages: Collection[str] = LANGUAGES,
    themes: Collection[str] = THEMES,
) -> list[Case]:
    """Return all combinations."""
    return [Case(*values) for values in product(pages, widths, languages, themes)]
