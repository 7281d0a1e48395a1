"""Calls to one of Django's caches: one that fails or hangs delays nobody for long.

If the cache fails or is slow, this is logged once and the cache is not used for a while.
Callers never get its error.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError as FutureTimeoutError
from typing import TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from django_fcs.exceptions import ConfigurationError
from django_fcs.tools.logs import logger_of
from django_fcs.tools.redaction import reason_of
from django_fcs.tools.tasks import limited
from django_fcs.tools.worker import Worker

__all__ = ["CacheCalls"]

logger = logger_of(__name__)

#: How long a caller waits for the cache, and how long a failing cache is not used.
PATIENCE_SECONDS = 0.5
REST_SECONDS = 5

T = TypeVar("T")


class CacheCalls:
    """Calls one of Django's caches in one thread, through an instance of its own.

    Django's async cache calls would queue behind the site's ORM. Raises
    ``ConfigurationError`` if Django cannot make the cache.

    Args:
        alias: Its name in ``CACHES``.
        patience: How many seconds a caller waits for the cache.
        worker: The thread.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        alias: str,
        *,
        patience: float = PATIENCE_SECONDS,
        worker: Worker | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alias = alias
        self._monotonic = monotonic
        self._patience = patience
        self._thread = worker or Worker("fcs-cache")
        self._rests_until = 0.0
        self.failure = ""
        """Why the last call failed; empty if it did not."""
        try:
            self._caches = {os.getpid(): caches.create_connection(alias)}
        except Exception as error:  # A missing library, or whatever the backend raises.
            missing = isinstance(error, KeyError)
            reason = f"CACHES has no {error}" if missing else reason_of(error)
            raise ConfigurationError(f"FCS_CACHE names {alias!r}: {reason}") from None

    def ask(self, work: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return what ``work`` returns for the cache, or ``otherwise`` if the cache fails."""
        future = self._submit(work)
        if future is None:
            return otherwise
        try:
            result = future.result(self._patience)
        except Exception as error:
            future.cancel()  # Otherwise calls would queue up behind a call that hangs.
            return self._rest(error, otherwise)
        self.failure = ""
        return result

    async def aask(self, work: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return what ``ask`` returns, without blocking the loop."""
        future = self._submit(work)
        if future is None:
            return otherwise
        try:
            result = await limited(asyncio.wrap_future(future), self._patience)
        except Exception as error:
            return self._rest(error, otherwise)
        self.failure = ""
        return result

    def _submit(self, work: Callable[[BaseCache], T]) -> Future[T] | None:
        if self._monotonic() < self._rests_until:
            return None
        return self._thread.submit(lambda: work(self._cache))

    @property
    def _cache(self) -> BaseCache:
        """The connection of this process; that of a parent process would mix up the answers.

        Only the thread uses it. The parent's stays open: closing it could end it for both.
        """
        if os.getpid() not in self._caches:
            self._caches[os.getpid()] = caches.create_connection(self._alias)
        return self._caches[os.getpid()]

    def _rest(self, error: Exception, otherwise: T) -> T:
        """Stop using a failing cache for a while; log this once, not at each call."""
        self._rests_until = self._monotonic() + REST_SECONDS
        slow = isinstance(error, (FutureTimeoutError, asyncio.TimeoutError))
        reason = f"no answer in {self._patience} s" if slow else reason_of(error)
        if not self.failure:
            logger.warning("cache failed alias=%s reason=%s", self._alias, reason)
        self.failure = reason
        return otherwise
