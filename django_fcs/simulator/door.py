"""Who may connect to the simulator's socket, and how others are refused."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from django_fcs.protocol import Refusal, serialise
from django_fcs.tools.logs import logger_of

from .faults import Faults
from .keys import accepts

__all__ = ["Door"]

logger = logger_of(__name__)


class Door:
    """Lets clients in by their keys; ``faults`` returns how the others are refused."""

    def __init__(self, keys: Collection[str] | None, faults: Callable[[], Faults]) -> None:
        self._keys = keys
        self._faults = faults

    async def answer_upgrade(self, socket: ServerConnection, request: Request) -> Response | None:
        """Refuse a bad key with an HTTP status if that is the fault; otherwise return nothing."""
        faults = self._faults()
        if faults.refusal != "http" or self.admits(request.path):
            return None
        response = socket.respond(faults.http_status, "Invalid access_key\n")
        if faults.retry_after:
            response.headers["Retry-After"] = faults.retry_after
        return response

    def admits(self, path: str) -> bool:
        """Tell whether the key in a path is accepted."""
        key = parse_qs(urlsplit(path).query).get("access_key", [""])[-1]
        return accepts(key, self._keys)

    async def refuse(self, socket: ServerConnection) -> None:
        """Close a connection that has a bad key."""
        faults = self._faults()
        logger.info("API key refused reason=%s", faults.refusal)
        if faults.refusal == "message":
            refusal = Refusal(short="authentication_failed", message="Invalid access_key")
            await socket.send(serialise(refusal))
            await socket.close()
        else:
            await socket.close(faults.close_code)
