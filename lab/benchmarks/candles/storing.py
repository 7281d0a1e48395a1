"""A long answer of the vendor, merged and stored by a stream whose prices must not wait."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from django.test import override_settings

from django_fcs.candles.bars import Bar
from django_fcs.candles.saved import SavedCandles
from django_fcs.candles.stores import MemoryCandles
from django_fcs.layer.events import Wish
from django_fcs.prices.sessions import Markets
from django_fcs.prices.snapshots import Snapshot
from django_fcs.rooms import Room
from django_fcs.streaming.historian import Historian, historian_of
from django_fcs.streaming.histories import Histories
from django_fcs.streaming.lease import Alone
from django_fcs.tools.bell import Bell
from django_fcs.tools.tasks import running
from lab.kit.processes import Failed
from tests.support.databases import site_with_candles, sqlite

from .market import MINUTE, Vendor, bars_until

__all__ = ["store_answer"]

ROOM = Room("BINANCE:BTCUSDT", "1")

#: How often the loop is to come round, in seconds.
_PERIOD = 0.001

#: How long the stream runs before it is asked, in seconds.
_SETTLE = 0.1

_SETTINGS = {
    "FCS_REST_KEY": "no key",
    "FCS_REST_CREDITS_PER_MONTH": 1_000_000,
    "FCS_SAVE_CANDLES": ["*"],
}


def store_answer(*, bars: int, is_seen: bool) -> dict[str, float]:
    """Return in milliseconds how long it took until pages were told, and the longest wait.

    ``collect_ms`` is how long Python needs to collect the garbage of the whole process.
    If ``is_seen``, the stream has seen all the bars, and the answer replaces them.
    """
    with (
        TemporaryDirectory() as folder,
        site_with_candles(sqlite(Path(folder))),
        override_settings(**_SETTINGS, FCS_CANDLES=bars),
    ):
        figures = asyncio.run(_store(bars, is_seen=is_seen))
        [stored] = SavedCandles().overview([ROOM])
    if stored.number < bars - 1:  # The last bar may be forming.
        raise Failed(f"{stored.number} of {bars} bars are stored")
    return figures


async def _store(number: int, *, is_seen: bool) -> dict[str, float]:
    bars = bars_until(int(time.time()) // MINUTE * MINUTE, number)
    histories, ready = Histories(markets=Markets()), Bell()
    lease = Alone(time.time)
    epoch = await lease.acquire()
    historian = historian_of(
        MemoryCandles(),
        Vendor(bars),
        lease=lease,
        markets=Markets(),
        ready=ready,
        credits_a_request=100,
    )
    if is_seen:
        await _see(bars, historian, histories)
    waits: list[float] = []
    async with (
        running(lease.keep()),
        running(historian.work(histories, epoch)),
        running(_note_waits(waits)),
    ):
        # What the preparation has left is no garbage of the answer.
        collecting = _collect()
        await asyncio.sleep(_SETTLE)
        waits.clear()
        began = time.perf_counter()
        historian.hear(Wish(ROOM, limit=number), histories)
        await ready.heard()
        seconds = time.perf_counter() - began
    [note] = historian.wishes.take_notes()
    if note.note or note.start != bars[0].t:
        raise Failed(f"the answer was not stored: {note}")
    return {
        "wall_ms": 1000 * seconds,
        "held_ms": 1000 * max(waits),
        "collect_ms": 1000 * collecting,
    }


async def _see(bars: list[Bar], historian: Historian, histories: Histories) -> None:
    """Let a stream see bars end, and store them."""
    history = histories.begin(ROOM, bars[0].t, Snapshot(ROOM))
    histories.look([ROOM], bars[0].t)
    for bar in bars:
        histories.close_candle(history, bar, bar.t + MINUTE)
    await historian.save(histories, at_once=True)


def _collect() -> float:
    """Collect the garbage of the process; return how many seconds that took."""
    began = time.perf_counter()
    gc.collect()
    return time.perf_counter() - began


async def _note_waits(waits: list[float]) -> None:
    """Note for how many seconds the loop came round too late each time; does not end."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_PERIOD)
        waits.append(time.perf_counter() - began - _PERIOD)
