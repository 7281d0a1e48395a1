"""The entrance for all sockets of a process, if the site has an ``FCS_AUTHORIZE``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from django_fcs.fanout.hub import Hub
from django_fcs.fanout.requests import Requests
from django_fcs.fanout.routes import Key
from django_fcs.rooms import Room

from .authorizer import Answer, Authorizer
from .clients import Client
from .joins import Joins
from .reviews import Reviews
from .scopes import SocketScope

__all__ = ["Entrance"]


class Entrance:
    """What the sockets of one event loop share: the calls that run at once, and the reviews."""

    _of: ClassVar[WeakKeyDictionary[Hub, Entrance]] = WeakKeyDictionary()

    def __init__(self, requests: Requests) -> None:
        self._authorizer = Authorizer()
        self._reviews = Reviews(self._authorizer, requests)

    @classmethod
    def of(cls, hub: Hub) -> Entrance:
        """Return the one entrance of a hub's event loop."""
        entrance = cls._of.get(hub)
        if entrance is None:
            entrance = cls._of[hub] = cls(hub.requests)
        return entrance

    @asynccontextmanager
    async def entered(
        self, scope: Mapping[str, Any], joined: Mapping[Key, None]
    ) -> AsyncIterator[Joins]:
        """Yield the joins of one socket; ``joined`` are the rooms that it has joined."""
        own = SocketScope(scope, self._authorizer)
        joins = Joins(partial(self._ask, own), joined)
        async with self._reviews.entered(joins, own, Client.of(scope)):
            yield joins

    async def _ask(self, own: SocketScope, room: Room) -> Answer:
        scope = await own.current()
        return Answer.NONE if scope is None else await self._authorizer.ask(scope, room)
