"""The machine of a measurement, its software, the date, and stolen processor time."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from .places import BUILD

__all__ = ["describe", "processor_ticks"]

_PACKAGES = ("Django", "channels", "channels_redis", "redis", "uvicorn", "daphne", "websockets")


def describe() -> dict[str, str]:
    """Return machine, versions and date as short texts."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line for line in lines if line.startswith("model name")), "unknown")
    memory = re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "processor": f"{os.cpu_count()} × {model.partition(':')[2].strip()}",
        "memory": f"{int(memory[1]) / 2**20:.0f} GB" if memory else "unknown",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
        "redis-server": _first(["redis-server", "--version"], r"v=([\d.]+)"),
        "Node": _first(["node", "--version"], r"v([\d.]+)"),
        "ws": _ws(),
    }


def _first(command: list[str], pattern: str) -> str:
    with suppress(OSError):
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if found := re.search(pattern, output):
            return found[1]
    return "none"


def _ws() -> str:
    with suppress(OSError):
        text = (BUILD / "node_modules/ws/package.json").read_text()
        if found := re.search(r'"version": "([\d.]+)"', text):
            return found[1]
    return "none"


def processor_ticks() -> tuple[int, int]:
    """Return the stolen and the total ticks of all processors so far."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return int(fields[7]), sum(map(int, fields))
