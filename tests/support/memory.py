"""What a process has in memory, in bytes, as Linux tells it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["Weight", "resident", "weigh"]


class Weight(NamedTuple):
    """What was counted page by page."""

    rss: int
    pss: int
    """A page that three processes share counts as a third."""


def resident(pid: int) -> int:
    """Return the resident memory as the kernel keeps count of it: cheap, but some pages behind."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def weigh(pid: int) -> Weight:
    """Return the memory as the kernel counts it now, page by page: exact, but slow."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0].lower(): int(line.split()[1]) for line in lines}
    return Weight(*(kilobytes[name] * 1024 for name in Weight._fields))
