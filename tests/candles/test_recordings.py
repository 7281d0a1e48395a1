"""Recordings of real ticks give the bars that counting the ticks gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.series import Series
from django_fcs.prices.snapshots import Snapshot
from django_fcs.protocol import Price, parse
from django_fcs.rooms import Room
from tests.support.recordings import DATA


def frames_of(name: str) -> Iterator[tuple[float, str]]:
    """Yield when each text of a recording came; its last line may be cut off."""
    if not (DATA / name).exists():
        pytest.skip("this recording is not part of the project")
    for line in (DATA / name).read_text().splitlines():
        if line.endswith("}"):
            frame = json.loads(line)
            yield frame["at"], frame["text"]


def streamed(name: str, room: Room) -> tuple[Series, Snapshot]:
    """Put each candle into a series when the next one begins, as a stream does."""
    snapshot, series = Snapshot(room), Series(room.timeframe, keep=10_000)
    for at, text in frames_of(name):
        for price in parse(text):
            if not isinstance(price, Price):
                continue
            if snapshot.bar and price.t is not None and price.t > snapshot.bar[0]:
                series.put(Bar(*snapshot.bar), rank=Rank.LIVE, at=at, is_final=True)
            snapshot.merge(price)
    return series, snapshot


def prices_of(name: str) -> Iterator[dict[str, Any]]:
    for _, text in frames_of(name):
        frame = json.loads(text)
        if frame["type"] == "price" and "c" in frame["prices"]:
            yield frame["prices"]


def counted(name: str, length: int) -> list[Bar]:
    """Return the first, highest, lowest and last price of each opening time."""
    ticks: dict[int, list[float]] = {}
    volumes: dict[int, Any] = {}
    for prices in prices_of(name):
        t = prices["t"]
        if prices.get("update", t) < t + length:
            ticks.setdefault(t, []).append(prices["c"])
        volumes[t] = prices.get("v", volumes.get(t))
    return [Bar(t, of[0], max(of), min(of), of[-1], volumes[t]) for t, of in ticks.items()]


def as_sent(name: str) -> list[Bar]:
    """Return the last candle of each opening time, of a recording without ticks."""
    found = {prices["t"]: Bar(*(prices[name] for name in "tohlcv")) for prices in prices_of(name)}
    return list(found.values())


@pytest.mark.parametrize(
    ("name", "room", "count"),
    [
        ("crypto-btcusdt-2021-01-08.jsonl", Room("BINANCE:BTCUSDT", "1"), 1),
        ("fx-eurusd-2020-01-01.jsonl", Room("FX:EURUSD", "1"), 216),
        ("fx-usdjpy-2013-01-01.jsonl", Room("FX:USDJPY", "1"), 33),
        ("stock-goog-daily.jsonl", Room("NASDAQ:GOOG", "1D"), 1000),
    ],
)
def test_a_recording_gives_the_bars_that_its_ticks_add_up_to(
    name: str, room: Room, count: int
) -> None:
    series, snapshot = streamed(name, room)
    assert snapshot.bar is not None

    *ended, forming = as_sent(name) if room.timeframe == "1D" else counted(name, 60)

    assert series.bars() == [(bar, True) for bar in ended]
    assert Bar(*snapshot.bar) == forming
    assert len(ended) + 1 == count
