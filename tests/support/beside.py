"""What management commands need around them that run in the test's own process."""

from __future__ import annotations

import asyncio
import io
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from django_fcs.simulator import Faults, Simulator
from django_fcs.simulator.sources import Source


@contextmanager
def simulator_beside(source: Source, *, faults: Faults | None = None) -> Iterator[Simulator]:
    """Run a simulator in a thread of its own, as a command blocks this one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    simulator = Simulator(source, faults=faults)
    run(simulator.__aenter__())
    try:
        yield simulator
    finally:
        run(simulator.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class Terminal(io.StringIO):
    """An output in which a command is ended, by a signal, once it has said enough."""

    def __init__(self, *enough: str, isatty: bool = False, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self._enough = enough
        self._isatty = isatty
        self._number = number

    def isatty(self) -> bool:
        return self._isatty

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._enough and all(part in self.getvalue() for part in self._enough):
            self._enough = ()
            signal.raise_signal(self._number)
        return written


@contextmanager
def safe_signals() -> Iterator[None]:
    """Keep a signal that no command has taken from ending the tests themselves."""

    def fail(number: int, frame: object) -> None:
        raise AssertionError(f"nobody handled signal {number}")

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, fail) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
