"""The event loop of a target: its time is virtual, and it collects logged errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.support.virtual_time import Loop

__all__ = ["Complaint", "World"]

#: Loop iterations that one input may take: an input that needs more is in an endless loop.
TURNS_MAX = 200_000

#: Tasks are counted once per this many inputs, because it takes as long as a short input.
LOOK_EVERY = 16

T = TypeVar("T")


class Complaint(Exception):
    """An error was logged."""


class _LogListener(logging.Handler):
    """Collects logged errors of this project and of asyncio."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


class World(Loop):
    """An event loop that raises on endless loops, logged errors, and tasks that are left.

    Args:
        tasks_max: How many tasks may exist between two inputs.
    """

    def __init__(self, tasks_max: int) -> None:
        super().__init__()
        self._tasks_max = tasks_max
        self._turns = self._lives = 0
        self._listener = _LogListener()
        for name in ("django_fcs", "asyncio"):
            logging.getLogger(name).addHandler(self._listener)
        self.set_exception_handler(lambda _, context: self._listener.heard.append(repr(context)))

    def live(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end.

        Raises its error, ``Complaint`` for logged errors, or ``AssertionError`` for tasks left.
        """
        self._turns = 0
        result = self.run_until_complete(coroutine)
        if self._listener.heard:
            heard, self._listener.heard = self._listener.heard, []
            raise Complaint("\n".join(heard))
        if self._lives % LOOK_EVERY == 0:
            left = asyncio.all_tasks(self)
            assert len(left) <= self._tasks_max, f"{len(left)} tasks are left: {left}"
        self._lives += 1
        return result

    def _run_once(self) -> None:
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise RuntimeError(f"endless loop: {asyncio.all_tasks(self)}")
        super()._run_once()  # type: ignore[misc]

    def end(self) -> None:
        """Close the loop, even if tasks are left in it."""
        for name in ("django_fcs", "asyncio"):
            logging.getLogger(name).removeHandler(self._listener)
        self.close()
