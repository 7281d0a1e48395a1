"""The pages with charts, and what a server sends to them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from random import Random

import msgspec

from django_fcs import widgets
from django_fcs.candles.bars import Bar
from django_fcs.protocol import Price, RoomState, serialise
from django_fcs.rooms import Room
from lab.benchmarks.candles.market import MINUTE, bars_until, price_of
from lab.benchmarks.page.recording import Recording

from .printed import TIMEFRAME, known

__all__ = ["CHARTS", "FRAMES_PER_SECOND", "UPDATES_PER_SECOND", "page", "recording", "symbols_of"]

CHARTS = 8
UPDATES_PER_SECOND = 200
FRAMES_PER_SECOND = 10

_STYLE = """
body { margin: 0; font: 13px/20px system-ui, sans-serif }
main { display: grid; grid-template-columns: repeat(COLUMNS, minmax(0, 1fr)) }
"""


def symbols_of(number: int) -> list[str]:
    return [f"BINANCE:C{index:03}USDT" for index in range(number)]


def page(symbols: Sequence[str], bars: int, *, columns: int, height: int) -> str:
    """Return the page with a chart of each symbol; needs Django."""
    with known("memory", symbols, bars):
        charts = "".join(
            widgets.chart(symbol, TIMEFRAME, range=bars, height=height) for symbol in symbols
        )
    style = _STYLE.replace("COLUMNS", str(columns))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Charts</title>'
        f'<link rel="icon" href="data:,"><style>{style}</style>{widgets.scripts()}'
        f"<body><main>{charts}</main></body></html>"
    )


class _Walk:
    """The price of one room: each step continues its candle, or begins the next minute."""

    def __init__(self, symbol: str, bars: Sequence[Bar]) -> None:
        self._room, self._bar, self._random = Room(symbol, TIMEFRAME), bars[-1], Random(17)
        self._seq = 0

    def next(self, at: float) -> Price:
        """Return the price at a time in unix seconds."""
        self._seq += 1
        t, close = int(at) // MINUTE * MINUTE, self._bar.c
        close = round(close + self._random.randint(-9, 9) * 1e-5, 5)
        if t > self._bar.t:
            self._bar = Bar(t, self._bar.c, self._bar.c, self._bar.c, self._bar.c, 0.0)
        high, low = max(self._bar.h, close), min(self._bar.l, close)
        self._bar = self._bar._replace(h=high, l=low, c=close)
        price = price_of(self._room, self._bar)
        return msgspec.structs.replace(price, seq=self._seq, at=at, digits=5)


def recording(symbols: Sequence[str], bars: int, seconds: float, updates: int) -> Recording:
    """Return what a server sends for some seconds from now; ``updates`` a second in all."""
    now = time.time()
    history = bars_until(int(now) // MINUTE * MINUTE, bars + 1)
    walks = {symbol: _Walk(symbol, history) for symbol in symbols}
    frames = []
    random = Random(17)
    for number in range(int(seconds * FRAMES_PER_SECOND)):
        offset = (number + 1) / FRAMES_PER_SECOND
        picked = random.choices(symbols, k=updates // FRAMES_PER_SECOND)
        prices = [walks[symbol].next(now + offset) for symbol in dict.fromkeys(picked)]
        frames.append((offset, f"[{','.join(map(serialise, prices))}]"))
    joined = {symbol: _joined(symbol, history, now) for symbol in symbols}
    return Recording(joined, frames, {symbol: _candles(symbol, history) for symbol in symbols})


def _joined(symbol: str, history: Sequence[Bar], now: float) -> str:
    """Return the answer to a join, after which a chart asks for its candles."""
    room = {"symbol": symbol, "timeframe": TIMEFRAME}
    joined = json.dumps({"type": "message", "short": "joined_room", "success": True, **room})
    live = serialise(RoomState(symbol=symbol, timeframe=TIMEFRAME, state="live"))
    return f"[{joined},{serialise(_Walk(symbol, history).next(now))},{live}]"


def _candles(symbol: str, history: Sequence[Bar]) -> str:
    rows = [[bar.t, bar.o, bar.h, bar.l, bar.c, bar.v] for bar in history]
    rest = {"more": False, "missing": [], "repaired": [], "note": ""}
    room = {"type": "candles", "symbol": symbol, "timeframe": TIMEFRAME}
    return json.dumps({**room, "candles": rows, **rest})
