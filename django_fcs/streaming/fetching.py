"""Requests to the vendor's history, within the limits of the plan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from queue import Full
from typing import NamedTuple

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.ledger import Ledger
from django_fcs.candles.rest import RestClient
from django_fcs.candles.stores import CandleStore
from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError
from django_fcs.rooms import Room
from django_fcs.tools.backoff import doubling
from django_fcs.tools.logs import logger_of
from django_fcs.tools.worker import Workers

from .asking import Ask, bars_for, credits_of

__all__ = ["AT_ONCE", "Delay", "Fetcher", "rest_client"]

logger = logger_of(__name__)

#: How many requests run at the same time.
AT_ONCE = 4

#: After a request that failed, the next one waits, in seconds. The pause doubles each time: up to
#: ``PAUSE_MAX_SECONDS``, or up to ``REFUSED_SECONDS`` if the vendor may charge for the request.
PAUSE_SECONDS = 5
PAUSE_MAX_SECONDS = 300

#: How long a symbol that has no history is not asked for again, in seconds.
REFUSED_SECONDS = 3600

#: Rooms whose answers cannot be read and whose pauses are known. The first is forgotten first.
UNREAD_MAX = 1000

#: Between two attempts to read or write the account, in seconds.
ACCOUNT_SECONDS = 1

_NO_ACCOUNT = "the cache does not answer, so no request to the vendor can be paid"

#: The refusals that concern one room only.
_OF_A_ROOM = (RefusalKind.SYMBOL, RefusalKind.TIMEFRAME)

#: The refusals after which the vendor is not asked for a long time.
_CLOSING = (RefusalKind.KEY, RefusalKind.PLAN, RefusalKind.RATE)


class Delay(NamedTuple):
    """Why a request was not made or was not answered, and when to try it again."""

    note: str
    """For visitors."""
    wait: float
    """In seconds."""


class Fetcher:
    """Asks the vendor, and keeps the account: a request is paid before it is made.

    Args:
        rest: The vendor's history.
        store: Where the account is kept.
        clock: Unix seconds.
    """

    def __init__(
        self, rest: RestClient, store: CandleStore, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._rest = rest
        self._store = store
        self._clock = clock
        self._threads = Workers("fcs-history", size=AT_ONCE)
        self._pauses = _pauses()
        self._unread: dict[Room, Iterator[float]] = {}
        """The next pauses of rooms whose answers cannot be read."""
        self._rests_until = 0.0
        self._reason = ""
        self._is_open = False

    async def open(self, epoch: int) -> None:
        """Read the account; the leader of this epoch alone writes it."""
        self._is_open = False
        while True:
            is_answered, account = await self._store.aaccount()
            if is_answered:
                break
            await asyncio.sleep(ACCOUNT_SECONDS)
        self._ledger = Ledger(
            account,
            per_minute=conf.FCS_REST_REQUESTS_PER_MINUTE,
            per_month=conf.FCS_REST_CREDITS_PER_MONTH,
            now=self._clock(),
            epoch=epoch,
        )
        self._is_open = True

    def allowance(self, now: float) -> tuple[int, bool] | None:
        """Return the credits that are left, and whether the vendor may not be asked for long.

        ``None`` before the account was read.
        """
        if not self._is_open:
            return None
        is_closed = self._ledger.is_closed(now)
        return self._ledger.left, is_closed

    async def fetch(self, room: Room, ask: Ask) -> Answer | Delay:
        """Ask the vendor once, for as much as the plan has left; return why there is no answer."""
        now, ask = self._clock(), self._affordable(ask)
        price = credits_of(ask.length)
        if now < self._rests_until:
            return Delay(self._reason, self._rests_until - now)
        wait = self._ledger.wait(price, now)
        if wait > 0:
            return Delay(self._ledger.why(price, now), wait)
        self._ledger.reserve(price, now)
        if not await self._store.asave_account(self._ledger.account):
            self._ledger.settle(price, 0)
            return Delay(_NO_ACCOUNT, PAUSE_SECONDS)
        try:
            answer = await self._call(room, ask)
        except Refused as refused:
            return await self._refused(room, refused, price)
        self._pauses, self._rests_until = _pauses(), 0.0
        self._unread.pop(room, None)
        used = max(credits_of(len(answer.bars) + answer.dropped), answer.credits or 0)
        await self._settle(price, used)
        return answer

    def _affordable(self, ask: Ask) -> Ask:
        left = self._ledger.left
        return ask._replace(length=bars_for(left)) if 0 < left < credits_of(ask.length) else ask

    async def _call(self, room: Room, ask: Ask) -> Answer:
        request = partial(self._rest.history, room, length=ask.length, start=ask.start, end=ask.end)
        try:
            return await asyncio.wrap_future(self._threads.submit(request))
        except Full:
            raise Refused(RefusalKind.UNAVAILABLE, "all requests for history hang") from None

    async def _refused(self, room: Room, refused: Refused, price: int) -> Delay:
        """Note why the vendor gave nothing; an answer without bars costs nothing."""
        logger.warning("no history room=%s reason=%s", room, refused)
        now = self._clock()
        if refused.kind in _CLOSING:
            until = None if refused.retry_after is None else now + refused.retry_after
            self._ledger.close(until, refused.public, now)
        await self._settle(price, price if refused.may_cost else 0)
        if refused.kind in _OF_A_ROOM:
            return Delay(refused.public, REFUSED_SECONDS)
        if refused.kind in _CLOSING:
            return Delay(self._ledger.why(price, now), self._ledger.wait(price, now))
        if refused.kind is RefusalKind.MALFORMED:
            return Delay(refused.public, self._pause_of(room))
        pause = next(self._pauses)
        if not refused.may_cost:
            pause = min(pause, PAUSE_MAX_SECONDS)
        self._reason, self._rests_until = refused.public, now + pause
        return Delay(refused.public, pause)

    def _pause_of(self, room: Room) -> float:
        """Return how long a room waits whose answer costs as much as a good one."""
        pauses = self._unread.setdefault(room, _pauses())
        if len(self._unread) > UNREAD_MAX:
            del self._unread[next(iter(self._unread))]
        return next(pauses)

    async def _settle(self, reserved: int, used: int) -> None:
        self._ledger.settle(reserved, used)
        await self._store.asave_account(self._ledger.account)


def rest_client() -> RestClient | None:
    """Return the site's client for the vendor's history; ``None`` without a key.

    A wrong address is logged: prices do without history.
    """
    key = conf.FCS_REST_KEY
    try:
        return RestClient(key, url=conf.FCS_REST_URL) if key else None
    except ConfigurationError as error:
        logger.error("prices have no history reason=%s", error)
        return None


def _pauses() -> Iterator[float]:
    return doubling(first=PAUSE_SECONDS, cap=REFUSED_SECONDS)
