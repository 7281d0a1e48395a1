"""The streams of a connection that redis-py has opened. Their names are private."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Connection

from .wire import Wire

__all__ = ["missing_names", "wire_of"]

_NAMES = ("_reader", "_writer")


def missing_names() -> list[str]:
    """Return the names that ``wire_of`` needs and the installed redis-py does not have."""
    # Only instances have them. This one is never connected.
    connection = Connection()
    return [name for name in _NAMES if not hasattr(connection, name)]


def wire_of(connection: Any) -> Wire:
    """Return a ``Wire`` over a connection of redis-py that is open."""
    return Wire(connection._reader, connection._writer)
