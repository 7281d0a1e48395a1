"""The widgets of the gallery, each made from the lines that stand beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.template import engines

from django_fcs.widgets.tags import TAGS
from example_project.exhibits import EXHIBITS, HERO, Exhibit

__all__ = ["Shown", "hero", "shown"]


@dataclass(frozen=True)
class Shown:
    """An exhibit on a page: its lines, and what they print there."""

    exhibit: Exhibit
    request: HttpRequest
    context: Mapping[str, Any]

    @cached_property
    def html(self) -> str:
        """Safe HTML."""
        source = "{% load fcs %}" + self.exhibit.source
        return engines["django"].from_string(source).render(dict(self.context), self.request)


def hero(request: HttpRequest) -> Shown:
    """Return the lines of the front page, which also bring the scripts of the whole page."""
    return Shown(HERO, request, {})


def shown(request: HttpRequest, context: Mapping[str, Any]) -> list[Shown]:
    return [Shown(one, request, context) for one in EXHIBITS if one.tag in TAGS]
