"""The target for candles: rows of REST, and what the cache keeps of a series."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec

from django_fcs.candles.bars import Bar, Rank, is_sound, read_bar
from django_fcs.candles.kept import Kept
from django_fcs.candles.series import Series
from lab.kit import grammar

__all__ = ["Candles"]

_NOW = 1_766_361_600
_KEEP = 20


def _whole() -> dict[str, Any]:
    series = Series("1", keep=_KEEP)
    for number in range(_KEEP):
        bar = Bar(_NOW - 60 * number, 1.1, 1.2, 1.0, 1.15, 8.0)
        series.put(bar, rank=Rank.LIVE, at=float(_NOW))
    series.joined.add(_NOW - 600, _NOW)
    kept: dict[str, Any] = msgspec.msgpack.decode(Kept.of(series, saved_at=float(_NOW)).encode())
    return kept


_WHOLE = _whole()
_ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 1e300, "", "x", b"", b"\xff" * 57, [], {}, [[2, 1]], [[0, 2**63]]),
    *([[1, 2], [3, 4]], [[1, 2]] * 200, "1D", bytes(57), bytes(570_057), bytes(570_114)),
)


class Candles:
    """Reads rows into one series, and entries of a cache; nothing else is kept between them."""

    def __enter__(self) -> Candles:
        self._series = Series("1", keep=_KEEP)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @staticmethod
    def draw(random: Random) -> str | bytes:
        """Draw rows as JSON, or an entry of the cache."""
        return _rows(random) if random.random() < 0.5 else _entry(random)

    def feed(self, thing: str | bytes) -> None:
        """Read one input; raises an error if what is read cannot be a series."""
        if isinstance(thing, str):
            self._take(thing)
            _check(self._series)
        elif (kept := Kept.decode(thing, "1")) is not None:
            _check(kept.series(_KEEP))
            assert Kept.decode(kept.encode(), "1") == kept, "another entry when it is read again"

    def _take(self, text: str) -> None:
        try:
            rows = json.loads(text)
        except ValueError:
            return
        # A field that is no number may add a value to its row or take some away.
        whole = (row for row in rows if len(row) == len("tohlcv"))
        bars = [read_bar(*row, timeframe="1", now=_NOW) for row in whole]
        self._series.take_page([bar for bar in bars if bar], fetched_at=float(_NOW))


def _rows(random: Random) -> str:
    rows = (",".join(_field(random, name) for name in "tohlcv") for _ in range(random.randrange(9)))
    return f"[{','.join(f'[{row}]' for row in rows)}]"


def _field(random: Random, name: str) -> str:
    if name == "t" and random.random() < 0.8:
        return str(_NOW - 60 * random.randrange(40))
    return grammar.odd_number(random, str(_NOW)) if random.random() < 0.3 else "1.1"


def _entry(random: Random) -> bytes:
    changes = {name: random.choice(_ODD) for name in _WHOLE if random.random() < 0.1}
    entry = msgspec.msgpack.encode({**_WHOLE, **changes})
    return grammar.damaged(random, entry) if random.random() < 0.5 else entry


def _check(series: Series) -> None:
    bars = [bar for bar, _ in series.bars()]
    assert all(map(is_sound, bars)), f"no candle can be in {bars}"
    assert series.times() == sorted({bar.t for bar in bars}), f"no order in {series.times()}"
    assert len(series) <= _KEEP + 1, f"{len(series)} candles"
