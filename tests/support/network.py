"""Ports of this machine: one that is free, and whether somebody listens on one."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator

__all__ = ["HOST", "Address", "answers", "black_hole", "free_port"]

Address = tuple[str, int]

HOST = "127.0.0.1"


_given: set[int] = set()


def free_port() -> int:
    """Return a free port from where the kernel takes none by itself, as it soon would again.

    No process gets the same port twice: it may not listen yet on the one it got first.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            if port not in _given:
                _given.add(port)
                return port


def answers(port: int) -> bool:
    """Tell whether a connection to the port is accepted now, within a second."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


@contextlib.contextmanager
def black_hole() -> Iterator[Address]:
    """Yield an address that answers no attempt to connect: its backlog is full."""
    with socket.socket() as hole, socket.socket() as first, socket.socket() as second:
        hole.bind((HOST, 0))
        hole.listen(0)
        address = hole.getsockname()
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(address)
        yield address
