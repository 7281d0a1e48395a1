"""The benchmark of candles; nothing is timed here."""

from __future__ import annotations

from lab.benchmarks.candles.measure import measure


def test_a_few_rooms_can_be_measured() -> None:
    figures = measure(rooms=2, keep=20, rows=50)

    assert figures.keys() >= {"rooms_mb", "page_ms", "holes_ms"}
    assert 0 < figures["decode_ms"] < 1000
