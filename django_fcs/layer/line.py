"""Question and answer with one Redis server, beside all that is published there."""

from __future__ import annotations

import asyncio
from typing import Any

from .wire import Reply, Wire, close_sentinels, command

__all__ = ["Line"]


class Line:
    """One connection, opened when needed; a second question waits for the first answer.

    Args:
        pool: A ``ConnectionPool`` of redis-py, whose ``make_connection`` knows of TLS,
            passwords and Sentinel. It is asked anew after each failure, so that the
            next connection leads to the master of that moment.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._connection: Any = None
        self._wire: Wire | None = None
        self._asking = asyncio.Lock()

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return the answer; raises what redis-py or ``Wire`` raises.

        Who fails or is cancelled leaves no connection behind: the answer to this
        question would be taken for the answer to the next.
        """
        async with self._asking:
            wire, self._wire = self._wire, None
            try:
                if wire is None:
                    wire = await self._opened()
                await wire.send([command(*words)])
                answers: list[Reply] = []
                while not answers:
                    # A list is a push of RESP3, and answers nothing.
                    answers = [one for one in await wire.receive() if not isinstance(one, list)]
                self._wire = wire
            finally:
                if self._wire is None:
                    await self.close()
            return answers[0]

    async def close(self) -> None:
        """End the connection at once; the next question opens another."""
        connection, self._connection, self._wire = self._connection, None, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await close_sentinels(self._pool)

    async def _opened(self) -> Wire:
        self._connection = self._pool.make_connection()
        await self._connection.connect()
        return Wire(self._connection._reader, self._connection._writer)
