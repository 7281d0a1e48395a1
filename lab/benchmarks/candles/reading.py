"""``get_candles`` as a view calls it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from django.test import override_settings

from django_fcs.candles import get_candles
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.reading import candle_store, forget_candles
from django_fcs.candles.series import Series
from django_fcs.prices.paths import PathReport
from django_fcs.prices.snapshots import Snapshot
from django_fcs.prices.store import LastValue
from django_fcs.prices.updates import Update
from django_fcs.rooms import Room
from django_fcs.site import forget_prices, site_store
from lab.kit.processes import Failed
from lab.kit.statistics import median

from .market import MINUTE, bars_until, price_of

__all__ = ["SITES", "fill", "read_candles"]

ROOM = Room("FX:EURUSD", "1")

#: By the name of a site, the settings in which it differs.
SITES: dict[str, dict[str, Any]] = {
    "memory": {"CHANNEL_LAYERS": {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}},
    "cache": {
        "CHANNEL_LAYERS": {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": ["redis://127.0.0.1:9"]},
            }
        },
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    },
}


def read_candles(site: str, *, kept: int, limit: int, calls: int) -> dict[str, float]:
    """Return the median time of a call, in microseconds."""
    with override_settings(**SITES[site], FCS_CANDLES=kept):
        forget_prices()
        forget_candles()
        last = int(time.time()) // MINUTE * MINUTE
        asyncio.run(fill(ROOM, bars_until(last, kept + 1), time.time()))
        times = [_call(limit) for _ in range(calls)]
        found = get_candles(ROOM, limit=limit)
        forget_prices()
        forget_candles()
    if len(found) != limit or found[-1].t != last:
        raise Failed(f"{len(found)} of {limit} candles were read")
    return {"us": 1e6 * median(times)}


def _call(limit: int) -> float:
    began = time.perf_counter()
    get_candles(ROOM, limit=limit)
    return time.perf_counter() - began


async def fill(room: Room, bars: list[Bar], now: float) -> None:
    """Save candles of a room, and its last value."""
    series, snapshot = Series(room.timeframe, keep=len(bars) - 1), Snapshot(room)
    for bar in bars:
        series.put(bar, rank=Rank.LIVE, at=bar.t)
    snapshot.merge(price_of(room, bars[-1]))
    price = snapshot.price("candle", seq=1, at=now)
    value = LastValue(Update.encode(room, price, epoch=0).text)
    await site_store().asave({room: value}, PathReport(now, online=True, reason=""))
    await candle_store().asave({room: Kept.of(series, saved_at=now)})
