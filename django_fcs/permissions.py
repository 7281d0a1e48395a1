"""Which clients may open the socket and join rooms: decision 12 of ``docs/decisions.md``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.http.request import validate_host
from django.utils.module_loading import import_string

from .conf import conf
from .rooms import Room
from .tokens import token_is_valid
from .tools.logs import logger_of
from .tools.metrics import count
from .values.hosts import hosts_of_site

__all__ = ["client_of", "may_join", "origin_is_allowed"]

logger = logger_of(__name__)

#: What Django itself allows with DEBUG and no ALLOWED_HOSTS.
_HOSTS_IN_DEBUG = [".localhost", "127.0.0.1", "[::1]"]

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


def origin_is_allowed(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a page of this origin may open the socket.

    A missing ``Origin`` is allowed: apps and scripts send none, and browsers always send
    one. Otherwise it must be the ``Host`` itself or be listed in ``FCS_ALLOWED_ORIGINS``
    (``"https://example.com"``). If that is ``None``, ``ALLOWED_HOSTS`` is used.
    """
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin:
        return True
    try:
        parts = urlsplit(origin)
        hostname, netloc = parts.hostname or "", parts.netloc
        hostname = f"[{hostname}]" if ":" in hostname else hostname
    except ValueError:
        return False
    if netloc and netloc == headers.get(b"host", b"").decode("latin-1"):
        return True
    if conf.FCS_ALLOWED_ORIGINS is not None:
        return origin in conf.FCS_ALLOWED_ORIGINS or "*" in conf.FCS_ALLOWED_ORIGINS
    hosts = hosts_of_site() or (_HOSTS_IN_DEBUG if settings.DEBUG else [])
    return bool(hostname) and validate_host(hostname, hosts)
