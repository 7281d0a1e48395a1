"""Wait for a condition, with a deadline; nothing in the tests waits for a fixed time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def eventually(
    condition: Callable[[], Any | Awaitable[Any]], *, within: float = 20, what: str = ""
) -> Any:
    """Return the first true value of the condition; fail after ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or inspect.getsource(condition)}")
        await asyncio.sleep(0.005)
