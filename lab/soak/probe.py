"""A process of the site reports its tasks and its role when it receives SIGUSR1."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import AppConfig

from django_fcs.tools.metrics import gauges
from lab.kit.places import BUILD

__all__ = ["FOLDER", "Answer", "Probe", "ask"]

FOLDER = BUILD / "soak"

#: A process answers the signal within this time, unless it is too busy.
ANSWER_SECONDS = 0.5

#: How often a process runs a full garbage collection. By itself Python does so only when a
#: quarter of the objects are new. The garbage until then, a quarter of an hour, is no growth.
COLLECT_SECONDS = 30


class Answer(NamedTuple):
    """The answer of a process."""

    tasks: int | None = None
    """Tasks of its event loop; ``None`` if it has no loop."""
    leads: bool = False
    """Whether it is the leader of the streams."""


class Probe(AppConfig):
    """An app that makes the processes of the site answer."""

    name = "lab.soak"
    folder = FOLDER

    def ready(self) -> None:
        """Handle SIGUSR1 from now on, and write a file, so that ``ask`` signals this process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._collected_at = 0.0
        signal.signal(signal.SIGUSR1, self._answer)
        self._write(Answer())

    def _answer(self, *_: Any) -> None:
        try:
            tasks = len(asyncio.all_tasks())
        except RuntimeError:
            tasks = None  # The loop is not running yet, or has ended.
        self._write(Answer(tasks, bool(gauges().get("stream_leader"))))
        if time.monotonic() - self._collected_at > COLLECT_SECONDS:
            gc.collect()
            self._collected_at = time.monotonic()

    def _write(self, answer: Answer) -> None:
        path = _path(self.folder, os.getpid())
        new = path.with_suffix(".new")
        new.write_text(json.dumps(answer))
        new.replace(path)


def _path(folder: Path, pid: int) -> Path:
    return folder / f"probe-{pid}.json"


def ask(pids: Iterable[int], folder: Path = FOLDER) -> dict[int, Answer]:
    """Return the answers of processes, without those that are not ready.

    It takes ``ANSWER_SECONDS``.
    """
    paths = {pid: path for pid in pids if (path := _path(folder, pid)).exists()}
    before = {pid: path.stat().st_mtime_ns for pid, path in paths.items()}
    for pid in before:
        os.kill(pid, signal.SIGUSR1)
    time.sleep(ANSWER_SECONDS)
    answered = [pid for pid, at in before.items() if paths[pid].stat().st_mtime_ns > at]
    return {pid: Answer(*json.loads(paths[pid].read_text())) for pid in answered}
