"""The frames of a measurement: made once, kept in a file, and sent at their times by the server.

The first line of a file has the answers to a join and to a request of candles, by symbol. Each
further line has the time of a frame in seconds, a tab, and its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from random import Random

from django_fcs.prices.symbols import CURRENCIES
from django_fcs.protocol import Price, RoomState, serialise

__all__ = ["TIMEFRAME", "Load", "Recording", "merged", "one_by_one", "read", "write"]

TIMEFRAME = "1D"

#: The age of the day's candle when the frames begin, in seconds.
_DAY_SO_FAR = 3600


@dataclass(frozen=True)
class Load:
    """What a page shows and receives."""

    rooms: int = 200
    """Each is shown by a ticker and three single values."""
    updates_per_second: int = 1000
    """Of all rooms together."""
    frames_per_second: int = 10
    """On the merge protocol; the default of ``FCS_MAX_FRAMES_PER_SECOND``."""
    seed: int = 14

    @property
    def symbols(self) -> list[str]:
        """Pairs of currencies and coins in turn."""
        pairs = (f"FX:{base}{quote}" for base, quote in permutations(CURRENCIES, 2))
        coins = (f"BINANCE:C{number:03}USDT" for number in range(self.rooms))
        return [symbol for both in zip(pairs, coins, strict=False) for symbol in both][: self.rooms]


@dataclass
class Recording:
    """What a server sends to a page."""

    joined: Mapping[str, str]
    """Symbol → the frame that answers its join."""
    frames: Sequence[tuple[float, str]]
    """Seconds after the last join, and the frame."""
    candles: Mapping[str, str] = field(default_factory=dict)
    """Symbol → the answer to a request of its candles."""


@dataclass
class _Walk:
    """The prices of one room: a random walk."""

    symbol: str
    random: Random
    began: float
    """When the frames begin, unix seconds."""
    ticks: int = 0

    def __post_init__(self) -> None:
        self.digits, self.open = (5, 1.08412) if self.symbol.startswith("FX:") else (2, 88_000.0)
        self.high = self.low = self.close = self.open

    def next(self, offset: float = 0, *, is_first: bool = False) -> Price:
        """Return the price at this time, in seconds after the first frame."""
        at = round(self.began + offset, 3)
        step = 10**-self.digits
        self.ticks += 1
        self.close = round(self.close + self.random.randint(-9, 9) * step, self.digits)
        self.high, self.low = max(self.high, self.close), min(self.low, self.close)
        return Price(
            symbol=self.symbol,
            timeframe=TIMEFRAME,
            mode="initial" if is_first else "candle",
            t=int(self.began) - _DAY_SO_FAR,
            o=self.open,
            h=self.high,
            l=self.low,
            c=self.close,
            v=8192.0 + self.ticks,
            a=round(self.close + step, self.digits),
            b=round(self.close - step, self.digits),
            update=at,
            pc=self.open,
            ch=round(self.close - self.open, self.digits),
            chp=100 * (self.close - self.open) / self.open,
            digits=self.digits,
            seq=1000 + self.ticks,
            at=at,
        )


def _walks(load: Load, began: float) -> list[_Walk]:
    random = Random(load.seed)
    return [_Walk(symbol, random, began) for symbol in load.symbols]


def _prices(load: Load, walks: Sequence[_Walk], seconds: float) -> Iterator[tuple[float, Price]]:
    random = Random(load.seed)
    for number in range(int(seconds * load.updates_per_second)):
        offset = number / load.updates_per_second
        yield offset, random.choice(walks).next(offset)


def merged(load: Load, seconds: float, began: float) -> Recording:
    """Return what this project sends: the newest price of each room, many in one frame.

    It lasts some seconds and begins at a time in unix seconds.
    """
    walks = _walks(load, began)
    joined = {}
    for walk in walks:
        live = RoomState(symbol=walk.symbol, timeframe=TIMEFRAME, state="live")
        first = serialise(walk.next(is_first=True))
        joined[walk.symbol] = f"[{first},{serialise(live)}]"
    windows: dict[int, dict[str, Price]] = {}
    for offset, price in _prices(load, walks, seconds):
        window = int(offset * load.frames_per_second) + 1
        windows.setdefault(window, {})[price.symbol] = price
    frames = [
        (window / load.frames_per_second, f"[{','.join(map(serialise, prices.values()))}]")
        for window, prices in windows.items()
    ]
    return Recording(joined, frames)


def one_by_one(load: Load, seconds: float, began: float) -> Recording:
    """Return what the vendor sends: each update in a frame of its own, without our additions."""
    walks = _walks(load, began)
    joined = {walk.symbol: _plain(walk.next(is_first=True)) for walk in walks}
    frames = [(offset, _plain(price)) for offset, price in _prices(load, walks, seconds)]
    return Recording(joined, frames)


def _plain(price: Price) -> str:
    names = ("t", "o", "h", "l", "c", "v", "a", "b", "update")
    values = {name: getattr(price, name) for name in names}
    return serialise(
        Price(symbol=price.symbol, timeframe=price.timeframe, mode=price.mode, **values)
    )


def write(recording: Recording, path: Path) -> None:
    """Write a recording to a file."""
    with path.open("w") as file:
        file.write(json.dumps([recording.joined, recording.candles]) + "\n")
        file.writelines(f"{offset:.6f}\t{text}\n" for offset, text in recording.frames)


def read(path: Path) -> Recording:
    """Read a recording from a file."""
    with path.open() as file:
        joined, candles = json.loads(file.readline())
        lines = (line.rstrip("\n").split("\t", 1) for line in file)
        return Recording(joined, [(float(offset), text) for offset, text in lines], candles)
