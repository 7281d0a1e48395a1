"""From which addresses a room is watched, as the stream learns it: by hashes."""

from __future__ import annotations

import functools
from itertools import islice

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from django_fcs.layer.events import HASH_LENGTH, HASHES_MAX, Hashes

__all__ = ["Viewers"]

_SALT = "django_fcs.fanout.viewers"


class Viewers:
    """The addresses from which browsers of one process watch a room; "" is one not known."""

    __slots__ = ("_browsers",)

    def __init__(self) -> None:
        self._browsers: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._browsers)

    def add(self, address: str) -> None:
        """Add a browser."""
        self._browsers[address] = self._browsers.get(address, 0) + 1

    def discard(self, address: str) -> None:
        """Remove a browser that was added."""
        self._browsers[address] -= 1
        if not self._browsers[address]:
            del self._browsers[address]

    def hashes(self) -> Hashes:
        """Return the hashes of up to two addresses; none if an address is not known.

        Without an address, all browsers behind a Unix socket would seem to be one.
        """
        if "" in self._browsers:
            return ()
        try:
            secret = settings.SECRET_KEY
        except ImproperlyConfigured:
            return ()  # Without a key, the hash of an address reveals it.
        return tuple(_hash(address, secret) for address in islice(self._browsers, HASHES_MAX))


@functools.lru_cache(maxsize=4096)
def _hash(address: str, secret: str | bytes) -> str:
    keyed = salted_hmac(_SALT, address, secret=secret, algorithm="sha256")
    return keyed.hexdigest()[:HASH_LENGTH]
