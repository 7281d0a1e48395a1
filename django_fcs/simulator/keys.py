"""Which keys the simulator accepts."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["BAD_KEY", "accepts"]

#: A key that is refused even if all others are accepted.
BAD_KEY = "bad_key"


def accepts(key: str, keys: Collection[str] | None) -> bool:
    """Tell whether a key is one of the accepted ones.

    ``None`` accepts any except ``bad_key`` and "".
    """
    return key not in ("", BAD_KEY) if keys is None else key in keys
