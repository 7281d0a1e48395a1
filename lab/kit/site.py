"""A site of this project: the commands of its processes and their environment."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tests.support.network import HOST

__all__ = ["APPLICATION", "SERVERS", "STREAM", "environment", "server_command"]

SERVERS = ("uvicorn", "daphne")

APPLICATION = "django_fcs.asgi:application"

#: The command of the site's stream.
STREAM = [sys.executable, "-m", "django", "fcs_stream"]

#: The same for every application. By default, uvicorn would use uvloop if it is installed.
_UVICORN_FLAGS = ["--loop", "asyncio", "--log-level", "warning", "--no-access-log"]


def server_command(server: str, application: str, port: int, *, deflate: bool = False) -> list[str]:
    """Return the command of a web process; ``server`` is one of ``SERVERS``.

    uvicorn compresses frames with ``deflate``, as it would by default; Daphne never does.
    """
    if server == "uvicorn":
        listen = ["--host", HOST, "--port", str(port)]
        flags = [*_UVICORN_FLAGS, "--ws-per-message-deflate", str(deflate).lower()]
        return [sys.executable, "-m", "uvicorn", *listen, *flags, application]
    listen = ["-b", HOST, "-p", str(port), "-v", "0"]
    return [sys.executable, "-m", "daphne", *listen, application]


def environment(
    redis_ports: Iterable[int], source: str, rooms: Iterable[str] = ()
) -> dict[str, str]:
    """Return the variables for ``lab.kit.settings``; ``source`` is the vendor's address.

    The rooms are spread over the hosts of Redis; the first one has the cache, too.
    """
    return {
        "DJANGO_SETTINGS_MODULE": "lab.kit.settings",
        "LAB_REDIS": ",".join(f"redis://{HOST}:{port}" for port in redis_ports),
        "LAB_SOURCE": source,
        "LAB_ROOMS": ",".join(rooms),
    }
