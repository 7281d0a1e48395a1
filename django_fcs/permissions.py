"""Which clients may join rooms: decision 12 of ``docs/decisions.md``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from channels.db import database_sync_to_async
from django.utils.module_loading import import_string

from .conf import conf
from .rooms import Room
from .tokens import token_is_valid
from .tools.logs import logger_of
from .tools.metrics import count

__all__ = ["client_of", "may_join"]

logger = logger_of(__name__)

#: A client with one IPv6 address has all addresses that share this many of its first bits.
_BITS_OF_ONE = 64

_NAME = re.compile(r"[A-Za-z0-9.-]{1,253}")


async def may_join(scope: Mapping[str, Any], room: Room, token: str | None) -> bool:
    """Return whether this client may join a room.

    The client needs a valid token for the symbol, or the symbol matches a pattern of
    ``FCS_ALLOWED_SYMBOLS``. If ``FCS_AUTHORIZE`` is set, that function must agree as
    well. If it raises an exception, the join is refused and the exception logged.
    """
    allowed = any(fnmatchcase(room.symbol, pattern) for pattern in conf.FCS_ALLOWED_SYMBOLS)
    if not allowed and not (token and token_is_valid(token, room.symbol)):
        return False
    path = conf.FCS_AUTHORIZE
    if path is None:
        return True
    try:
        authorize = import_string(path)
        if not inspect.iscoroutinefunction(authorize):
            authorize = database_sync_to_async(authorize)
        answer = await authorize(scope, room)
        # A decorator may hide that a function is async, and a coroutine is always true.
        return bool(await answer if inspect.isawaitable(answer) else answer)
    except Exception:
        if count("authorize_failures"):
            logger.exception("FCS_AUTHORIZE failed, join refused path=%s room=%s", path, room)
        return False


def client_of(scope: Mapping[str, Any]) -> str:
    """Return where a socket comes from: an IPv4 address, an IPv6 network, a name, or "" if unknown.

    A server may tell the path of its Unix socket instead, or what a client wrote into a header.
    """
    host = str((scope.get("client") or ("",))[0] or "")
    try:
        address = ip_address(host)
    except ValueError:
        return host if _NAME.fullmatch(host) else ""
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or IPv6Network((int(address), _BITS_OF_ONE), strict=False))
    return host
