"""The candles that charts show, read again after a moment: pages often show the same ones."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from django.core.signals import setting_changed
from django.dispatch import receiver

from django_fcs.candles import Candles, get_candles
from django_fcs.rooms import Room

__all__ = ["RecentCandles", "candles_to_show"]

#: An older copy is read again, in seconds; as old as the prices of a page may be.
COPY_SECONDS = 0.25

#: How many ranges are kept: 64 of 1,000 candles have 15 MB.
COPIES_MAX = 64


class _Copy(NamedTuple):
    candles: Candles
    at: float


class RecentCandles:
    """The last candles of the rooms that this process has shown.

    There is no lock: two threads that read the same at once both ask the cache.

    Args:
        read: Returns the newest candles of a room.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self,
        read: Callable[[Room, int], Candles],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._copies: OrderedDict[tuple[Room, int], _Copy] = OrderedDict()

    def __len__(self) -> int:
        return len(self._copies)

    def get(self, room: Room, limit: int) -> Candles:
        """Return the newest ``limit`` candles, at most ``COPY_SECONDS`` old."""
        now = self._monotonic()
        copy = self._copies.get((room, limit))
        if copy is None or now - copy.at >= COPY_SECONDS:
            copy = _Copy(self._read(room, limit), now)
            self._copies.pop((room, limit), None)
            self._copies[room, limit] = copy
            if len(self._copies) > COPIES_MAX:
                self._copies.popitem(last=False)
        return copy.candles

    def clear(self) -> None:
        """Forget all copies."""
        self._copies.clear()


_recent = RecentCandles(lambda room, limit: get_candles(room, limit=limit))


def candles_to_show(room: Room, limit: int) -> Candles:
    """Return the newest candles of a room for a widget."""
    return _recent.get(room, limit)


@receiver(setting_changed)
def _forget(**kwargs: object) -> None:
    _recent.clear()
