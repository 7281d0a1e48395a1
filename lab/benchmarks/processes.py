"""Processes of a measurement: start, ask, weigh, end."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = [
    "BUILD",
    "ROOT",
    "Failed",
    "Process",
    "Worker",
    "free_port",
    "processor_ticks",
    "wait_until",
]

ROOT = Path(__file__).parents[2]
BUILD = Path(__file__).parent / "build"

_START_SECONDS = 20


class Failed(Exception):
    """A process did not do what it was started for; the text says what it wrote last."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def processor_ticks() -> tuple[int, int]:
    """Return what the host took away so far, and all time, of all processors."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return int(fields[7]), sum(map(int, fields))


def wait_until(port: int, process: Process) -> None:
    """Wait until a process listens; raises ``Failed`` where it ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.popen.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Failed(f"{process.name} does not listen: {process.last_words()}")


class Process:
    """One process, ended when the ``with`` block is left; what it logs goes to ``build``."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        BUILD.mkdir(exist_ok=True)
        self.name = name
        self._log = BUILD / f"{name}.log"
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
        # Nothing of it is needed any more, and 2,000 goodbyes take their time.
        self.popen.kill()
        self.popen.wait(10)

    def last_words(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def cpu_ns(self) -> int:
        """Return how long all its threads were on a processor, in nanoseconds."""
        total = 0
        for task in Path(f"/proc/{self.popen.pid}/task").iterdir():
            with suppress(OSError):  # a thread that just ended
                total += int((task / "schedstat").read_text().split()[0])
        return total

    def memory(self) -> dict[str, int]:
        """Return ``rss`` and ``pss`` (shared pages by their share), in bytes."""
        lines = Path(f"/proc/{self.popen.pid}/smaps_rollup").read_text().splitlines()[1:]
        kilobytes = {line.split(":")[0].lower(): int(line.split()[1]) for line in lines}
        return {name: kilobytes[name] * 1024 for name in ("rss", "pss")}


class Worker(Process):
    """A module of the benchmark that answers JSON lines with JSON lines."""

    def __init__(self, module: str, *arguments: str, package: str = "lab.benchmarks") -> None:
        command = [sys.executable, "-m", f"{package}.{module}", *arguments]
        super().__init__(module, command)
        self._read = b""

    def __enter__(self) -> Worker:
        return self

    def ask(self, timeout: float = 30, **command: Any) -> dict[str, Any]:
        """Send a command, wait for its answer; raises ``Failed`` where none comes."""
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
                raise Failed(f"{self.name} gave no answer to {command}: {self.last_words()}")
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer
