"""What a process holds, as the system sees it and as it says itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.kit.processes import Process
from tests.support.memory import resident

from .probe import Answer, ask

__all__ = ["LEADER", "STANDBY", "Sample", "alive", "all_told", "look"]

LEADER, STANDBY, REDIS = "leader", "standby", "redis"


@dataclass(frozen=True)
class Sample:
    """One look at one process."""

    at: float
    """Seconds since the start of the run."""
    name: str
    """Of a stream it is its part at that moment: ``LEADER`` or ``STANDBY``."""
    pid: int
    rss_kb: int
    files: int
    """Open file descriptors, sockets included."""
    sockets: int
    tasks: int | None
    """Of its event loop; ``None`` where it has none."""


def look(processes: Mapping[str, Process], at: float) -> list[Sample]:
    """Look at all processes that are alive; takes half a second.

    Of a stream that is too busy to say which part it has there is no sample.
    """
    pids = alive(processes)
    answers = ask(pids.values())
    samples = []
    for name, pid in pids.items():
        answer = answers.get(pid, Answer())
        if name.startswith("stream"):
            if pid not in answers:
                continue
            name = LEADER if answer.leads else STANDBY
        with suppress(OSError):  # It has just ended.
            samples.append(_look_at(name, pid, at, answer.tasks))
    return samples


def all_told(samples: Sequence[Sample]) -> bool:
    """Tell whether every process of the site was idle enough to say how many tasks it has."""
    return all(sample.tasks is not None for sample in samples if sample.name != REDIS)


def alive(processes: Mapping[str, Process]) -> dict[str, int]:
    """Return the process id of each that runs."""
    return {name: it.popen.pid for name, it in processes.items() if it.popen.poll() is None}


def _look_at(name: str, pid: int, at: float, tasks: int | None) -> Sample:
    links = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            links.append(os.readlink(file))
    return Sample(
        at=at,
        name=name,
        pid=pid,
        rss_kb=resident(pid) // 1024,
        files=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        tasks=tasks,
    )
