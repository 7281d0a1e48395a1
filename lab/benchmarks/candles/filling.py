"""The memory that the candles of many rooms take in a stream.

It runs in a process of its own, as memory that another measurement has freed would be used again::

    python -m lab.benchmarks.candles.filling 500 600 [traced]
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc

import django
from django.test import override_settings

from django_fcs.candles.bars import Bar
from django_fcs.candles.stores import MemoryCandles
from django_fcs.prices.sessions import Markets
from django_fcs.rooms import Room
from django_fcs.streaming.streamed import Streamed
from lab.kit.places import ROOT
from lab.kit.processes import Failed
from tests.support.memory import weigh

from .market import MINUTE, bars_until, price_of

__all__ = ["fill", "fill_apart"]


def fill_apart(*, rooms: int, candles: int) -> dict[str, float]:
    """Return what ``fill`` returns, resident and as Python counts it, each in a new process."""
    return {
        **{f"rss_{name}": value for name, value in _in_a_process(rooms, candles).items()},
        **{
            f"traced_{name}": value
            for name, value in _in_a_process(rooms, candles, "traced").items()
        },
    }


def _in_a_process(rooms: int, candles: int, *more: str) -> dict[str, float]:
    command = [sys.executable, "-m", "lab.benchmarks.candles.filling"]
    command += [str(rooms), str(candles), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr[-2000:])
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def fill(*, rooms: int, candles: int) -> dict[str, float]:
    """Return by how many megabytes a stream grows with the candles of its rooms.

    ``stored_mb`` is the growth together with a store in memory, which a site in one process has.
    """
    names = [Room(f"BINANCE:C{number:03}USDT", "1") for number in range(rooms)]
    last = int(time.time()) // MINUTE * MINUTE
    bars = bars_until(last, candles + 1)
    with override_settings(FCS_CANDLES=candles):
        stream, store = Streamed(epoch=1, markets=Markets()), MemoryCandles()
        # The first price of each room: a stream without candles of the past keeps it, too.
        _tick(stream, names, bars[candles // 2])
        before = _weight()
        _fetch(stream, names, bars[: candles // 2])
        for bar in bars[candles // 2 + 1 :]:
            _tick(stream, names, bar)
        grown = _weight() - before
        histories = stream.histories
        kept = {
            room: histories.kept(history, last)
            for room in names
            if (history := histories.get(room))
        }
        asyncio.run(store.asave(kept))
    if {len(one.series(candles)) for one in kept.values()} != {candles + 1}:
        raise Failed("rooms without all their candles")
    return {"mb": grown / 1e6, "stored_mb": (_weight() - before) / 1e6}


def _fetch(stream: Streamed, rooms: list[Room], bars: list[Bar]) -> None:
    """Take the older candles from the vendor's history."""
    for room in rooms:
        history = stream.histories.get(room)
        assert history is not None
        history.series.take_page(bars, fetched_at=bars[-1].t + MINUTE)


def _tick(stream: Streamed, rooms: list[Room], bar: Bar) -> None:
    """Let a candle of each room come from the feed, and send and save what is due."""
    for room in rooms:
        stream.merge(room, price_of(room, bar), bar.t + 1.0)
    for taken in (stream.take_updates(), stream.take_values(), stream.histories.take_ended()):
        for _ in taken:
            pass


def _weight() -> int:
    """Return the memory of this process in bytes, as Python counts it if it does."""
    gc.collect()
    return (
        tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else weigh(os.getpid()).rss
    )


def main() -> int:
    """Fill a stream, and print by how much it has grown."""
    rooms, candles, *more = sys.argv[1:]
    django.setup()
    if more:
        tracemalloc.start()
    sys.stdout.write(json.dumps(fill(rooms=int(rooms), candles=int(candles))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
