"""Wall clocks that can be set, of processes and of the vendor."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

HERE = Path(__file__).parent / "clock"


class WallClock:
    """A clock that is off by as much as it is told; see ``clock/sitecustomize.py``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self.shift(0.0)

    @property
    def env(self) -> dict[str, str]:
        """What makes a process go by it."""
        paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
        return {
            "FAULTS_CLOCK": str(self._path),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        }

    def shift(self, seconds: float) -> None:
        """Let it be off by so many seconds from now on."""
        self._seconds = seconds
        # In place: those that go by it have mapped this very file.
        with self._path.open("r+b" if self._path.exists() else "wb") as file:
            file.write(struct.pack("d", seconds))

    def set_to(self, at: float) -> None:
        """Let it show this unix time now."""
        self.shift(at - time.time())

    def __call__(self) -> float:
        return time.time() + self._seconds
