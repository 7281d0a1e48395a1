"""The processes of a measurement: start them, send commands, measure them, end them."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.memory import Weight, weigh
from tests.support.network import answers

from .places import BUILD, ROOT

__all__ = ["Failed", "Process", "Worker", "prepare", "wait_until"]

_START_SECONDS = 20


class Failed(Exception):
    """A process failed; the text contains the end of its log."""


def prepare() -> None:
    """Prepare this process to start others: end them on SIGTERM, and allow many sockets.

    SIGTERM then leaves all ``with`` blocks, which end the child processes.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Both ends of every socket are on this machine.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_until(port: int, process: Process) -> None:
    """Wait until a process listens; raise ``Failed`` if it ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.popen.poll() is None:
        if answers(port):
            return
        time.sleep(0.02)
    raise Failed(f"{process.name} does not listen: {process.last_output()}")


class Process:
    """A process that runs within a ``with`` block; its log is in ``folder``."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        folder: Path = BUILD,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self.popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if isinstance(self, Worker) else log,
                stderr=log,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        # No clean shutdown is needed, and closing 2,000 connections takes time.
        self.popen.kill()
        self.popen.wait(10)
        for pipe in (self.popen.stdin, self.popen.stdout):
            # A command that could not be sent is still in the buffer.
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()

    def last_output(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def cpu_ns(self) -> int:
        """Return the processor time of all its threads, in nanoseconds."""
        total = 0
        for task in Path(f"/proc/{self.popen.pid}/task").iterdir():
            with suppress(OSError):  # a thread that just ended
                total += int((task / "schedstat").read_text().split()[0])
        return total

    def memory(self) -> Weight:
        """Return its memory use."""
        return weigh(self.popen.pid)


class Worker(Process):
    """A process of a module that answers JSON lines with JSON lines; see ``lab.kit.worker``."""

    def __init__(self, module: str, *arguments: str, folder: Path = BUILD) -> None:
        name = module.rpartition(".")[2]
        super().__init__(name, [sys.executable, "-m", module, *arguments], folder=folder)
        self._read = b""

    def __enter__(self) -> Worker:
        return self

    def ask(self, timeout: float = 30, **command: Any) -> dict[str, Any]:
        """Send a command and return the answer; raise ``Failed`` if there is none."""
        assert self.popen.stdin and self.popen.stdout
        with suppress(BrokenPipeError):
            self.popen.stdin.write(json.dumps(command).encode() + b"\n")
            self.popen.stdin.flush()
        deadline = time.monotonic() + timeout
        while b"\n" not in self._read:
            pause = max(0.0, deadline - time.monotonic())
            readable = select.select([self.popen.stdout], [], [], pause)[0]
            data = os.read(self.popen.stdout.fileno(), 65536) if readable else b""
            if not data:
                raise Failed(f"{self.name} gave no answer to {command}: {self.last_output()}")
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer
