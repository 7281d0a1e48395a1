"""The clock of what must notice that the machine slept."""

from __future__ import annotations

import time
from functools import partial

__all__ = ["since_boot"]

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)

#: Monotonic seconds that count a sleep of the machine, where the system does: those of Linux'
#: ``time.monotonic`` do not. A hub asks twice a price.
since_boot = time.monotonic if _BOOT is None else partial(time.clock_gettime, _BOOT)
