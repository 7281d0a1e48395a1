"""Series as a stream has them: their memory, and the time to merge, keep and read them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from typing import Any

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.holes import missing
from django_fcs.candles.kept import Kept
from django_fcs.candles.series import Series
from django_fcs.candles.spans import SPANS_MAX
from django_fcs.prices.sessions import Markets
from tests.support.memory import weigh

__all__ = ["measure"]

_START = 1_700_000_000

#: The best of some runs is the one that no other process held up.
_RUNS = 5


def measure(*, rooms: int, keep: int, rows: int) -> dict[str, float]:
    """Return megabytes of all rooms, and milliseconds of single calls."""
    gc.collect()
    before = weigh(os.getpid()).rss
    kept = [_series(keep) for _ in range(rooms)]
    gc.collect()
    figures = {"rooms_mb": (weigh(os.getpid()).rss - before) / 1e6}
    page = [_bar(number) for number in reversed(range(rows))]
    series, hours = kept[0], Markets().hours("FX:EURUSD")
    entry = Kept.of(series, saved_at=_now(keep)).encode()
    calls: dict[str, Callable[[], Any]] = {
        "page_ms": lambda: Series("1", keep=keep).take_page(page, fetched_at=_now(rows)),
        "whole_page_ms": lambda: Series("1", keep=rows).take_page(page, fetched_at=_now(rows)),
        "encode_ms": lambda: Kept.of(series, saved_at=_now(keep)).encode(),
        "decode_ms": lambda: Kept.decode(entry, "1"),
        "holes_ms": lambda: missing(series, hours, _now(keep)),
    }
    return {
        **figures,
        "kept_kb": len(entry) / 1000,
        **{n: _best(call) for n, call in calls.items()},
    }


def _bar(number: int) -> Bar:
    c = 1.1 + number / 1000
    return Bar(_START + 60 * number, c, c + 0.01, c - 0.01, c, float(number))


def _now(bars: int) -> float:
    return _START + 60.0 * bars


def _series(keep: int) -> Series:
    """Return a series that was fetched, went on live, and was often left and joined again."""
    series = Series("1", keep=keep)
    series.take_page(map(_bar, range(keep)), fetched_at=_now(keep))
    for number in range(keep, keep + keep // 2):
        series.put(_bar(number), rank=Rank.LIVE, at=_now(number + 1), is_final=True)
    for number in range(SPANS_MAX):
        for spans in (series.joined, series.answered, series.repaired):
            spans.add(_START + 900 * number, _START + 900 * number + 800)
    return series


def _best(call: Callable[[], Any]) -> float:
    taken = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return min(taken)
