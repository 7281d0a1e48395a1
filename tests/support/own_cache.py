"""A cache whose connections work only in the process that made them, as those of servers do."""

from __future__ import annotations

import os
from typing import Any

from django.core.cache.backends.locmem import LocMemCache


class OwnCache(LocMemCache):
    """Local memory, which a forked process inherits, behind a connection, which it must not use."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self._owner = os.getpid()

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        assert os.getpid() == self._owner, "this connection belongs to another process"
        return super().get(key, default, version)
