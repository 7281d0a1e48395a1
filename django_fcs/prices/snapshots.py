"""The merged last value of a room. It has no clock and knows no socket."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from django_fcs.protocol import Price
from django_fcs.rooms import Room

__all__ = ["Snapshot", "decimals", "digits_for"]

#: More decimals than any instrument quotes are an artefact of binary floats.
DIGITS_MAX = 10

_CANDLE = ("o", "h", "l", "v")
_DELAYED = "delayed_streaming_"


class Snapshot:
    """All that is known of a room, merged from its frames in their order.

    Fields bear the vendor's names: the candle ``o h l c v`` opened at ``t``
    (unix seconds), ask ``a``, bid ``b``, ``update`` (unix seconds); ``pc`` is
    the close of the candle before, where history or this stream has seen it.
    """

    __slots__ = (
        *("room", "t", "o", "h", "l", "c", "v", "a", "b", "update", "pc"),
        *("delay", "_before", "_digits", "_fixed_digits", "_volume_is_real"),
    )

    def __init__(self, room: Room, *, digits: int | None = None) -> None:
        self.room = room
        self.t: int | None = None
        self.o: float | None = None
        self.h: float | None = None
        self.l: float | None = None
        self.c: float | None = None
        self.v: float | None = None
        self.a: float | None = None
        self.b: float | None = None
        self.update: float | None = None
        self.pc: float | None = None
        self.delay: int | None = None
        self._before: int | None = None
        self._digits = 0
        self._fixed_digits = digits
        self._volume_is_real = False

    @property
    def digits(self) -> int:
        """Decimals to show: those the site set, else the most the feed has sent."""
        return self._digits if self._fixed_digits is None else self._fixed_digits

    @property
    def spread(self) -> float | None:
        """Ask minus bid, in units of price."""
        return None if self.a is None or self.b is None else self.a - self.b

    @property
    def change(self) -> float | None:
        """Close minus previous close where that is known, else minus open."""
        base = self.o if self.pc is None else self.pc
        if self.c is None or base is None:
            return None
        return round(self.c - base, self.digits)

    @property
    def change_percent(self) -> float | None:
        """The same in percent of what it is measured against."""
        base = self.o if self.pc is None else self.pc
        if self.c is None or not base:
            return None
        return round((self.c - base) / base * 100, 4)

    def merge(self, price: Price) -> bool:
        """Take in a frame of this room; False where it comes too late to change it.

        High and low are the vendor's, never stretched.
        """
        if self.t is not None and price.t is not None and price.t < self.t:
            return self._take_late_close(price)
        self._advance(price)
        self._take(price)
        self._learn_digits(price.o, price.h, price.l, price.c, price.a, price.b)
        self._learn_previous_close(price)
        return True

    def describe(self, profile: Mapping[str, Any]) -> None:
        """Take in a profile: the feed's delay."""
        self.delay = _delay(profile.get("update_mode"))

    def price(self, mode: str, *, seq: int, at: float) -> Price:
        """Return all that is known as one frame of the given mode."""
        return Price(
            symbol=self.room.symbol,
            timeframe=self.room.timeframe,
            mode=mode,
            t=self.t,
            o=self.o,
            h=self.h,
            l=self.l,
            c=self.c,
            v=self.v,
            a=self.a,
            b=self.b,
            update=self.update,
            pc=self.pc,
            ch=self.change,
            chp=self.change_percent,
            digits=self.digits,
            delay=self.delay,
            seq=seq,
            at=at,
        )

    def _take_late_close(self, price: Price) -> bool:
        """The vendor may say how a candle ended after the next has begun."""
        if price.mode != "close" or price.t != self._before or price.c == self.pc:
            return False
        self.pc = price.c
        self._learn_digits(price.c)
        return True

    def _advance(self, price: Price) -> None:
        """Begin the candle of this frame, if it is a new one: nothing of it is known yet."""
        if price.t is None or price.t == self.t:
            return
        if self.t is not None:
            # An initial follows a gap, in which other candles may have ended unseen.
            self.pc = None if price.mode == "initial" else self.c
            self.o = self.h = self.l = self.v = None
            self._volume_is_real = False
        self._before, self.t = self.t, price.t

    def _take(self, price: Price) -> None:
        if price.c is not None:
            self.c = price.c
        if price.a is not None:
            self.a = price.a
        if price.b is not None:
            self.b = price.b
        if price.mode != "askbid":
            self.o, self.h, self.l = price.o, price.h, price.l
            self._take_volume(price)
        # The time of an earlier tick must not outlive it.
        self.update = price.update

    def _take_volume(self, price: Price) -> None:
        """The vendor's ``initial.v`` is no volume of the candle: it yields to any other."""
        if price.v is None or (price.mode == "initial" and self._volume_is_real):
            return
        self.v = price.v
        self._volume_is_real = price.mode != "initial"

    def _learn_digits(self, *values: float | None) -> None:
        if self._fixed_digits is not None:
            return
        for value in values:
            if value is not None and (found := decimals(value)) > self._digits:
                self._digits = found

    def _learn_previous_close(self, price: Price) -> None:
        if price.history and price.history[-1].c is not None:
            self.pc = price.history[-1].c
            self._learn_digits(self.pc)


# The same prices come again and again, and writing a float costs a microsecond. Four times
# as many would be found in one per cent more cases at 50 rooms, in five at 500, and would
# let a process grow for a quarter of an hour.
@functools.lru_cache(maxsize=4096)
def decimals(value: float) -> int:
    """Count the decimals of a number; 0 for what only a float's rounding explains."""
    text = repr(value)
    if "e" not in text and "." in text:
        count = 0 if text.endswith(".0") else len(text) - text.index(".") - 1
    else:
        count = max(0, -int(Decimal(text).as_tuple().exponent))
    return count if count <= DIGITS_MAX else 0


def digits_for(symbol: str, patterns: Mapping[str, int]) -> int | None:
    """Return what ``FCS_DIGITS`` sets for a symbol; the first pattern that fits."""
    for pattern, digits in patterns.items():
        if fnmatchcase(symbol, pattern):
            return digits
    return None


def _delay(update_mode: object) -> int | None:
    """Seconds of delay in ``delayed_streaming_900``, which is all the vendor says."""
    if not isinstance(update_mode, str) or not update_mode.startswith(_DELAYED):
        return None
    seconds = update_mode[len(_DELAYED) :]
    return int(seconds) if seconds.isdecimal() else None
