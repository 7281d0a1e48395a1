"""Wait for a condition, with a deadline; nothing in the tests waits for a fixed time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

#: A longer pause between two looks counts as this: then the machine stood still, not the code.
PAUSE_MAX_SECONDS = 0.5

#: How long to rest between two looks: a twentieth of the time waited so far. A look may ask a
#: browser or a server, and that takes time from what is waited for.
REST_SECONDS, REST_MAX_SECONDS = 0.005, 0.05


async def eventually(
    condition: Callable[..., Any | Awaitable[Any]], *, within: float = 20, what: str = ""
) -> Any:
    """Return the first true value of the condition; fail after ``within`` seconds of looking."""
    last, waited = time.monotonic(), 0.0
    while True:
        result = condition()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        now = time.monotonic()
        waited, last = waited + min(now - last, PAUSE_MAX_SECONDS), now
        if waited > within:
            raise AssertionError(f"not within {within} s: {what or inspect.getsource(condition)}")
        await asyncio.sleep(min(max(REST_SECONDS, waited / 20), REST_MAX_SECONDS))
