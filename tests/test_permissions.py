"""Permissions: a token or a pattern, and the site's own word."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.test import override_settings

from django_fcs.permissions import aask_again, ask_again, may_join
from django_fcs.rooms import Room
from django_fcs.tokens import make_token

pytestmark = pytest.mark.versions

ROOM = Room("FX:EURUSD", "1D")
SCOPE = {"type": "websocket", "user": "Ada"}

asked: list[tuple[Mapping[str, Any], Room]] = []


@pytest.fixture(autouse=True)
def nobody_was_asked() -> Iterator[None]:
    asked.clear()
    yield
    asked.clear()


def sync_yes(scope: Mapping[str, Any], room: Room) -> bool:
    asked.append((scope, room))
    return True


def sync_no(scope: Mapping[str, Any], room: Room) -> bool:
    return False


async def async_yes(scope: Mapping[str, Any], room: Room) -> bool:
    asked.append((scope, room))
    return True


async def async_no(scope: Mapping[str, Any], room: Room) -> bool:
    return False


Authorize = Callable[[Mapping[str, Any], Room], Awaitable[bool]]


def decorated(authorize: Authorize) -> Callable[[Mapping[str, Any], Room], Any]:
    @functools.wraps(authorize)
    def wrapper(scope: Mapping[str, Any], room: Room) -> Any:
        return authorize(scope, room)

    return wrapper


hidden_async_yes = decorated(async_yes)
hidden_async_no = decorated(async_no)


def raising(scope: Mapping[str, Any], room: Room) -> bool:
    raise ValueError("no database")


async def async_raising(scope: Mapping[str, Any], room: Room) -> bool:
    raise ValueError("no database")


class Rules:
    async def __call__(self, scope: Mapping[str, Any], room: Room) -> bool:
        return await async_yes(scope, room)


an_object = Rules()


def authorize_by(name: str) -> override_settings:
    return override_settings(FCS_AUTHORIZE=f"tests.test_permissions.{name}")


async def test_without_a_token_nobody_joins() -> None:
    assert not await may_join(SCOPE, ROOM, None)
    assert not await may_join(SCOPE, ROOM, "")
    assert not await may_join(SCOPE, ROOM, "made up")


async def test_a_token_opens_its_symbol_in_every_timeframe() -> None:
    token = make_token("FX:EURUSD")

    assert await may_join(SCOPE, ROOM, token)
    assert await may_join(SCOPE, Room("FX:EURUSD", "1"), token)
    assert not await may_join(SCOPE, Room("FX:USDJPY", "1D"), token)


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (["FX:*"], True),
        (["BINANCE:*", "FX:EURUSD"], True),
        (["FX:EUR???"], True),
        (["fx:*"], False),
        (["FX:EUR"], False),
        ([], False),
    ],
)
async def test_a_pattern_of_the_site_opens_without_a_token(
    patterns: list[str], allowed: bool
) -> None:
    with override_settings(FCS_ALLOWED_SYMBOLS=patterns):
        assert await may_join(SCOPE, ROOM, None) is allowed


async def test_rooms_that_the_site_streams_anyway_open_nothing() -> None:
    with override_settings(FCS_ROOMS=["FX:EURUSD"]):
        assert not await may_join(SCOPE, ROOM, None)


@pytest.mark.parametrize("name", ["sync_yes", "async_yes", "hidden_async_yes", "an_object"])
async def test_the_sites_own_yes_is_asked_for_with_scope_and_room(name: str) -> None:
    with authorize_by(name):
        assert await may_join(SCOPE, ROOM, make_token("FX:EURUSD")) is True

    assert asked == [(SCOPE, ROOM)]


@pytest.mark.parametrize("name", ["sync_no", "async_no", "hidden_async_no"])
async def test_the_sites_own_no_outweighs_token_and_pattern(name: str) -> None:
    with authorize_by(name), override_settings(FCS_ALLOWED_SYMBOLS=["*"]):
        assert await may_join(SCOPE, ROOM, make_token("FX:EURUSD")) is False


async def test_the_sites_own_yes_opens_nothing_by_itself() -> None:
    with authorize_by("sync_yes"):
        assert not await may_join(SCOPE, ROOM, None)

    assert asked == []


@pytest.mark.parametrize("name", ["raising", "async_raising", "no_such_function"])
async def test_where_the_sites_own_word_cannot_be_had_it_is_a_no_and_logged(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = make_token("FX:EURUSD")
    with authorize_by(name), caplog.at_level(logging.ERROR, "django_fcs.access"):
        assert not await may_join(SCOPE, ROOM, token)

    (record,) = caplog.records
    assert f"path=tests.test_permissions.{name} room=FX:EURUSD_1D" in record.getMessage()
    assert record.exc_info is not None
    assert token not in caplog.text


class LazyUser:
    """``request.user`` before anything has read it."""

    @property
    def pk(self) -> int:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return 7


@pytest.mark.usefixtures("clean_loop", "open_site")
@pytest.mark.parametrize("ask", [aask_again, sync_to_async(ask_again)])
async def test_a_user_that_is_read_from_the_database_first_can_be_named(
    ask: Callable[..., Awaitable[None]],
) -> None:
    layer = get_channel_layer()
    await layer.group_add("fcs.hubs", "test")

    await ask(user=LazyUser())

    named = await asyncio.wait_for(layer.receive("test"), 5)
    await ask(user=7)
    assert await asyncio.wait_for(layer.receive("test"), 5) == named
    await layer.group_discard("fcs.hubs", "test")
