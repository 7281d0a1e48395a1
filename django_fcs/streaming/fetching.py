"""Requests to the vendor's history, within the limits of the plan."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from functools import partial
from queue import Full

from django_fcs.candles.answers import Answer, RefusalKind, Refused
from django_fcs.candles.ledger import Ledger
from django_fcs.candles.rest import RestClient
from django_fcs.candles.stores import CandleStore
from django_fcs.conf import conf
from django_fcs.exceptions import ConfigurationError
from django_fcs.rooms import Room
from django_fcs.tools.logs import logger_of
from django_fcs.tools.worker import Workers

from .asking import Ask, affordable, credits_of
from .lease import Alone, Lease
from .pauses import PAUSE_SECONDS, Delay, Pauses

__all__ = ["AT_ONCE", "Fetcher", "rest_client"]

logger = logger_of(__name__)

#: How many requests run at the same time.
AT_ONCE = 4

#: Between two attempts to read or write the account, in seconds.
ACCOUNT_SECONDS = 1

#: How often the account is written at least, in seconds.
KEEP_SECONDS = 30

#: Told to nobody, as the next leader asks.
_NO_LEASE = Delay("", 1)

_NO_ACCOUNT = "the cache does not answer, so no request to the vendor can be paid"

_REFUSED = "the feed refuses history"

#: The vendor says what a request has cost. It may not count more than this many times what its
#: candles cost.
_COST_MAX = 10


class Fetcher:
    """Asks the vendor, and keeps the account: a request is paid before it is made.

    Args:
        rest: The vendor's history.
        store: Where the account is kept.
        lease: Without it nothing is asked, and the account is not written.
        clock: Unix seconds.
    """

    def __init__(
        self,
        rest: RestClient,
        store: CandleStore,
        *,
        lease: Lease | Alone,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rest = rest
        self._store = store
        self._lease = lease
        self._clock = clock
        self._threads = Workers("fcs-history", size=AT_ONCE)
        self._pauses = Pauses()
        self._is_open = False
        self._saved_at = -math.inf
        """When the account was last written, in unix seconds."""

    async def open(self, epoch: int) -> None:
        """Take over the account: from then on, a leader of an earlier epoch writes none.

        A store that does not take it takes none for a request either, so nothing is asked.
        """
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
        if self._lease.is_held:
            await self._save()
        self._is_open = True

    async def keep(self) -> None:
        """Write the account again once in a while.

        The cache cannot compare and write at once, so a call of the leader before that was on
        its way may have come in between.
        """
        now = self._clock()
        if self._is_open and self._lease.is_held and abs(now - self._saved_at) >= KEEP_SECONDS:
            await self._save()

    def allowance(self, now: float) -> tuple[int, bool] | None:
        """Return the credits that are left, and whether the vendor may not be asked for long.

        ``None`` before the account was read.
        """
        if not self._is_open:
            return None
        is_closed = self._ledger.is_closed(now)
        return self._ledger.left, is_closed

    async def fetch(self, room: Room, ask: Ask, *, has_prices: bool = False) -> Answer | Delay:
        """Ask the vendor once, for as much as the plan has left; return why there is no answer.

        Args:
            room: The room.
            ask: What to ask for.
            has_prices: Whether prices of the room come, so that nobody has invented it.
        """
        now, ask = self._clock(), affordable(ask, self._ledger.left) or ask
        price = credits_of(ask.length)
        delay = self._pauses.delay(room, now) or self._unpaid(price, now)
        if delay is not None:
            return delay
        with self._pauses.trying():
            if not await self._reserve(price, now):
                return Delay(_NO_ACCOUNT, PAUSE_SECONDS)
            if not self._lease.is_held:
                return _NO_LEASE
            try:
                answer = await self._call(room, ask)
            except Refused as refused:
                return await self._refused(room, refused, price, has_prices=has_prices)
            self._pauses.end(room)
        await self._settle(price, _cost_of(answer))
        return answer

    def _unpaid(self, price: int, now: float) -> Delay | None:
        """Return why a request cannot be paid now."""
        if not self._lease.is_held:
            return _NO_LEASE
        wait = self._ledger.wait(price, now)
        return Delay(self._ledger.why(price, now), wait) if wait > 0 else None

    async def _reserve(self, price: int, now: float) -> bool:
        """Pay a request before it is made; return False if the store does not take it."""
        self._ledger.reserve(price, now)
        if await self._save():
            return True
        self._ledger.settle(price, 0)
        return False

    async def _call(self, room: Room, ask: Ask) -> Answer:
        request = partial(self._rest.history, room, length=ask.length, start=ask.start, end=ask.end)
        try:
            return await asyncio.wrap_future(self._threads.submit(request))
        except Full:
            raise Refused(RefusalKind.UNAVAILABLE, "all requests for history hang") from None

    async def _refused(
        self, room: Room, refused: Refused, price: int, *, has_prices: bool
    ) -> Delay:
        """Note why the vendor gave nothing; it charges only for what may have been candles."""
        logger.warning("no history room=%s reason=%s", room, refused)
        now = self._clock()
        is_of_all = self._pauses.concerns_account(room, refused, has_prices=has_prices)
        if is_of_all:
            until = None if refused.retry_after is None else now + refused.retry_after
            self._ledger.close(until, refused.public if refused.is_certain else _REFUSED, now)
        await self._settle(price, price if refused.may_cost else 0)
        if is_of_all:
            return Delay(self._ledger.why(price, now), self._ledger.wait(price, now))
        return self._pauses.begin(room, refused, now)

    async def _settle(self, reserved: int, used: int) -> None:
        self._ledger.settle(reserved, used)
        if self._lease.is_held:
            await self._save()

    async def _save(self) -> bool:
        self._saved_at = self._clock()
        return await self._store.asave_account(self._ledger.account)


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


def _cost_of(answer: Answer) -> int:
    cost = credits_of(len(answer.bars) + answer.dropped)
    return max(cost, min(answer.credits or 0, _COST_MAX * max(cost, 1)))
