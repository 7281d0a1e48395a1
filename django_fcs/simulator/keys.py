"""Which keys the simulator accepts."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qs, urlsplit

__all__ = ["BAD_KEY", "is_accepted"]

#: A key that is refused even if all others are accepted.
BAD_KEY = "bad_key"


def is_accepted(path: str, keys: Collection[str] | None) -> bool:
    """Tell whether a request may connect.

    ``keys`` are the accepted ones; ``None`` accepts any except ``bad_key`` and "".
    """
    key = parse_qs(urlsplit(path).query).get("access_key", [""])[-1]
    return key not in ("", BAD_KEY) if keys is None else key in keys
