"""A clock that also counts the time in which the machine was suspended."""

from __future__ import annotations

import time
from functools import partial

__all__ = ["since_boot"]

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)

#: Monotonic seconds, time in suspension included if the system supports it. On Linux,
#: ``time.monotonic`` does not include it. It must be fast: a hub calls it twice per price.
since_boot = time.monotonic if _BOOT is None else partial(time.clock_gettime, _BOOT)
