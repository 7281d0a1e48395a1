"""A process of the site tells of itself, whenever it gets SIGUSR1."""

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

#: A process that gets its signal answers within this, unless it is busier than that.
ANSWER_SECONDS = 0.5

#: How often a process collects its garbage in full. By itself it does so when a quarter of
#: its objects are new: what waits until then, for a quarter of an hour, is no growth.
COLLECT_SECONDS = 30


class Answer(NamedTuple):
    """What a process says of itself."""

    tasks: int | None = None
    """Of its event loop; ``None`` where it has none."""
    leads: bool = False
    """Whether it is the stream that leads."""


class Probe(AppConfig):
    """An app of the soaked site."""

    name = "lab.soak"

    def ready(self) -> None:
        """Answer from now on; a file says so, as without it the signal would kill."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        self._collected_at = 0.0
        signal.signal(signal.SIGUSR1, self._answer)
        _write(Answer())

    def _answer(self, *_: Any) -> None:
        try:
            tasks = len(asyncio.all_tasks())
        except RuntimeError:
            tasks = None  # No loop runs yet, or none any more.
        _write(Answer(tasks, bool(gauges().get("stream_leader"))))
        if time.monotonic() - self._collected_at > COLLECT_SECONDS:
            gc.collect()
            self._collected_at = time.monotonic()


def _write(answer: Answer) -> None:
    path = _path(os.getpid())
    new = path.with_suffix(".new")
    new.write_text(json.dumps(answer))
    new.replace(path)


def _path(pid: int) -> Path:
    return FOLDER / f"probe-{pid}.json"


def ask(pids: Iterable[int]) -> dict[int, Answer]:
    """Ask processes that run; takes ``ANSWER_SECONDS``. Who cannot answer yet says nothing."""
    before = {pid: _path(pid).stat().st_mtime_ns for pid in pids if _path(pid).exists()}
    for pid in before:
        os.kill(pid, signal.SIGUSR1)
    time.sleep(ANSWER_SECONDS)
    told = [pid for pid, at in before.items() if _path(pid).stat().st_mtime_ns > at]
    return {pid: Answer(*json.loads(_path(pid).read_text())) for pid in told}
