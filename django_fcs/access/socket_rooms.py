"""The rooms of one socket: what it joins, what it waits for, and what it loses again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, NamedTuple

from django_fcs import embedded
from django_fcs.conf import conf
from django_fcs.exceptions import BadSymbol, BadTimeframe
from django_fcs.fanout.candles import WAITING_MAX
from django_fcs.fanout.hub import Hub
from django_fcs.fanout.routes import Key
from django_fcs.fanout.subscriber import Subscriber
from django_fcs.protocol import CandlesWish, Join, Leave, Token, serialise
from django_fcs.rooms import Room
from django_fcs.tools.tokenbucket import TokenBucket

from .authorizer import Answer
from .entrance import Entrance
from .joins import Joins
from .refusals import refusal_after, refusal_before
from .renewals import Renewals

__all__ = ["Problem", "SocketRooms"]

_NOT_ALLOWED = "room_not_allowed"


class Problem(NamedTuple):
    """Why a room is refused, as a message ``error`` says it."""

    short: str
    text: str


class SocketRooms:
    """What one socket has joined; its owner sends the problems to the browser.

    Args:
        hub, subscriber: The socket, as the hub of its process knows it.
        scope: What ``FCS_AUTHORIZE`` is told about the client.
        joins_a_second: How many joins are allowed after a burst of
            ``FCS_MAX_ROOMS_PER_CLIENT``.
    """

    def __init__(
        self, hub: Hub, subscriber: Subscriber, scope: Mapping[str, Any], *, joins_a_second: float
    ) -> None:
        self._hub = hub
        self._subscriber = subscriber
        self._scope = scope
        self._rate = joins_a_second
        self._bucket = TokenBucket(burst=conf.FCS_MAX_ROOMS_PER_CLIENT, rate=joins_a_second)
        self._renewals = Renewals(joined=self._symbols, send=self._renew)
        self._joins: Joins | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> SocketRooms:
        async with AsyncExitStack() as stack:
            stack.enter_context(self._renewals)
            if conf.FCS_AUTHORIZE is not None:
                entered = Entrance.of(self._hub).entered(self._scope, self._subscriber.joined)
                self._joins = await stack.enter_async_context(entered)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    @property
    def must_wait(self) -> bool:
        """Whether joins wait for ``FCS_AUTHORIZE``; then ``problems`` has to run."""
        return self._joins is not None

    def join(self, wish: Join) -> Problem | None:
        """Join a room, now or after ``FCS_AUTHORIZE`` has allowed it; return why not."""
        spelling = conf.FCS_TIMEFRAME if wish.timeframe is None else wish.timeframe
        try:
            key = Key(Room.parse(wish.symbol, spelling), spelling)
        except BadSymbol as error:
            return Problem("bad_symbol", str(error))
        except BadTimeframe as error:
            return Problem("bad_timeframe", str(error))
        problem = self._objection(key, wish.token)
        if problem is None and self._joins is not None:
            self._joins.add(key, wish.token)
        elif problem is None:
            self._admit(key, wish.token)
        return problem

    def leave(self, wish: Leave) -> None:
        """Leave a room, or forget that it was to be joined."""
        spelling = conf.FCS_TIMEFRAME if wish.timeframe is None else wish.timeframe
        if self._joins is not None:
            self._joins.discard(wish.symbol, spelling)
        for room, joined in list(self._subscriber.joined):
            if (room.symbol, joined) == (wish.symbol, spelling):
                self._hub.leave(self._subscriber, room, joined)

    def leave_all(self) -> None:
        """Leave all rooms, and forget all that were to be joined."""
        if self._joins is not None:
            self._joins.clear()
        for room, spelling in list(self._subscriber.joined):
            self._hub.leave(self._subscriber, room, spelling)

    def ask_for_candles(self, wish: CandlesWish) -> Problem | None:
        """Ask the hub for candles of a room that is joined; return why not."""
        spelling = conf.FCS_TIMEFRAME if wish.timeframe is None else wish.timeframe
        for key in self._subscriber.joined:
            if (key.room.symbol, key.spelling) == (wish.symbol, spelling):
                break
        else:
            return Problem(_NOT_ALLOWED, f"{wish.symbol}: join the room before you ask for candles")
        if self._hub.candles.ask(self._subscriber, key, limit=wish.limit, before=wish.before):
            return None
        return Problem("rate_limited", f"no more than {WAITING_MAX} requests for candles at once")

    async def problems(self) -> AsyncGenerator[Problem, None]:
        """Join rooms as ``FCS_AUTHORIZE`` allows them; yield the problem of each that it refuses.

        A room that is joined is left when it is no longer allowed.
        """
        assert self._joins is not None, "nothing waits"
        async with aclosing(self._joins.answers()) as answers:
            async for key, answer, token in answers:
                if answer is Answer.YES:
                    self._admit(key, token)
                else:
                    self._hub.leave(self._subscriber, *key)
                    yield Problem(_NOT_ALLOWED, refusal_after(answer, *key))

    def _objection(self, key: Key, token: str | None) -> Problem | None:
        if not self._bucket.take():
            text = f"more than {self._rate:g} joins a second: try again later"
            return Problem("rate_limited", text)
        limit = conf.FCS_MAX_ROOMS_PER_CLIENT
        joined, waiting = self._subscriber.joined, self._joins or ()
        is_full = len(joined) + len(waiting) >= limit and len({*joined, *waiting}) >= limit
        if is_full and key not in joined and key not in waiting:
            text = f"{key.room.symbol}: no more than {limit} rooms per socket"
            return Problem("too_many_rooms", text)
        refusal = refusal_before(key.room, token)
        return Problem(_NOT_ALLOWED, refusal) if refusal else None

    def _admit(self, key: Key, token: str | None) -> None:
        embedded.start()
        self._subscriber.confirm(*key)
        self._hub.join(self._subscriber, *key)
        if self._subscriber.merge:
            self._renewals.expect(key.room.symbol, token)

    def _symbols(self) -> set[str]:
        return {room.symbol for room, _ in self._subscriber.joined}

    def _renew(self, tokens: list[Token]) -> None:
        """Send new tokens in one frame of the merge protocol."""
        self._subscriber.send(f"[{','.join(map(serialise, tokens))}]")
