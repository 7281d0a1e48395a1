"""What is known of the ASGI server that runs this process."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import CO_COROUTINE
from types import FunctionType, MethodType
from typing import Any, TypeGuard

__all__ = ["Send", "coroutines_of", "is_of_a_server", "server_takes_everything"]

#: What ASGI promises of ``send``. Servers and middleware return coroutines, futures, or objects
#: of their own.
Send = Callable[[dict[str, Any]], Awaitable[None]]
CoroutineSend = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]

_SERVERS = ("daphne", "uvicorn")


def is_of_a_server(send: Send) -> TypeGuard[CoroutineSend]:
    """Tell whether ``send`` belongs to a server whose code we know, without middleware.

    These servers return coroutines. Their code uses neither context nor task, and changes no
    message. The code of a middleware may do so.
    """
    # Not isinstance, and not __module__: wrappers copy names, and proxies even their class.
    function: Any = send.func if type(send) is partial else send
    if type(function) is MethodType:
        function = function.__func__
    if type(function) is not FunctionType or not function.__code__.co_flags & CO_COROUTINE:
        return False
    return str(function.__globals__.get("__name__")).partition(".")[0] in _SERVERS


def coroutines_of(send: Send) -> CoroutineSend:
    """Return ``send`` as a function that returns coroutines."""

    async def sent(message: dict[str, Any]) -> None:
        await send(message)

    return sent


def server_takes_everything() -> bool:
    """Tell whether Daphne serves this process, which buffers without a limit.

    Sends then never wait, however slow a browser is:
    https://github.com/django/daphne/issues/170
    """
    reactor = sys.modules.get("twisted.internet.reactor")
    return bool(getattr(reactor, "running", False))
