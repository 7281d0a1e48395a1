"""Attributes as one text: each variable of a template costs as much as a cell of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from .spared import spared

__all__ = ["attributes_of", "data_of", "spelling_of", "written"]

_ROOM = ("symbol", "timeframe", "token")
_STATE = ("zone", "state", "direction", "delay", "digits")


def written(values: Mapping[str, str]) -> SafeString:
    """Write the attributes that have a value."""
    return _pairs({name: value for name, value in values.items() if value})


def attributes_of(context: Mapping[str, Any]) -> SafeString:
    """Write room, token, separators and state of a context for an element of ours."""
    room = _pairs({name: context[name] for name in _ROOM})
    numbers = spelling_of(context["numbers"])
    state = data_of({name: context[name] for name in _STATE})
    return SafeString(f"{room}{' announce' if context['announce'] else ''} {numbers} {state}")


def spelling_of(numbers: Mapping[str, str]) -> SafeString:
    """Write separators as attributes; an empty one is one, too: Chinese has no thousands."""
    return _pairs({f"data-{name}": separator for name, separator in numbers.items()})


def data_of(values: Mapping[str, str]) -> SafeString:
    """Write the values as ``data-`` attributes."""
    return written({f"data-{name}": value for name, value in values.items()})


def _pairs(values: Mapping[str, str]) -> SafeString:
    pairs = [f'{name}="{conditional_escape(spared(one))}"' for name, one in values.items()]
    return SafeString(" ".join(pairs))
