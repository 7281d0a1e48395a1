"""Commands and answers on a connection to one Redis server, apart from all that is published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django_fcs.tools.fallbacks import warn_once

from .streams import missing_names, wire_of
from .wire import Reply, Wire, close_sentinels, command

__all__ = ["Line"]


class Line:
    """One connection, opened by the first command. A command waits for the answer to the last one.

    Args:
        pool: A ``ConnectionPool`` of redis-py. Its ``make_connection`` handles TLS,
            passwords and Sentinel. After each failure it makes a new connection, which
            leads to the server that is the master at that time.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._connection: Any = None
        self._ask: Callable[..., Awaitable[Reply]] | None = None
        self._asking = asyncio.Lock()

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return the answer. Raises what redis-py or ``Wire`` raises.

        A call that fails or is cancelled closes the connection. Otherwise the next
        command would receive the answer to this one.
        """
        async with self._asking:
            ask, self._ask = self._ask, None
            try:
                if ask is None:
                    ask = await self._opened()
                answer = await ask(*words)
                self._ask = ask
            finally:
                if self._ask is None:
                    await self.close()
            return answer

    async def close(self) -> None:
        """Close the connection at once. The next command opens another one."""
        connection, self._connection, self._ask = self._connection, None, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await close_sentinels(self._pool)

    async def _opened(self) -> Callable[..., Awaitable[Reply]]:
        connection = self._connection = self._pool.make_connection()
        await connection.connect()
        if missing := missing_names():
            warn_once("redis", *missing)
            return partial(_ask_with_public_calls, connection)
        return partial(_ask, wire_of(connection))


async def _ask(wire: Wire, *words: bytes) -> Reply:
    await wire.send([command(*words)])
    while True:
        for reply in await wire.receive():
            # A list is a push message of RESP3, not an answer.
            if not isinstance(reply, list):
                return reply


async def _ask_with_public_calls(connection: Any, *words: bytes) -> Reply:
    await connection.send_command(*words)
    reply: Any = await connection.read_response(disable_decoding=True)
    # ``Wire`` returns the digits.
    return b"%d" % reply if isinstance(reply, int) else reply
