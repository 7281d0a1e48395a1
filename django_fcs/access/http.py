"""Which rooms a request over HTTP may read: the rules are those of a join."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from django_fcs.conf import conf
from django_fcs.rooms import Room

from .authorizer import Answer, Authorizer
from .refusals import refusal_after, refusal_before

__all__ = ["refusal_of", "scope_of"]

#: One for each event loop, so that only so many calls of the site's function run at once.
_authorizers: dict[asyncio.AbstractEventLoop, Authorizer] = {}


async def refusal_of(request: HttpRequest, room: Room, spelling: str, token: str | None) -> str:
    """Return why a request may not read a room; "" if it may.

    ``spelling`` is the timeframe as the client wrote it. Raises ``ConfigurationError``.
    """
    refusal = refusal_before(room, token)
    if refusal or conf.FCS_AUTHORIZE is None:
        return refusal
    answer = await _authorizer().ask(await scope_of(request), room)
    return "" if answer is Answer.YES else refusal_after(answer, room, spelling)


async def scope_of(request: HttpRequest) -> Mapping[str, Any]:
    """Return a request as ``FCS_AUTHORIZE`` gets it, in the form of an ASGI scope.

    It has ``session`` and ``user`` if the site's middleware adds them to requests. Both are
    loaded, because a function that is async could not load them.
    """
    headers = [
        (name.lower().encode("latin-1", "replace"), str(value).encode("latin-1", "replace"))
        for name, value in request.headers.items()
    ]
    return {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "headers": headers,
        "client": (request.META.get("REMOTE_ADDR", ""), 0),
        **await sync_to_async(_visitor)(request),
    }


def _visitor(request: HttpRequest) -> dict[str, Any]:
    known = {}
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    if session is not None:
        session.keys()
        known["session"] = session
    if user is not None:
        getattr(user, "is_authenticated", None)
        known["user"] = user
    return known


def _authorizer() -> Authorizer:
    global _authorizers
    loop = asyncio.get_running_loop()
    authorizer = _authorizers.get(loop)
    if authorizer is None:
        # Without async workers, each request has a loop of its own.
        open_ones = {other: its for other, its in _authorizers.items() if not other.is_closed()}
        authorizer = Authorizer()
        _authorizers = {**open_ones, loop: authorizer}
    return authorizer
