"""What the log has been told of whom: a flood of bad messages must not fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Complaints"]

CLIENTS_MAX = 1000
KINDS_MAX = 20
FORGET_SECONDS = 3600


class Complaints:
    """Tell what is new of a client from what was logged of it already.

    Bound: ``CLIENTS_MAX`` clients of ``KINDS_MAX`` kinds each. Policy: the client
    known longest is forgotten, more kinds of one client are not logged, and all is
    forgotten after ``FORGET_SECONDS``, as what goes on for days is worth another line.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._forget_at = monotonic() + FORGET_SECONDS
        self._kinds: dict[str, set[str]] = {}

    def is_new(self, client: str, kind: str) -> bool:
        """Tell whether this is worth a line in the log; it is so once."""
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
