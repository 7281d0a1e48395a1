"""A loop on which time passes only while nothing else can happen, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

#: What a turn of the loop takes. In none at all, a wait of less than a clock can tell never ends.
TURN_SECONDS = 1e-9


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Skip the wait: nobody outside will ever write to this loop."""
        if timeout is None:
            raise RuntimeError("nothing is left that could happen")
        self.now += max(TURN_SECONDS, timeout)
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)
        # Debug mode keeps a stack for each timer: ten times the time, for loops that read nothing.
        self.set_debug(False)

    def time(self) -> float:
        return self._clock.now


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end; whatever then still runs is a leak."""
    loop = Loop()
    try:
        loop.run_until_complete(coroutine)
        left = asyncio.all_tasks(loop)
        assert not left, f"still running: {left}"
    finally:
        loop.close()
