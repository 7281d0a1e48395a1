"""The attributes that all elements of a symbol have, as one text: most of a template's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

from .spared import spared

__all__ = ["attributes_of"]

#: Attributes that are left out without a value.
_OPTIONAL = ("zone", "direction", "delay", "digits")


def attributes_of(context: Mapping[str, Any]) -> SafeString:
    """Write room, token, separators and state of a context as attributes of an element."""
    values = {name: context[name] for name in ("symbol", "timeframe", "token")}
    values |= {f"data-{name}": separator for name, separator in context["numbers"].items()}
    values["data-state"] = context["state"]
    values |= {f"data-{name}": context[name] for name in _OPTIONAL if context[name]}
    texts = [f'{name}="{_escaped(value)}"' for name, value in values.items()]
    return SafeString(" ".join(texts + ["announce"] if context["announce"] else texts))


def _escaped(value: str) -> str:
    text = spared(value)
    return text if isinstance(text, SafeString) else escape(text)
