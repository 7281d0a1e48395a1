"""What this site has: where it keeps last values."""

from __future__ import annotations

from .conf import conf
from .layer.bus import layer_is_in_memory
from .prices.store import CacheStore, MemoryStore, Store

__all__ = ["site_store"]

_memory = MemoryStore()
_caches: dict[str, CacheStore] = {}


def site_store() -> Store:
    """Return where this site keeps last values; raises ``ConfigurationError``."""
    if layer_is_in_memory():
        return _memory
    alias = conf.FCS_CACHE
    if alias not in _caches:
        _caches[alias] = CacheStore(alias)
    return _caches[alias]
