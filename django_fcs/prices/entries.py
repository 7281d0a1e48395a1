"""The entries of the cache: JSON texts, which a reader does not trust.

Anybody may have written to the site's cache: another version of this project, other code, a
process that was killed. A malformed entry counts as missing, and no other entry is affected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from django_fcs.sharing.mark import marked
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count

__all__ = [
    "VERSION",
    "Cache",
    "WritableCache",
    "decode",
    "drop_malformed",
    "encode",
    "found_in",
    "key_of",
]

logger = logger_of(__name__)

#: Raise it with every change of the stored format, so that versions never read each other's.
VERSION = 4

#: The longest entry that is decoded: a report with 100,000 rooms, in characters.
ENTRY_MAX = 8 * 1024 * 1024

#: This key is never written. Reading it shows whether the cache works at all.
_NEVER_WRITTEN = "fcs:never-written"

T = TypeVar("T")


class Cache(Protocol):
    """What is read of a cache of Django."""

    def get(self, key: str) -> Any:
        """Return the content of a key; may raise anything."""

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the contents of the keys that are there; may raise anything."""


class WritableCache(Cache, Protocol):
    """What is written to a cache of Django."""

    def set_many(self, data: dict[str, Any], timeout: int) -> Any:
        """Store some keys; may raise anything, and may return the keys that it did not store."""


def key_of(name: str, mark: str) -> str:
    """Return the key of an entry, on a site with this mark."""
    return marked(f"fcs:{VERSION}:{name}", mark)


def encode(value: msgspec.Struct) -> str:
    """Return the content of a key."""
    return msgspec.json.encode(value).decode()


def decode(found: object, kind: type[T]) -> T | None:
    """Read the content of a key; ``None`` if it is missing, or malformed, which is counted."""
    if found is None:
        return None
    try:
        if not isinstance(found, (str, bytes)) or len(found) > ENTRY_MAX:
            raise TypeError(f"not a text of at most {ENTRY_MAX} characters")
        return msgspec.json.decode(found, type=kind)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        drop_malformed(error)
        return None


def drop_malformed(error: Exception) -> None:
    """Count a malformed entry, and log it now and then."""
    if count("store_malformed"):
        logger.warning("malformed cache entry ignored reason=%s", error)


def found_in(cache: Cache, keys: list[str]) -> Mapping[str, Any]:
    """Return the contents of these keys; raise what the cache raises if it does not work.

    A cache that unpickles may fail at a single content. Then the keys are read one by one.
    """
    try:
        found = cache.get_many(keys)
    except Exception:
        if not _works(cache):
            raise
        found = _one_by_one(cache, keys)
    return found if isinstance(found, Mapping) else {}


def _works(cache: Cache) -> bool:
    try:
        cache.get(_NEVER_WRITTEN)
    except Exception:
        return False
    return True


def _one_by_one(cache: Cache, keys: list[str]) -> dict[str, Any]:
    found = {}
    for key in keys:
        try:
            found[key] = cache.get(key)
        except Exception as error:  # Whatever the content raises when it is unpickled.
            drop_malformed(error)
    return found
