"""Requests to ask for permissions again, from the channel layer to the code that asks."""

from __future__ import annotations

from django_fcs.layer.events import AskAgain
from django_fcs.tools.bell import Bell

__all__ = ["Requests"]

#: More requests than this are read as one for all clients. Any code of the site may send them.
REQUESTS_MAX = 1000


class Requests:
    """The requests that one task has yet to read."""

    def __init__(self) -> None:
        self._waiting: dict[AskAgain, None] = {}
        self._bell = Bell()

    def put(self, request: AskAgain) -> None:
        """Add a request; one that waits already is not added twice."""
        if len(self._waiting) >= REQUESTS_MAX:
            self._waiting = {AskAgain(): None}
        self._waiting[request] = None
        self._bell.ring()

    def wake(self) -> None:
        """Make the task return from ``heard``."""
        self._bell.ring()

    async def heard(self, seconds: float) -> list[AskAgain]:
        """Wait for requests, for ``wake`` or for a time; return the requests, oldest first."""
        await self._bell.heard(seconds)
        requests = list(self._waiting)
        self._waiting.clear()
        return requests
