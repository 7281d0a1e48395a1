"""Attributes as one text: each variable of a template costs as much as a cell of a table."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from django.utils.safestring import SafeString

from .spared import escaped

__all__ = ["attributes_of", "data_of", "spelling_of", "written"]

_ROOM = ("symbol", "timeframe", "token")
_STATE = ("zone", "state", "direction", "delay", "digits")


def written(values: Mapping[str, str]) -> SafeString:
    """Write the attributes that have a value."""
    return _pairs({name: value for name, value in values.items() if value})


def attributes_of(context: Mapping[str, Any], own: Mapping[str, str | None]) -> SafeString:
    """Write room, token, separators and state of a context for an element of ours.

    The element's ``own`` attributes follow those of the room, save those that are ``None``.
    """
    given = {name: value for name, value in own.items() if value is not None}
    room = _pairs({**{name: context[name] for name in _ROOM}, **given})
    numbers = spelling_of(context["numbers"])
    state = data_of({name: context[name] for name in _STATE})
    return SafeString(f"{room}{' announce' if context['announce'] else ''} {numbers} {state}")


def spelling_of(numbers: Mapping[str, str]) -> SafeString:
    """Write separators as attributes; an empty one is one, too: Chinese has no thousands."""
    return _spelling(tuple(numbers.items()))


# All widgets of a page have the same.
@functools.lru_cache(maxsize=64)
def _spelling(numbers: tuple[tuple[str, str], ...]) -> SafeString:
    return _pairs({f"data-{name}": separator for name, separator in numbers})


def data_of(values: Mapping[str, str]) -> SafeString:
    """Write the values as ``data-`` attributes."""
    return written({f"data-{name}": value for name, value in values.items()})


def _pairs(values: Mapping[str, str]) -> SafeString:
    pairs = [f'{name}="{escaped(one)}"' for name, one in values.items()]
    return SafeString(" ".join(pairs))
