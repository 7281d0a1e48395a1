"""What a process holds, as the system sees it and as it says itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Process

from .probe import answer_of, can_answer

__all__ = ["Sample", "look"]

#: A process that gets its signal answers within this, unless it is busier than that.
ANSWER_SECONDS = 0.5


@dataclass(frozen=True)
class Sample:
    """One look at one process."""

    at: float
    """Seconds since the start of the run."""
    name: str
    pid: int
    rss_kb: int
    files: int
    """Open file descriptors, sockets included."""
    sockets: int
    tasks: int | None
    """Of its event loop; ``None`` where it has none."""


def look(processes: Mapping[str, Process], at: float) -> list[Sample]:
    """Look at all processes that are alive; takes ``ANSWER_SECONDS``."""
    alive = {name: it.popen.pid for name, it in processes.items() if it.popen.poll() is None}
    for pid in alive.values():
        if can_answer(pid):
            os.kill(pid, signal.SIGUSR1)
    time.sleep(ANSWER_SECONDS)
    samples = []
    for name, pid in alive.items():
        with suppress(OSError):  # It has just ended.
            samples.append(_look_at(name, pid, at))
    return samples


def _look_at(name: str, pid: int, at: float) -> Sample:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    links = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            links.append(os.readlink(file))
    return Sample(
        at=at,
        name=name,
        pid=pid,
        rss_kb=pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        files=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        tasks=answer_of(pid) if can_answer(pid) else None,
    )
