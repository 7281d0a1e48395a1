"""What a machine is excused for that stood still, or has more to do than it can."""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path

TICK_SECONDS = 0.05

#: A timer that is later than this tells that the machine stood still: no process of a site can
#: then be held to seconds, and a lease of three may be lost.
STALL_SECONDS = 1.0


#: By how much later all may be that takes seconds, where more wants to run than can.
BUSY_SECONDS = 5.0


PRESSURE = Path("/proc/pressure/cpu")

#: Of all time, that in which somebody waited for a processor: more, and it is a busy machine.
BUSY_SHARE = 0.2


class Stalls:
    """How long the machine stood still at a time, or this process, since ``begin``."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was: it excuses nothing that comes."""
        self.longest = 0.0
        """In seconds."""
        self._began, self._waited = time.monotonic(), _waited_seconds()

    @property
    def is_held_up(self) -> bool:
        """Whether it was for so long that what takes seconds may have taken any time."""
        return self.longest > STALL_SECONDS

    @property
    def excuse(self) -> float:
        """By how many seconds what was to be in time may be late."""
        return self.longest + (BUSY_SECONDS if self._is_busy else 0.0)

    @property
    def _is_busy(self) -> bool:
        if self._waited is None:
            return os.getloadavg()[0] > (os.cpu_count() or 1)
        waited = (_waited_seconds() or 0.0) - self._waited
        return waited > BUSY_SHARE * (time.monotonic() - self._began)

    async def watch(self) -> None:
        """Take note for as long as this runs."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            self.longest = max(self.longest, time.monotonic() - began - TICK_SECONDS)


def _waited_seconds() -> float | None:
    """Return for how long in all somebody has waited for a processor; None where none tells.

    https://docs.kernel.org/accounting/psi.html
    """
    try:
        told = PRESSURE.read_text()
    except OSError:
        return None
    found = re.search(r"some .*total=(\d+)", told)
    return int(found[1]) / 1e6 if found else None
