"""Asks the vendor for history, for all visitors of the site together, and keeps it.

Only the leading stream does. It asks once for each room, within the limits of the plan, and
only for ranges that nobody has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from django_fcs.candles.answers import Answer, Refused
from django_fcs.candles.holes import missing
from django_fcs.candles.ledger import Ledger
from django_fcs.candles.rest import RestClient
from django_fcs.candles.stores import CandleStore
from django_fcs.conf import conf
from django_fcs.layer.events import CandleNote, Wish
from django_fcs.prices.sessions import Markets
from django_fcs.tools.backoff import doubling
from django_fcs.tools.bell import Bell
from django_fcs.tools.logs import logger_of
from django_fcs.tools.metrics import count
from django_fcs.tools.tasks import each
from django_fcs.tools.worker import Workers

from .asking import Ask, Stock, credits_of, next_ask, note_answer
from .databank import Databank
from .histories import Histories, RoomHistory

__all__ = ["Historian"]

logger = logger_of(__name__)

#: Rooms for which the vendor is asked at the same time.
AT_ONCE = 4

#: After an answer that is none, the next request waits, in seconds.
PAUSE_SECONDS = 5
PAUSE_MAX_SECONDS = 300

#: How long a symbol without history is not asked for again, in seconds.
REFUSED_SECONDS = 3600

#: One wish takes at most so many requests in a turn; the rest waits for the next turn.
REQUESTS_A_TURN = 10

_NO_CACHE = "the cache does not answer"


class Historian:
    """Fulfils wishes for candles, one after the other in each room.

    Args:
        store: Where candles and the account are kept.
        rest: The vendor's history; ``None`` without a key.
        databank: What the site's database keeps.
        markets: The hours of all symbols.
        ready: Rung when there are notes for the hubs.
        clock: Unix seconds.
    """

    def __init__(
        self,
        store: CandleStore,
        *,
        rest: RestClient | None,
        databank: Databank,
        markets: Markets,
        ready: Bell,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rest = rest
        self._databank = databank
        self._markets = markets
        self._ready = ready
        self._clock = clock
        self._threads = Workers("fcs-history", size=AT_ONCE)
        self._pauses = _pauses()
        self._rests_until = 0.0
        self._rest_reason = ""

    async def work(self, histories: Histories, epoch: int) -> None:
        """Fulfil the wishes that come in; does not end."""
        if self._rest is None:
            await asyncio.Event().wait()
        ledger = await self._open(epoch)
        while True:
            async for _ in each(histories.wished(), self._server(histories, ledger), at_once=AT_ONCE):
                pass
            await histories.changed.heard(self._pause(ledger, histories))
