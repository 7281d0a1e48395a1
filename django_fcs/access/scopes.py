"""The scope of one socket, with its session and user as they are now."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from django_fcs.tools.clocks import since_boot

from .authorizer import Authorizer

__all__ = ["SocketScope"]

#: A socket joins its rooms soon after its handshake, which has just read session and user.
FRESH_SECONDS = 30


class SocketScope:
    """What ``FCS_AUTHORIZE`` is told about a socket; read again if it is older than ``fresh``."""

    def __init__(
        self,
        scope: Mapping[str, Any],
        authorizer: Authorizer,
        *,
        fresh: float = FRESH_SECONDS,
        monotonic: Callable[[], float] = since_boot,
    ) -> None:
        self._scope = scope
        self._authorizer = authorizer
        self._fresh = fresh
        self._monotonic = monotonic
        self._read_at = monotonic()
        self._failed_at = -math.inf
        self._wanted = self._read = 0
        """How often ``expire`` was called by now, and before the last reading began."""
        self._lock = asyncio.Lock()

    def expire(self) -> None:
        """Make the next call of ``current`` read session and user again."""
        self._wanted += 1

    async def current(self) -> Mapping[str, Any] | None:
        """Return the scope; ``None`` if session and user could not be read in time."""
        asked_at = self._monotonic()
        async with self._lock:
            if self._failed_at > asked_at:
                return None  # Else a hundred joins would wait for a hundred time limits in turn.
            now = self._monotonic()
            if self._read != self._wanted or now - self._read_at > self._fresh:
                wanted = self._wanted
                scope = await self._authorizer.refreshed(self._scope)
                if scope is None:
                    self._failed_at = self._monotonic()
                    return None
                self._scope, self._read_at, self._read = scope, now, wanted
            return self._scope
