"""How a template of this package becomes the HTML of a tag."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.template import TemplateDoesNotExist, loader
from django.template.backends.django import DjangoTemplates
from django.utils.safestring import SafeString

from .spared import spared

__all__ = ["render"]


def render(template: str, context: dict[str, Any]) -> SafeString:
    """Render a template of this package, or the site's own of the same name."""
    name = f"django_fcs/{template}.html"
    try:
        found = loader.get_template(name)
    except TemplateDoesNotExist:
        found = _own_templates().get_template(name)
    texts = {key: spared(value) for key, value in context.items() if type(value) is str}
    # A price is used in sentences, where a line break would show as a space.
    return SafeString(found.render({**context, **texts}).strip())


@cache
def _own_templates() -> DjangoTemplates:
    """Return an engine for sites whose engines do not search this package, such as Jinja2."""
    directory = Path(__file__).parents[1] / "templates"
    return DjangoTemplates(
        {"NAME": "django_fcs", "DIRS": [directory], "APP_DIRS": False, "OPTIONS": {}}
    )
