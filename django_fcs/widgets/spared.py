"""Texts that no engine needs to escape: escaping most values costs more than writing them."""

from __future__ import annotations

import re

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

__all__ = ["escaped", "spared"]

#: What ``escape`` of Django and of MarkupSafe replaces.
_ESCAPED = re.compile("[&<>\"']")


def spared(text: str) -> str:
    """Return a text that is marked as safe if escaping would leave it as it is."""
    return text if _ESCAPED.search(text) else SafeString(text)


def escaped(text: str) -> str:
    """Escape a text for HTML; one that is marked as safe stays as it is."""
    return conditional_escape(text) if _ESCAPED.search(text) else text
