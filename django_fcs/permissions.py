"""Which clients may join rooms; see ``docs/permissions.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from .access.authorizer import Answer, Authorizer
from .access.clients import request_for
from .access.refusals import refusal_before
from .layer.bus import AskAgain, Bus
from .rooms import Room

__all__ = ["aask_again", "ask_again", "client_of", "may_join"]

#: A client with one IPv6 address has all addresses that share this many of its first bits.
_BITS_OF_ONE = 64

_NAME = re.compile(r"[A-Za-z0-9.-]{1,253}")
_WITH_PORT = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}|\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?")


async def may_join(scope: Mapping[str, Any], room: Room, token: str | None) -> bool:
    """Return whether this client may join a room.

    The client needs a valid token for the symbol, or the symbol matches a pattern of
    ``FCS_ALLOWED_SYMBOLS``. If ``FCS_AUTHORIZE`` is set, that function must return ``True`` as
    well, within ``FCS_AUTHORIZE_TIMEOUT_SECONDS``. If it raises an exception, this is logged.
    """
    if refusal_before(room, token):
        return False
    return await Authorizer().ask(scope, room) is Answer.YES


async def aask_again(*, user: Any = None, session_key: str | None = None) -> None:
    """Make all processes ask ``FCS_AUTHORIZE`` again now, for the rooms that are joined.

    Args:
        user: A user, or the primary key of one. Only this user's rooms are asked for.
        session_key: Only the rooms of this session are asked for.

    Without an argument, the rooms of all clients are asked for. With both, a client must match
    both. The request only makes processes ask: it allows nothing and ends nothing by itself. Send
    it when the change is in the database. Raises ``ValueError`` for a user without a primary key,
    and what the channel layer raises.
    """
    # Reading the primary key of ``request.user`` may need the database.
    read = sync_to_async(request_for)
    await _send(await read(user=user, session_key=session_key))


def ask_again(*, user: Any = None, session_key: str | None = None) -> None:
    """Do the same as ``aask_again`` in code that is not async."""
    async_to_sync(_send)(request_for(user=user, session_key=session_key))


async def _send(request: AskAgain) -> None:
    async with Bus() as bus:
        await bus.ask_again(request)


def client_of(scope: Mapping[str, Any]) -> str:
    """Return where a socket comes from: an IPv4 address, an IPv6 network, a name, or "" if unknown.

    A server may tell the path of its Unix socket instead, or what a client wrote into a header.
    Some proxies write the port behind the address, which changes with each connection.
    """
    host = str((scope.get("client") or ("",))[0] or "")
    if with_port := _WITH_PORT.fullmatch(host):
        host = with_port[1] or with_port[2]
    try:
        address = ip_address(host)
    except ValueError:
        return host if _NAME.fullmatch(host) else ""
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or IPv6Network((int(address), _BITS_OF_ONE), strict=False))
    return host
