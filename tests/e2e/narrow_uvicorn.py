"""Uvicorn on sockets for which the kernel keeps little: ``python -m`` this, with a port.

What a browser leaves unread then fills the server's own buffer in a second, not in
half a minute, after which uvicorn's pings would end the socket first.
"""

from __future__ import annotations

import socket
import sys

import uvicorn

SEND_BUFFER = 65_536


def main(port: str) -> None:
    with socket.create_server(("127.0.0.1", int(port)), backlog=2048) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        config = uvicorn.Config("tests.e2e.asgi:application", log_level="warning")
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
