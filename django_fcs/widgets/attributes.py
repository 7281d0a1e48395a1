"""Attributes as one text: each variable of a template costs as much as a cell of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from .spared import spared

__all__ = ["attributes_of", "data_of", "written"]

_ROOM = ("symbol", "timeframe", "token")
_STATE = ("zone", "state", "direction", "delay", "digits")


def written(values: Mapping[str, str]) -> SafeString:
    """Write the attributes that have a value."""
    pairs = [
        f'{name}="{conditional_escape(spared(value))}"' for name, value in values.items() if value
    ]
    return SafeString(" ".join(pairs))


def attributes_of(context: Mapping[str, Any]) -> SafeString:
    """Write room, token, separators and state of a context for an element of ours."""
    room = written({name: context[name] for name in _ROOM})
    more = data_of({**context["numbers"], **{name: context[name] for name in _STATE}})
    return SafeString(f"{room} announce {more}" if context["announce"] else f"{room} {more}")


def data_of(values: Mapping[str, str]) -> SafeString:
    """Write the values as ``data-`` attributes."""
    return written({f"data-{name}": value for name, value in values.items()})
