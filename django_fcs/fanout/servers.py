"""What is known of the ASGI server that runs this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

__all__ = ["is_of_a_server", "server_takes_everything"]

_SERVERS = ("daphne", "uvicorn")


def is_of_a_server(send: Callable[..., object]) -> bool:
    """Tell whether ``send`` belongs to a server whose code we know, without middleware.

    The code of these servers uses neither context nor task, and changes no message. The
    code of a middleware may do so.
    """
    function = send.func if isinstance(send, partial) else send
    return getattr(function, "__module__", "").partition(".")[0] in _SERVERS


def server_takes_everything() -> bool:
    """Tell whether Daphne serves this process, which buffers without a limit.

    Sends then never wait, however slow a browser is:
    https://github.com/django/daphne/issues/170
    """
    reactor = sys.modules.get("twisted.internet.reactor")
    return bool(getattr(reactor, "running", False))
