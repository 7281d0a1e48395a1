"""Where this site keeps last values, and whether this process streams."""

from __future__ import annotations

import asyncio

from .conf import conf
from .layer.bus import layer_is_in_memory
from .prices.store import CacheStore, MemoryStore, Store
from .sharing.mark import site_mark

__all__ = ["is_idle", "site_store", "streams"]

_memory = MemoryStore()
_caches: dict[str, CacheStore] = {}

#: The stream of each event loop of this process; ``embedded`` starts and stops them.
streams: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def site_store() -> Store:
    """Return the store of this site's last values. Raises ``ConfigurationError``."""
    site_mark()
    if layer_is_in_memory():
        return _memory
    alias = conf.FCS_CACHE
    if alias not in _caches:
        _caches[alias] = CacheStore(alias)
    return _caches[alias]


def is_idle() -> bool:
    """Return whether this process would stream by itself, but nobody has joined yet."""
    return layer_is_in_memory() and not streams
