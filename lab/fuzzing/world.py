"""What a target lives in: a loop whose time passes at once, and ears for complaints."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.support.virtual_time import Loop

__all__ = ["Complaint", "World"]

#: Turns of the loop one input may take: what needs more runs in circles.
TURNS_MAX = 200_000

#: Tasks are counted after every so many inputs: that takes as long as a short one.
LOOK_EVERY = 16

T = TypeVar("T")


class Complaint(Exception):
    """Something was said to a log that nobody should have to say."""


class _Ears(logging.Handler):
    """Hears errors of this project and of asyncio."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


class World(Loop):
    """A loop that ends what runs in circles, and fails who leaves complaints or tasks.

    Args:
        tasks_max: How many tasks may be there between two inputs.
    """

    def __init__(self, tasks_max: int) -> None:
        super().__init__()
        self._tasks_max = tasks_max
        self._turns = self._lives = 0
        self._ears = _Ears()
        for name in ("django_fcs", "asyncio"):
            logging.getLogger(name).addHandler(self._ears)
        self.set_exception_handler(lambda _, context: self._ears.heard.append(repr(context)))

    def live(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end; raises what it raises, and what it left behind."""
        self._turns = 0
        result = self.run_until_complete(coroutine)
        if self._ears.heard:
            heard, self._ears.heard = self._ears.heard, []
            raise Complaint("\n".join(heard))
        if self._lives % LOOK_EVERY == 0:
            left = asyncio.all_tasks(self)
            assert len(left) <= self._tasks_max, f"{len(left)} tasks are left: {left}"
        self._lives += 1
        return result

    def _run_once(self) -> None:
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise RuntimeError(f"runs in circles: {asyncio.all_tasks(self)}")
        super()._run_once()  # type: ignore[misc]

    def end(self) -> None:
        """Close the loop, whatever is left in it."""
        for name in ("django_fcs", "asyncio"):
            logging.getLogger(name).removeHandler(self._ears)
        self.close()
