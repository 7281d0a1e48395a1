"""The resources of a process, from the system and from the process itself."""

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
    """The resources of one process at one moment."""

    at: float
    """Seconds since the start of the run."""
    name: str
    """Name of the process; for a stream ``LEADER`` or ``STANDBY``, its role at that moment."""
    pid: int
    rss_kb: int
    files: int
    """Open file descriptors, including sockets."""
    sockets: int
    tasks: int | None
    """Tasks of its event loop; ``None`` if it has no loop or did not answer."""


def look(processes: Mapping[str, Process], at: float) -> list[Sample]:
    """Return a sample of each running process; takes half a second.

    There is no sample of a stream that is too busy to report its role.
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
        with suppress(OSError):  # the process has just ended
            samples.append(_look_at(name, pid, at, answer.tasks))
    return samples


def all_told(samples: Sequence[Sample]) -> bool:
    """Tell whether every process of the site was idle enough to report its number of tasks."""
    return all(sample.tasks is not None for sample in samples if sample.name != REDIS)


def alive(processes: Mapping[str, Process]) -> dict[str, int]:
    """Return the process ids of the processes that are running."""
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
