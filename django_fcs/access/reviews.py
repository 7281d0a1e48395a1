"""Permissions that can end: ``FCS_AUTHORIZE`` is asked again for the rooms that are joined."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from django_fcs.conf import conf
from django_fcs.fanout.agenda import Agenda
from django_fcs.fanout.requests import Requests
from django_fcs.layer.events import AskAgain
from django_fcs.rooms import Room
from django_fcs.tools.clocks import since_boot
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.tasks import each, end

from .authorizer import CALLS_AT_ONCE, Answer, Authorizer
from .clients import Client
from .joins import Joins
from .scopes import SocketScope

__all__ = ["Reviews"]

logger = logger_of(__name__)

T = TypeVar("T")

#: How many rooms of one client are asked for at the same time.
ROOMS_AT_ONCE = 4

#: How many calls of all reviews run at the same time. The others are left to those who join.
REVIEWS_AT_ONCE = CALLS_AT_ONCE // 2

#: Of a request that is about many clients, so many reviews begin in each ``BATCH_SECONDS``: prices
#: would wait while thousands begin.
BATCH = 50
BATCH_SECONDS = 0.01


@dataclass(eq=False)
class _Visit:
    """All sockets of one client in this process."""

    meant_by: frozenset[AskAgain]
    """The requests that are about this client."""
    next_at: float = 0.0
    """When the review after the one that runs is due, in monotonic seconds."""
    sockets: dict[Joins, SocketScope] = field(default_factory=dict)

    def rooms(self) -> dict[Room, None]:
        return {room: None for socket in self.sockets for room in socket.rooms()}

    def end(self, room: Room, answer: Answer) -> None:
        for socket in self.sockets:
            socket.end(room, answer)

    async def scope(self) -> Mapping[str, Any] | None:
        """Return the scope of the newest socket, read again now."""
        newest = None
        for newest in self.sockets.values():
            newest.expire()
        return None if newest is None else await newest.current()


class Reviews:
    """All clients of one event loop, if the site has an ``FCS_AUTHORIZE``.

    A client is reviewed every ``FCS_REAUTHORIZE_SECONDS``, beginning at a random time within
    this period, and when a request to ask again is about it. A review asks once for each of the
    client's rooms, however many sockets have joined it. A room ends if the answer is no, or if
    there is no answer twice in a row.
    """

    def __init__(
        self,
        authorizer: Authorizer,
        requests: Requests,
        *,
        monotonic: Callable[[], float] = since_boot,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._authorizer = authorizer
        self._requests = requests
        self._monotonic = monotonic
        self._chance = chance
        self._slots = asyncio.Semaphore(REVIEWS_AT_ONCE)
        self._visits: dict[object, _Visit] = {}
        self._agenda: Agenda[_Visit] = Agenda()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def entered(
        self, socket: Joins, scope: SocketScope, client: Client
    ) -> AsyncIterator[None]:
        """Review the rooms of a socket during the ``async with`` block."""
        # Without a session, nothing says that two scopes of a user are alike.
        key = client if client.session else socket
        visit = self._visits.get(key)
        if visit is None:
            visit = self._visits[key] = _Visit(client.requests())
            period = conf.FCS_REAUTHORIZE_SECONDS
            self._agenda.add(visit, self._monotonic() + period * self._chance())
            self._requests.wake()
        visit.sockets[socket] = scope
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            del visit.sockets[socket]
            if not visit.sockets:
                del self._visits[key]
                self._agenda.discard(visit)
            if not self._visits and self._task is not None:
                task, self._task = self._task, None
                await end(task)

    async def _run(self) -> None:
        running: dict[_Visit, asyncio.Task[None]] = {}
        try:
            while True:
                self._begin_due(running)
                wait = max(0.0, self._agenda.next() - self._monotonic())
                self._note(await self._requests.heard(wait))
        finally:
            await end(*running.values())

    def _begin_due(self, running: dict[_Visit, asyncio.Task[None]]) -> None:
        for visit in [visit for visit, task in running.items() if task.done()]:
            del running[visit]
            if visit.sockets:
                self._agenda.add(visit, visit.next_at)
        now = self._monotonic()
        for visit in list(self._agenda.take(now)):
            if visit in running:
                visit.next_at = now  # What this review has asked already may have changed.
            else:
                visit.next_at = now + conf.FCS_REAUTHORIZE_SECONDS
                running[visit] = asyncio.create_task(self._review(visit))
                running[visit].add_done_callback(lambda _: self._requests.wake())

    def _note(self, requests: Collection[AskAgain]) -> None:
        if not requests:
            return
        now = self._monotonic()
        meant = [one for one in self._visits.values() if not one.meant_by.isdisjoint(requests)]
        for number, visit in enumerate(meant):
            self._agenda.add(visit, now + number // BATCH * BATCH_SECONDS)

    async def _review(self, visit: _Visit) -> None:
        try:
            scope = await self._twice(visit.scope, nothing=None)
            ask = partial(self._answer, scope)
            async with aclosing(each(visit.rooms(), ask, at_once=ROOMS_AT_ONCE)) as answers:
                async for room, answer in answers:
                    if answer is not Answer.YES:
                        count("authorize_ended")
                        visit.end(room, answer)
        except Exception:
            logger.exception("cannot review the permissions of a client")

    async def _answer(self, scope: Mapping[str, Any] | None, room: Room) -> Answer:
        if scope is None:
            return Answer.NONE
        return await self._twice(partial(self._authorizer.ask, scope, room), nothing=Answer.NONE)

    async def _twice(self, ask: Callable[[], Awaitable[T]], *, nothing: T) -> T:
        """Ask, and ask once more if there was no answer: a database may have been restarted."""
        began, seconds = self._monotonic(), conf.FCS_AUTHORIZE_TIMEOUT_SECONDS
        async with self._slots:
            answer = await ask()
        if answer is nothing:
            await asyncio.sleep(max(0.0, began + seconds - self._monotonic()))
            async with self._slots:
                answer = await ask()
        return answer
