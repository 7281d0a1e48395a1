"""A site of this project: how its processes are started, and what they are told."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tests.support.network import HOST

__all__ = ["APPLICATION", "SERVERS", "STREAM", "environment", "server_command"]

SERVERS = ("uvicorn", "daphne")

APPLICATION = "django_fcs.asgi:application"

#: The command of the process that feeds the site.
STREAM = [sys.executable, "-m", "django", "fcs_stream"]

#: The same for every application; uvicorn would compress each frame by default, and
#: take uvloop where that happens to be installed.
_UVICORN_FLAGS = [
    *("--ws-per-message-deflate", "false", "--loop", "asyncio"),
    *("--log-level", "warning", "--no-access-log"),
]


def server_command(server: str, application: str, port: int) -> list[str]:
    """Return the command of a web process; ``server`` is one of ``SERVERS``."""
    if server == "uvicorn":
        listen = ["--host", HOST, "--port", str(port)]
        return [sys.executable, "-m", "uvicorn", *listen, *_UVICORN_FLAGS, application]
    listen = ["-b", HOST, "-p", str(port), "-v", "0"]
    return [sys.executable, "-m", "daphne", *listen, application]


def environment(redis_port: int, source: str, rooms: Iterable[str] = ()) -> dict[str, str]:
    """Return what ``lab.kit.settings`` reads; ``source`` is the address of the vendor."""
    return {
        "DJANGO_SETTINGS_MODULE": "lab.kit.settings",
        "LAB_REDIS": f"redis://{HOST}:{redis_port}",
        "LAB_SOURCE": source,
        "LAB_ROOMS": ",".join(rooms),
    }
