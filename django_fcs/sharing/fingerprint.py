"""What tells two sites in one Redis database apart: a short hash of ``FCS_URL`` and the key."""

from __future__ import annotations

import hashlib

from django_fcs.conf import conf

__all__ = ["fingerprint"]

#: Each guess of a key costs some ten milliseconds.
_ROUNDS = 100_000

#: Sites are few, so 32 bits tell them apart. They fit far too many keys to reveal one.
_BYTES = 4


def fingerprint() -> str:
    """Return 8 hexadecimal digits that depend on ``FCS_URL`` and ``FCS_API_KEY``, "" without a key.

    They are stored in Redis. A call takes some ten milliseconds. Raises ``ConfigurationError``.
    """
    key, url = conf.FCS_API_KEY, conf.FCS_URL
    if not key:
        return ""
    salt = f"fcs {url}".encode()
    return hashlib.pbkdf2_hmac("sha256", key.encode(), salt, _ROUNDS, _BYTES).hex()
