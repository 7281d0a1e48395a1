"""How a visitor wants the pages: language, colours for up and down, light or dark.

A link such as ``?theme=dark`` chooses, and a cookie keeps the choice. No script is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

__all__ = ["LANGUAGE", "SWITCHES", "Choice", "Switch", "look", "looks_of"]

Handler = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True)
class Choice:
    value: str
    text: str


@dataclass(frozen=True)
class Switch:
    """Choices of which the first is the default."""

    name: str
    title: str
    choices: tuple[Choice, ...]

    def chosen(self, *places: Mapping[str, str]) -> str:
        """Return the first value that is one of the choices, or the default."""
        values = {choice.value for choice in self.choices}
        found = (place[self.name] for place in places if place.get(self.name) in values)
        return next(found, self.choices[0].value)


def switch(name: str, title: str, **choices: str) -> Switch:
    several = (Choice(value.replace("_", "-"), text) for value, text in choices.items())
    return Switch(name, title, tuple(several))


LANGUAGE = switch(
    "language",
    "Language",
    **{"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"},
    **{"ja": "日本語", "zh_hans": "简体中文", "ar": "العربية"},
)
PALETTE = switch(
    "palette", "Colours", green_up="Green up", red_up="Red up", colour_blind="Colour-blind"
)
THEME = switch("theme", "Theme", auto="Auto", light="Light", dark="Dark")
SWITCHES = (PALETTE, LANGUAGE, THEME)


def looks_of(request: HttpRequest) -> dict[str, str]:
    """Return the chosen value of each switch."""
    return {one.name: one.chosen(request.GET, request.COOKIES) for one in SWITCHES}


def look(get_response: Handler) -> Handler:
    """Answer in the chosen language, and keep what a link has chosen."""

    def respond(request: HttpRequest) -> HttpResponse:
        looks = looks_of(request)
        with translation.override(looks["language"]):
            response = get_response(request)
        for name, value in looks.items():
            if request.GET.get(name) == value:
                response.set_cookie(name, value, samesite="Lax")
        patch_vary_headers(response, ["Cookie"])
        return response

    return respond
