"""A cache that falls ill when it is told to, and what the tests keep in it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache.backends.base import BaseCache

from django_fcs.prices.paths import PathReport
from django_fcs.prices.states import Expectation
from django_fcs.prices.store import LastValue
from django_fcs.rooms import Room

EURUSD, USDJPY = Room("FX:EURUSD", "1D"), Room("FX:USDJPY", "60")
EXPECTED = Expectation(True, 90.0, 1e9, 2e9)
VALUE, OTHER = LastValue('{"c":1.5}'), LastValue('{"c":"“é”"}', EXPECTED)
BEAT = PathReport(1700000000.25, online=False, reason="no route")

NOTHING: tuple[dict[Room, LastValue], None] = ({}, None)


class SickCache(BaseCache):
    """A cache that works, fails, or hangs until it is let go."""

    error: Exception | None = None
    released = threading.Event()
    calls: list[str] = []
    kept: dict[str, Any] = {}

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _suffer(self, name: str) -> None:
        self.calls.append(name)
        self.released.wait()
        if self.error is not None:
            raise self.error

    def set_many(self, data: Mapping[str, Any], timeout: Any = 0, version: Any = None) -> list[str]:
        self._suffer("set_many")
        self.kept.update(data)
        return []

    def get(self, key: str, default: Any = None, version: Any = None) -> Any:
        self._suffer("get")
        return self.kept.get(key, default)

    def get_many(self, keys: Iterable[str], version: Any = None) -> dict[str, Any]:
        self._suffer("get_many")
        return {key: self.kept[key] for key in keys if key in self.kept}


SICK = {"default": {"BACKEND": "tests.support.caches.SickCache"}}
