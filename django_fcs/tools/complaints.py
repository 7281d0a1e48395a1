"""Which problems of a client were logged already: bad messages must not fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Complaints"]

CLIENTS_MAX = 1000
KINDS_MAX = 20
FORGET_SECONDS = 3600


class Complaints:
    """Remembers what was logged about each client, to log each kind of problem only once.

    Bound: ``CLIENTS_MAX`` clients with ``KINDS_MAX`` kinds each. Policy: the client known
    longest is forgotten, and further kinds of one client are not logged. Everything is
    forgotten after ``FORGET_SECONDS``: a problem that lasts for days is logged again.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._forget_at = monotonic() + FORGET_SECONDS
        self._kinds: dict[str, set[str]] = {}

    def is_new(self, client: str, kind: str) -> bool:
        """Tell whether to log this problem; True only the first time."""
        if self._monotonic() >= self._forget_at:
            self._forget_at = self._monotonic() + FORGET_SECONDS
            self._kinds.clear()
        kinds = self._kinds.get(client)
        if kinds is None:
            if len(self._kinds) >= CLIENTS_MAX:
                del self._kinds[next(iter(self._kinds))]
            kinds = self._kinds[client] = set()
        if kind in kinds or len(kinds) >= KINDS_MAX:
            return False
        kinds.add(kind)
        return True
