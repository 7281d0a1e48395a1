"""The run of one target in a watched process, and its outcome."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from lab.kit.places import BUILD
from lab.kit.statistics import slope

from .targets import draw
from .work import Done, Failure, Sample, work

__all__ = ["KEPT", "Outcome", "run"]

#: The folder for inputs that failed.
KEPT = BUILD / "fuzzing"

#: An input hangs if it takes more processor time than the first value, or more time on the
#: clock than the second, in seconds. The second is long because the machine may be busy.
HANG_CPU_SECONDS = 20
HANG_SECONDS = 300

#: The run ends after this many crashed or hanging processes.
DEATHS_MAX = 3

#: Memory is not measured during this many inputs, in which caches fill up.
WARM_UP_INPUTS = 40_000

#: Limits of growth per 100,000 inputs.
OBJECTS_MAX = 2000
RSS_KB_MAX = 2000


@dataclass
class Outcome:
    """The outcome of a run."""

    name: str
    seed: int
    inputs: int
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_number: int = 0
    failures: list[Failure] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def objects_growth(self) -> float:
        """Growth in blocks of memory per 100,000 inputs."""
        return _growth([(one.inputs, one.objects) for one in self.samples])

    @property
    def rss_growth(self) -> float:
        """Growth in resident kilobytes per 100,000 inputs."""
        return _growth([(one.inputs, one.rss_kb) for one in self.samples])

    @property
    def is_good(self) -> bool:
        """Whether no input failed and memory did not grow."""
        grew = self.objects_growth > OBJECTS_MAX or self.rss_growth > RSS_KB_MAX
        return not self.failures and not grew


def _growth(points: Sequence[tuple[float, float]]) -> float:
    warm = [point for point in points if point[0] > WARM_UP_INPUTS]
    return slope(warm) * 100_000 if len(warm) > 2 else 0.0


def run(name: str, seed: int, inputs: int) -> Outcome:
    """Run a target; inputs that fail are kept in ``lab/build/fuzzing``."""
    outcome = Outcome(name, seed, inputs)
    start, deaths = 0, 0
    while start < inputs and deaths < DEATHS_MAX:
        with _Watch(outcome, range(start, inputs)) as watch:
            death = watch.until_it_ends()
        if death is None:
            break
        outcome.failures.append(death)
        start, deaths = death.number + 1, deaths + 1
    for failure in outcome.failures:
        _keep(outcome, failure)
    return outcome


def _keep(outcome: Outcome, failure: Failure, folder: Path = KEPT) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    thing = draw(outcome.name, outcome.seed, failure.number)
    path = folder / f"{outcome.name}-{outcome.seed}-{failure.number}.txt"
    path.write_text(ascii(thing) + "\n")


class _Watch:
    """A process that runs a target until it is done, crashes or hangs."""

    def __init__(self, outcome: Outcome, numbers: range) -> None:
        self._outcome = outcome
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._progress: Any = context.Value("q", numbers.start, lock=False)
        arguments = (outcome.name, outcome.seed, numbers, self._progress, theirs)
        self._process: BaseProcess = context.Process(target=work, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def until_it_ends(self) -> Failure | None:
        """Collect its reports; return a ``Failure`` if it crashes or hangs."""
        seen, cpu, since = -1, 0.0, time.monotonic()
        while True:
            number = self._progress.value
            if number != seen:
                seen, cpu, since = number, self._cpu_seconds(), time.monotonic()
            try:
                if self._pipe.poll(1) and self._store(self._pipe.recv()):
                    return None
            except EOFError:
                self._process.join()
                return Failure(seen, f"crashed with exit code {self._process.exitcode}", "")
            waited = time.monotonic() - since
            if self._cpu_seconds() - cpu > HANG_CPU_SECONDS or waited > HANG_SECONDS:
                return Failure(seen, "hangs", f"{waited:.0f} s")

    def _store(self, report: Sample | Failure | Done) -> bool:
        """Store a report of the process; return True for the last one."""
        outcome = self._outcome
        if isinstance(report, Sample):
            outcome.samples.append(report)
        elif isinstance(report, Failure):
            outcome.failures.append(report)
        else:
            outcome.seconds += report.seconds
            outcome.slowest, outcome.slowest_number = report.slowest, report.slowest_number
        return isinstance(report, Done)

    def _cpu_seconds(self) -> float:
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
