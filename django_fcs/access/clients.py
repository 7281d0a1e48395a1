"""The client behind a socket: the user and the session of its scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import SynchronousOnlyOperation
from django.utils.crypto import salted_hmac

from django_fcs.layer.events import AskAgain

__all__ = ["Client", "fresh_scope", "request_for"]

#: Of a hash, in hexadecimal digits: enough to tell all sessions of a site apart.
_DIGITS = 20


class Client(NamedTuple):
    """Whose sockets share one answer: the same user in the same session."""

    user: str
    """The primary key; empty if nobody has logged in."""
    session: str
    """The session key; empty without a session."""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Client:
        """Return the client of a scope."""
        try:
            key = getattr(scope.get("user"), "pk", None)
        except SynchronousOnlyOperation:
            key = None  # A lazy user of the site's own, which nobody has needed yet.
        session = _session_of(scope)
        return cls("" if key is None else str(key), (session and session.session_key) or "")

    def requests(self) -> frozenset[AskAgain]:
        """Return all requests to ask again that are about this client."""
        users = {"", self.user and _hash("user", self.user)}
        sessions = {"", self.session and _hash("session", self.session)}
        return frozenset(AskAgain(user, session) for user in users for session in sessions)


def request_for(*, user: Any = None, session_key: str | None = None) -> AskAgain:
    """Return the request to ask again for a user (or primary key), a session, or for all.

    Raises ``ValueError`` for a user without a primary key, and for an empty session key: a
    mistake must not mean everybody.
    """
    key = getattr(user, "pk", None) if hasattr(user, "pk") else user
    if user is not None and key is None:
        raise ValueError("this user has no primary key: nobody is logged in")
    if session_key == "":
        raise ValueError("the session key is empty")
    return AskAgain(
        user="" if key is None else _hash("user", str(key)),
        session="" if session_key is None else _hash("session", session_key),
    )


async def fresh_scope(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a scope with its session and user read again; unchanged if it has no session.

    The session of the handshake remembers a login for ever. A user that does not come from
    the session, but from a site's own middleware, stays as it is.
    """
    session = _session_of(scope)
    if session is None or session.session_key is None:
        return scope
    fresh = {**scope, "session": session.__class__(session.session_key)}
    if await database_sync_to_async(_has_user_of_session)(scope, fresh["session"]):
        fresh["user"] = await get_user(fresh)
    return fresh


def _has_user_of_session(scope: Mapping[str, Any], fresh: SessionBase) -> bool:
    """Load the fresh session, and tell whether the user of a scope comes from its session."""
    fresh.keys()
    user, session = scope.get("user"), _session_of(scope)
    key = getattr(user, "pk", None)
    # Nobody logs in to a session without a new key, so who is not logged in stays so.
    return key is not None and session is not None and session.get(SESSION_KEY) == str(key)


def _session_of(scope: Mapping[str, Any]) -> SessionBase | None:
    session = scope.get("session")
    return session if isinstance(session, SessionBase) else None


def _hash(kind: str, value: str) -> str:
    """Return what names a value in Redis, where others may read; only this site can compute it."""
    return salted_hmac(f"django_fcs.access.{kind}", value, algorithm="sha256").hexdigest()[:_DIGITS]
