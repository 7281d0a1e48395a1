"""Whose sockets share an answer, what names them in Redis, and their session as it is now."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import cache
from django.core.exceptions import SynchronousOnlyOperation
from django.test import override_settings

from django_fcs.access import clients
from django_fcs.access.clients import Client, fresh_scope, request_for
from django_fcs.layer.events import AskAgain, read_event

KEY = "3kq4session0key0of0ada"


class User:
    def __init__(self, pk: Any) -> None:
        self.pk = pk


def session(key: str | None = KEY) -> SessionStore:
    return SessionStore(key)


@pytest.mark.parametrize(
    ("scope", "client"),
    [
        ({}, Client("", "")),
        ({"user": User(None), "session": session(None)}, Client("", "")),
        ({"user": User(7), "session": session()}, Client("7", KEY)),
        ({"user": User(7)}, Client("7", "")),
        ({"user": "Ada", "session": {"a": "dictionary"}}, Client("", "")),
        ({"user": None, "session": None}, Client("", "")),
    ],
)
def test_a_client_is_a_user_in_a_session(scope: dict[str, Any], client: Client) -> None:
    assert Client.of(scope) == client


@pytest.mark.parametrize("user", [User(7), 7, "7"])
def test_a_request_names_a_user_by_object_or_primary_key(user: Any) -> None:
    assert request_for(user=user) in Client("7", "").requests()
    assert request_for(user=user) not in Client("8", "").requests()
    assert request_for(user=user) not in Client("", "7").requests()


def test_a_mistake_does_not_mean_everybody() -> None:
    with pytest.raises(ValueError, match="no primary key"):
        request_for(user=User(None))
    with pytest.raises(ValueError, match="empty"):
        request_for(session_key="")


def test_no_session_key_and_no_user_stands_in_redis() -> None:
    event = request_for(user=7, session_key=KEY).event()

    assert KEY not in str(event)
    assert event["user"] not in ("", "7")
    assert read_event(event, 0.0) == request_for(user=7, session_key=KEY)
    with override_settings(SECRET_KEY="another"):
        assert read_event(event, 0.0) not in Client("7", KEY).requests()
    assert AskAgain() in Client("7", KEY).requests()
    assert Client("", "").requests() == {AskAgain()}


@pytest.mark.parametrize("scope", [{"user": "Ada"}, {"session": session(None)}, {"session": {}}])
async def test_a_scope_without_a_session_is_passed_as_it_is(scope: dict[str, Any]) -> None:
    assert await fresh_scope(scope) is scope


@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache")
async def test_a_session_is_read_again_and_a_user_of_the_sites_own_stays() -> None:
    cache.set(f"django.contrib.sessions.cache{KEY}", {"plan": "gold"})
    old = session()
    assert old["plan"] == "gold"
    cache.set(f"django.contrib.sessions.cache{KEY}", {"plan": "none"})
    scope = {"session": old, "user": User(7), "path": "/ws/fcs/"}

    fresh = await fresh_scope(scope)

    assert old["plan"] == "gold"
    # It was loaded in a thread: an async function may read it.
    assert fresh["session"]._session_cache == {"plan": "none"}
    assert fresh["user"] is scope["user"] and fresh["path"] == "/ws/fcs/"
    cache.clear()


class LazyUser:
    @property
    def pk(self) -> int:
        raise SynchronousOnlyOperation


def test_a_lazy_user_that_nobody_has_read_yet_keeps_no_socket_from_opening() -> None:
    assert Client.of({"user": LazyUser(), "session": session()}) == Client("", KEY)


@pytest.mark.parametrize("user", [User(None), User(8)])
@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache")
async def test_a_session_makes_nobody_of_whom_the_site_itself_has_put_into_the_scope(
    user: Any,
) -> None:
    cache.set(f"django.contrib.sessions.cache{KEY}", {SESSION_KEY: "7"})
    scope = {"session": session(), "user": user}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "get_user", None)
        fresh = await fresh_scope(scope)

    assert fresh["user"] is user
    cache.clear()
