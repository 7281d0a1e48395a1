"""Prices for the tests of sites, without a vendor, a key or a network.

``docs/testing.md`` has examples of both: ``push_price`` sets one known price, and
``simulator`` runs a whole feed behind the socket.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.test import override_settings

from . import embedded
from .candles import reading
from .conf import conf
from .fanout.hub import Hub
from .layer.bus import Beat, Bus
from .prices.paths import PathReport
from .prices.snapshots import Snapshot, digits_for
from .prices.store import LastValue
from .prices.updates import Update
from .protocol import Candle, Price
from .rooms import Room
from .simulator import Faults, RandomWalk, Replay, Simulator
from .simulator.bounds import candle_bounds
from .simulator.sources import Source
from .site import forget_copies, forget_prices, site_store

__all__ = [
    "Faults",
    "RandomWalk",
    "Replay",
    "Simulator",
    "end_streams",
    "push_price",
    "simulator",
]


@asynccontextmanager
async def simulator(
    source: Source | None = None, *, faults: Faults | None = None
) -> AsyncIterator[Simulator]:
    """Run a simulator in place of the vendor, for a site that knows no price yet.

    ``FCS_URL`` and ``FCS_REST_URL`` point at it, with keys that it accepts, until the
    context ends, which also stops the stream of this event loop and forgets its prices.
    ``joined`` of the simulator waits until the site has joined a room.
    """
    async with Simulator(source or RandomWalk(), faults=faults) as running:
        with override_settings(
            **{"FCS_URL": running.url, "FCS_API_KEY": "test"},
            **{"FCS_REST_URL": running.rest_url, "FCS_REST_KEY": "test"},
        ):
            await _start_over()
            try:
                yield running
            finally:
                await _start_over()


async def end_streams() -> None:
    """Stop what sockets of this event loop have started: its hub and its stream."""
    await embedded.stop()
    await Hub.of_this_loop(site_store()).aclose()


async def _start_over() -> None:
    """Forget the prices last: a stream that ends saves what it has."""
    await end_streams()
    forget_prices()
    reading.forget_candles()


async def push_price(
    room: Room | str,
    *,
    close: float,
    open: float | None = None,
    high: float | None = None,
    low: float | None = None,
    volume: float | None = None,
    ask: float | None = None,
    bid: float | None = None,
    previous_close: float | None = None,
    age: float = 0,
) -> None:
    """Set the price of a room, for views, templates and open sockets.

    It replaces the whole price: nothing of an earlier one stays. ``open``, ``high`` and
    ``low`` default to ``close``; ``age`` is in seconds. ``room`` is a ``Room`` or text
    such as ``"FX:EURUSD"``; raises ``BadSymbol``. Do not use it while a feed runs,
    because the feed's prices then count as older: push through ``simulator()`` instead.
    """
    room = Room.from_text(room) if isinstance(room, str) else room
    now = time.time()
    snapshot = Snapshot(room, digits=digits_for(room.symbol, conf.FCS_DIGITS))
    snapshot.merge(
        Price(
            symbol=room.symbol,
            timeframe=room.timeframe,
            mode="candle",
            t=candle_bounds(room.timeframe, now - age)[0],
            o=close if open is None else open,
            h=close if high is None else high,
            l=close if low is None else low,
            c=close,
            v=volume,
            a=ask,
            b=bid,
            history=None if previous_close is None else [Candle(c=previous_close)],
        )
    )
    await _publish(room, snapshot, at=now - age, now=now)


async def _publish(room: Room, snapshot: Snapshot, *, at: float, now: float) -> None:
    # In microseconds, as the stream counts: higher than any number that it has used.
    price = snapshot.price("candle", seq=int(now * 1_000_000), at=at)
    epoch = int(now * 1000)
    update = Update.encode(room, price, epoch=epoch)
    path = PathReport(now, online=True, reason="")
    await site_store().asave({room: LastValue(update.text)}, path)
    forget_copies()
    async with Bus() as bus:
        await bus.beat(Beat(epoch, path))
        await bus.publish([update])
