"""Let the wall clock of a process go wrong: ``FAULTS_CLOCK`` names a file with the seconds.

Python imports this by itself where the directory is on ``PYTHONPATH``, before anything
binds ``time.time``. The monotonic clock stays right, as it does on a real machine.
"""

from __future__ import annotations

import mmap
import os
import struct
import time


def _go_wrong(path: str) -> None:
    right = time.time
    with open(path, "rb") as file:
        told = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    read = struct.Struct("d").unpack_from

    def wrong() -> float:
        seconds: float = read(told)[0]
        return right() + seconds

    time.time = wrong


if "FAULTS_CLOCK" in os.environ:
    _go_wrong(os.environ["FAULTS_CLOCK"])
