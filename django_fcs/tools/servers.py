"""How a server of asyncio ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

__all__ = ["stop_accepting"]


class Listener(Protocol):
    """A socket that listens."""

    def fileno(self) -> int: ...


async def stop_accepting(listeners: Iterable[Listener]) -> None:
    """Accept no more connections; wait until those already accepted have a transport.

    Call it before the server closes: asyncio leaks a connection that it accepts meanwhile.
    https://github.com/python/cpython/issues/109564
    """
    loop = asyncio.get_running_loop()
    for listener in listeners:
        try:
            loop.remove_reader(listener.fileno())
        except (NotImplementedError, RuntimeError):
            return  # not a loop of selectors
    await asyncio.sleep(0)  # for the transport
    await asyncio.sleep(0)  # for connection_made
