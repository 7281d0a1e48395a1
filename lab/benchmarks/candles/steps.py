"""Single steps of a stream with the candles of a room."""

from __future__ import annotations

import time
from collections.abc import Callable

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.holes import missing
from django_fcs.candles.kept import Kept
from django_fcs.candles.series import Series
from django_fcs.candles.spans import SPANS_MAX
from django_fcs.prices.sessions import Markets
from lab.kit.statistics import median

from .market import MINUTE, bars_until

__all__ = ["STEPS", "time_steps"]

#: By the name of a figure, in words.
STEPS = {
    "page_ms": "merge an answer, of which the newest {candles} candles are kept",
    "whole_page_ms": "merge an answer, all of which is kept",
    "holes_ms": "find the holes of {candles} candles",
    "encode_ms": "write {candles} candles for the cache",
    "decode_ms": "read and check {candles} candles from the cache",
}

_CALLS = 5

_START = 1_700_000_000 // MINUTE * MINUTE


def time_steps(*, bars: int, candles: int) -> dict[str, float]:
    """Return the median time of each step in milliseconds; an answer has so many ``bars``."""
    page = bars_until(_START, bars)
    now, hours = float(_START + MINUTE), Markets().hours("FX:EURUSD")
    series = _often_left(page[-candles - candles // 2 :], candles)
    entry = Kept.of(series, saved_at=now).encode()
    steps: dict[str, Callable[[], object]] = {
        "page_ms": lambda: Series("1", keep=candles).take_page(page, fetched_at=now),
        "whole_page_ms": lambda: Series("1", keep=bars).take_page(page, fetched_at=now),
        "holes_ms": lambda: missing(series, hours, now),
        "encode_ms": lambda: Kept.of(series, saved_at=now).encode(),
        "decode_ms": lambda: Kept.decode(entry, "1"),
    }
    return {name: median(_time(step) for _ in range(_CALLS)) for name, step in steps.items()}


def _often_left(bars: list[Bar], keep: int) -> Series:
    """Return a series that was fetched, went on live, and was often left and joined again."""
    series, first = Series("1", keep=keep), bars[0].t
    series.take_page(bars[:keep], fetched_at=bars[keep - 1].t + MINUTE)
    for bar in bars[keep:]:
        series.put(bar, rank=Rank.LIVE, at=bar.t + MINUTE, is_final=True)
    for number in range(SPANS_MAX):
        for spans in (series.joined, series.answered, series.repaired):
            spans.add(first + 900 * number, first + 900 * number + 800)
    return series


def _time(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - began)
