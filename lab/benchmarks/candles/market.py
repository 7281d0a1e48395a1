"""Candles of a made-up market: as the vendor's answer, and as prices of the feed."""

from __future__ import annotations

import json
import random
import time

from django_fcs.candles.answers import Answer, read_answer
from django_fcs.candles.bars import Bar
from django_fcs.candles.rest import RestClient
from django_fcs.protocol import Price
from django_fcs.protocol.address import RestAddress
from django_fcs.rooms import Room

__all__ = ["MINUTE", "Vendor", "bars_until", "price_of"]

MINUTE = 60

_URL, _KEY = "https://history.invalid/", "no key"


def bars_until(last: int, number: int) -> list[Bar]:
    """Return bars of one minute, ascending; the last one opens at ``last``, in unix seconds."""
    rng, close, bars = random.Random(number), 1.08, []
    for t in range(last - MINUTE * (number - 1), last + 1, MINUTE):
        opened, close = close, round(close + rng.uniform(-0.001, 0.001), 5)
        high, low = max(opened, close) + 0.0005, min(opened, close) - 0.0005
        bars.append(Bar(t, opened, high, low, close, round(rng.uniform(0, 1e6), 2)))
    return bars


def price_of(room: Room, bar: Bar) -> Price:
    """Return the frame with which the feed tells of a bar."""
    values = {"t": bar.t, "o": bar.o, "h": bar.h, "l": bar.l, "c": bar.c, "v": bar.v}
    return Price(symbol=room.symbol, timeframe=room.timeframe, mode="candle", **values)  # type: ignore[arg-type]


class Vendor(RestClient):
    """The vendor's history without the network: every answer has the same bars.

    They are objects with texts of numbers, in which form an answer is longest.
    """

    def __init__(self, bars: list[Bar]) -> None:
        super().__init__(_KEY, url=_URL)
        rows = {str(bar.t): {name: str(v) for name, v in bar._asdict().items()} for bar in bars}
        self._body = json.dumps({"status": True, "code": 200, "response": rows}).encode()

    def history(
        self, room: Room, *, length: int, start: int | None = None, end: int | None = None
    ) -> Answer:
        """Read the answer."""
        return read_answer(
            self._body,
            status=200,
            headers={},
            address=RestAddress(_URL, _KEY),
            timeframe=room.timeframe,
            now=time.time(),
        )
