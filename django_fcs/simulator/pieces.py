"""Pieces of a price path, and how one is split into shorter ones that add up to it exactly.

All numbers are whole: prices in units of the last digit, volumes in units of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

__all__ = ["Piece", "joined", "split", "trades"]

#: The mean distance of high and low of a random walk, in standard deviations of its end.
_RANGE = 1.6

#: How far a part reaches beyond its open and close at most, in standard deviations of a part.
_REACH = 0.8


class Piece(NamedTuple):
    """What happened to the price within some time; it opens where the piece before closed."""

    o: int
    h: int
    l: int  # noqa: E741
    c: int
    v: int


def joined(opened: int, pieces: Iterable[Piece]) -> Piece:
    """Return consecutive pieces as one; without any, it is flat at ``opened``."""
    high = low = close = opened
    volume = 0
    for _, h, l, c, v in pieces:  # noqa: E741
        high, low = max(high, h), min(low, l)
        close = c
        volume += v
    return Piece(opened, high, low, close, volume)


def split(piece: Piece, count: int, rng: Random) -> tuple[Piece, ...]:
    """Split a piece into parts of equal length; ``joined`` makes the same piece of them."""
    points = _points(piece, count, rng.random)
    reach = _REACH * _step(piece, count)
    opens = points[:-1]
    closes = points[1:]
    highs = [max(one) + round(reach * rng.random()) for one in zip(opens, closes, strict=True)]
    lows = [min(one) - round(reach * rng.random()) for one in zip(opens, closes, strict=True)]
    highest, lowest = highs.index(max(highs)), lows.index(min(lows))
    highs = [min(high, piece.h) for high in highs]
    lows = [max(low, piece.l) for low in lows]
    highs[highest], lows[lowest] = piece.h, piece.l
    volumes = _shares(piece.v, count, rng.random)
    return tuple(map(Piece, opens, highs, lows, closes, volumes))


def trades(piece: Piece, count: int, rng: Random) -> tuple[Piece, ...]:
    """Split a piece into single trades; return what there is of the piece after each.

    ``count`` is 3 or more: one trade may be needed for the high, one for the low.
    """
    prices = _points(piece, count, rng.random)[1:]
    between = range(count - 1)
    highest = max(between, key=prices.__getitem__)
    lowest = min((n for n in between if n != highest), key=prices.__getitem__)
    if piece.h > max(piece.o, piece.c):
        prices[highest] = piece.h
    if piece.l < min(piece.o, piece.c):
        prices[lowest] = piece.l
    after = []
    high = low = piece.o
    volume = 0
    for price, size in zip(prices, _shares(piece.v, count, rng.random), strict=True):
        high, low = max(high, price), min(low, price)
        volume += size
        after.append(Piece(piece.o, high, low, price, volume))
    return tuple(after)


def _step(piece: Piece, count: int) -> float:
    """Return the standard deviation of a part's change."""
    return (piece.h - piece.l) / _RANGE / math.sqrt(count)


def _points(piece: Piece, count: int, random: Callable[[], float]) -> list[int]:
    """Draw a path from open to close, within high and low: ``count`` steps."""
    points, price, step = [piece.o], float(piece.o), _step(piece, count)
    for left in range(count, 1, -1):
        # A sum of three is close to a normal distribution, and costs less.
        noise = 2 * (random() + random() + random()) - 3
        price += (piece.c - price) / left + step * math.sqrt((left - 1) / left) * noise
        price = min(max(price, piece.l), piece.h)
        points.append(round(price))
    points.append(piece.c)
    return points


def _shares(volume: int, count: int, random: Callable[[], float]) -> list[int]:
    """Divide a volume into unequal parts."""
    if not volume:
        return [0] * count
    weights = [0.4 + random() for _ in range(count)]
    unit, reached, before = volume / sum(weights), 0.0, 0
    shares = []
    for weight in weights[:-1]:
        reached += weight * unit
        shares.append(int(reached) - before)
        before = int(reached)
    return [*shares, volume - before]
