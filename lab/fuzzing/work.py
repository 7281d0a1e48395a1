"""The process in which a target runs, so that a crash or hang affects nothing else."""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import django

from tests.support.memory import resident

from .targets import TARGETS, draw

__all__ = ["Done", "Failure", "Sample", "work"]

#: How often the memory of the process is measured in a run.
SAMPLES = 50

#: The run stops after this many failures.
FAILURES_MAX = 10


@dataclass(frozen=True)
class Sample:
    """The memory of the process after a number of inputs."""

    inputs: int
    rss_kb: int
    objects: int
    """Blocks of memory that Python's allocator has handed out and that are not freed."""


@dataclass(frozen=True)
class Failure:
    """An input that failed."""

    number: int
    kind: str
    text: str


@dataclass(frozen=True)
class Done:
    """The end of a run; seconds are processor time."""

    seconds: float
    slowest: float
    slowest_number: int


def work(
    name: str,
    seed: int,
    numbers: range,
    progress: Any,
    pipe: Connection,
    *,
    samples: int = SAMPLES,
) -> None:
    """Run a target, report through the pipe, and store the current number in ``progress``."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.fuzzing.settings"
    django.setup()
    began = time.process_time()
    # websockets searches the whole environment for proxies at each connection.
    os.environ.clear()
    worker = _Worker(name, seed, numbers, progress, pipe, samples)
    while worker.number < numbers.stop and worker.failures < FAILURES_MAX:
        worker.go_on()
    seconds = time.process_time() - began
    pipe.send(Done(seconds, worker.slowest, worker.slowest_number))


class _Worker:
    def __init__(
        self,
        name: str,
        seed: int,
        numbers: range,
        progress: Any,
        pipe: Connection,
        samples: int,
    ) -> None:
        self._name, self._seed, self._numbers = name, seed, numbers
        self._progress = progress
        self._pipe = pipe
        self._every = max(1, len(numbers) // samples)
        self.number = numbers.start
        self.failures = 0
        self.slowest, self.slowest_number = 0.0, 0

    def go_on(self) -> None:
        """Run a target until it fails, or to the end."""
        try:
            with TARGETS[self._name]() as target:
                while self.number < self._numbers.stop:
                    self._progress.value = self.number
                    thing = draw(self._name, self._seed, self.number)
                    began = time.process_time()
                    target.feed(thing)
                    self._count(time.process_time() - began)
        except Exception as error:
            self.failures += 1
            kind, text = type(error).__name__, traceback.format_exc()
            self._pipe.send(Failure(self.number, kind, text))
            self.number += 1

    def _count(self, seconds: float) -> None:
        if seconds > self.slowest:
            self.slowest, self.slowest_number = seconds, self.number
        self.number += 1
        if self.number % self._every == 0:
            gc.collect()
            rss_kb = resident(os.getpid()) // 1024
            self._pipe.send(Sample(self.number, rss_kb, sys.getallocatedblocks()))
