"""The merged last value of a room, without clock or sockets."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fnmatch import fnmatchcase
from typing import Any

from django_fcs.protocol import Price
from django_fcs.protocol.bounds import DELAY_MAX, DIGITS_MAX, FIGURES_MAX, PERCENT_MAX, PRICE_MIN
from django_fcs.rooms import Room
from django_fcs.tools.metrics import count
from django_fcs.values.timeframes import LONGEST

__all__ = ["Snapshot", "decimals", "digits_for", "spread_of"]

#: Each frame that needs the decimals keeps them for this many frames that do not need them. At
#: most ``NEEDED_MAX`` such frames count. The last figures of a price are sometimes zeros, and
#: its width should not change then.
PATIENCE_FRAMES = 5
NEEDED_MAX = 100

_CANDLE = ("o", "h", "l", "v")
_Values = tuple[float | None, ...]

_DELAYED = "delayed_streaming_"
_DELAY_LENGTH_MAX = 9

#: Exact for two prices within the bounds; what is no number stays none.
_EXACT = Context(prec=64, traps=[])


def spread_of(ask: float | None, bid: float | None) -> float | None:
    """Return ask minus bid, not rounded and without the noise of binary numbers."""
    if ask is None or bid is None:
        return None
    return float(_EXACT.subtract(Decimal(repr(ask)), Decimal(repr(bid))))


class Snapshot:
    """Everything known about a room, merged from its frames in order.

    Fields have the vendor's names: the candle ``o h l c v`` opened at ``t``
    (unix seconds), ask ``a``, bid ``b``, ``update`` (unix seconds). ``pc`` is
    the close of the candle before, if the history or this stream contains it.

    Args:
        digits: Decimals to show; ``None`` to learn them.
        ends: Returns when the candle of an opening time ends, in unix seconds; ``None`` if that
            is not known, or not yet. It may then last as long as the longest of its timeframe.
    """

    __slots__ = (
        "room",
        "t",
        "o",
        "h",
        "l",
        "c",
        "v",
        "a",
        "b",
        "update",
        "pc",
        "delay",
        "is_moved",
        "_before",
        "_close",
        "_end",
        "_ends",
        "_is_end_known",
        "_longest",
        "_went_back",
        "_pc_before",
        "_digits",
        "_volume_is_real",
    )

    def __init__(
        self,
        room: Room,
        *,
        digits: int | None = None,
        ends: Callable[[int], float | None] | None = None,
    ) -> None:
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
        self._close: float | None = None
        """The close of the current candle, which ``c`` may have left behind."""
        self.is_moved = False
        """Whether ask and bid have moved the close since the last frame with a whole candle."""
        self._ends = ends
        self._end = 0.0
        """No tick moves the current candle from this time on, in unix seconds."""
        self._is_end_known = False
        self._longest = LONGEST[room.timeframe]
        self._went_back = False
        self._pc_before: float | None = None
        self._digits = _Digits() if digits is None else _FixedDigits(digits)
        self._volume_is_real = False

    @property
    def digits(self) -> int:
        """Decimals to show: set by the site, or the most that prices of the feed have."""
        return self._digits.shown

    @property
    def bar(self) -> tuple[int, float, float, float, float, float | None] | None:
        """The current candle ``t o h l c v``; ``None`` while its prices are not known.

        Its close is no tick that came after the end of the candle, as ``c`` may be, and it
        lies between low and high, which are never stretched.
        """
        t, o, h, l, c = self.t, self.o, self.h, self.l, self._close  # noqa: E741
        if t is None or o is None or h is None or l is None or c is None:
            return None
        return (t, o, h, l, c, self.v) if l <= o <= h and l <= c <= h else None

    @property
    def spread(self) -> float | None:
        """Ask minus bid, in units of price."""
        return spread_of(self.a, self.b)

    @property
    def change(self) -> float | None:
        """Close minus previous close if that is known, otherwise close minus open."""
        base = self.o if self.pc is None else self.pc
        if self.c is None or base is None:
            return None
        return round(self.c - base, self.digits)

    @property
    def change_percent(self) -> float | None:
        """``change`` in percent of the previous close or the open.

        ``None`` if that is not above zero, because the percentage would mean nothing.
        """
        base = self.o if self.pc is None else self.pc
        if self.c is None or base is None or base < PRICE_MIN:
            return None
        percent = (self.c - base) / base * 100
        return round(percent, 4) if abs(percent) <= PERCENT_MAX else None

    def merge(self, price: Price) -> bool:
        """Merge a frame of this room; return False if it is too late to change anything.

        High and low are always the vendor's, never extended to the close.
        """
        if self.t is not None and price.t is not None and price.t < self.t:
            return self._apply_late_close(price)
        self._advance(price)
        self._apply(price)
        if price.history and price.history[-1].c is not None:
            self.pc = price.history[-1].c
        self._learn_digits()
        return True

    def go_back_to(self, t: int) -> None:
        """Undo the current candle, whose opening time was wrong; the right one is ``t``."""
        self.pc = self._pc_before if t == self._before else None
        self._pc_before = self.t = self._before = None
        self.o = self.h = self.l = self.v = self._close = None
        self._volume_is_real = False
        self._went_back = True

    def find_end(self) -> None:
        """Learn when the current candle ends if that was not known until now."""
        if self.t is None or self._is_end_known:
            return
        end = None if self._ends is None else self._ends(self.t)
        self._is_end_known = end is not None
        self._end = self.t + self._longest if end is None else end

    def describe(self, profile: Mapping[str, Any]) -> None:
        """Take the feed's delay from a profile."""
        self.delay = _delay(profile.get("update_mode"))

    def price(self, mode: str, *, seq: int, at: float) -> Price:
        """Return everything known as one frame of the given mode."""
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

    def _apply_late_close(self, price: Price) -> bool:
        """Take the last state of a candle, which may arrive after the next has begun."""
        if price.mode != "close" or price.t != self._before or price.c == self.pc:
            return False
        self.pc = price.c
        self._learn_digits()
        return True

    def _advance(self, price: Price) -> None:
        """Begin a new candle, without any values, if this frame belongs to one."""
        if price.t is None or price.t == self.t:
            return
        if self.t is not None:
            self._pc_before = self.pc
            # Before an initial there is a gap, in which other candles may have ended.
            # After a step back, this candle may be older than it seems.
            self.pc = None if price.mode == "initial" or self._went_back else self.c
            self._went_back = False
            self.o = self.h = self.l = self.v = self._close = None
            self._volume_is_real = False
        self._before, self.t = self.t, price.t
        self.is_moved = self._is_end_known = False
        self.find_end()

    def _apply(self, price: Price) -> None:
        if price.c is not None:
            self.c = price.c
        if price.a is not None:
            self.a = price.a
        if price.b is not None:
            self.b = price.b
        if price.mode != "askbid":
            self.o, self.h, self.l, self._close = price.o, price.h, price.l, price.c
            self.is_moved = False
            self._apply_volume(price)
        elif self._is_close(price.c, price.update):
            self._close = price.c
            self.is_moved = True
        # A frame without a time must not keep the time of an earlier tick.
        self.update = price.update

    def _is_close(self, c: float | None, update: float | None) -> bool:
        """Tell whether a tick lies within the candle, in time and in price."""
        if c is None or update is None or self.t is None or self.h is None or self.l is None:
            return False
        return self.l <= c <= self.h and self.t <= update < self._end

    def _apply_volume(self, price: Price) -> None:
        """Take the volume; ``initial.v`` is not the candle's volume, so any other replaces it."""
        if price.v is None or (price.mode == "initial" and self._volume_is_real):
            return
        self.v = price.v
        self._volume_is_real = price.mode != "initial"

    def _learn_digits(self) -> None:
        self._digits.learn((self.o, self.h, self.l, self.pc), (self.c, self.a, self.b))


class _FixedDigits:
    """The decimals that the site sets."""

    __slots__ = ("shown",)

    def __init__(self, digits: int) -> None:
        self.shown = digits

    def learn(self, slow: _Values, fast: _Values) -> None:
        pass


class _Digits:
    """The decimals that prices need, learned from the values that are shown together.

    A single stray value is forgotten after ``PATIENCE_FRAMES`` frames.
    """

    __slots__ = ("_needed", "_next", "_slow", "_slow_digits", "_unneeded", "shown")

    def __init__(self) -> None:
        self.shown = 0
        self._slow: _Values = ()
        self._slow_digits = 0
        self._needed = 0
        """How many frames needed the decimals that are shown."""
        self._unneeded = 0
        """How many frames since then did not."""
        self._next = 0
        """The most decimals that these frames needed."""

    def learn(self, slow: _Values, fast: _Values) -> None:
        """Learn from all values that are shown; most of them are the same as before."""
        if slow != self._slow:
            self._slow = slow
            self._slow_digits = max((decimals(v) for v in slow if v is not None), default=0)
        digits = self._slow_digits
        for value in fast:
            if value is not None and (found := decimals(value)) > digits:
                digits = found
        if digits < self.shown:
            self._unneeded += 1
            self._next = max(self._next, digits)
            if self._unneeded >= PATIENCE_FRAMES * self._needed:
                self._show(self._next, self._unneeded)
        elif digits > self.shown:
            self._show(digits, 1)
        else:
            self._needed = min(self._needed + 1, NEEDED_MAX)
            self._unneeded = self._next = 0

    def _show(self, digits: int, needed: int) -> None:
        self.shown, self._needed = digits, min(needed, NEEDED_MAX)
        self._unneeded = self._next = 0


# The same prices repeat, and formatting a float takes a microsecond. A cache four times as
# large would raise the hit rate by one percent at 50 rooms and five at 500, but the process
# would grow for a quarter of an hour.
@functools.lru_cache(maxsize=4096)
def decimals(value: float) -> int:
    """Count the decimals of a price, without those that come from binary rounding."""
    if abs(value) < PRICE_MIN:
        return 0
    text = repr(value)
    if "e" in text or len(text) > FIGURES_MAX:
        exponent = Decimal(f"{value:.{FIGURES_MAX}g}").as_tuple().exponent
        return min(max(0, -int(exponent)), DIGITS_MAX)
    return 0 if text.endswith(".0") else len(text.partition(".")[2])


def digits_for(symbol: str, patterns: Mapping[str, int]) -> int | None:
    """Return what ``FCS_DIGITS`` sets for a symbol: the first pattern that matches counts."""
    for pattern, digits in patterns.items():
        if fnmatchcase(symbol, pattern):
            return min(max(0, digits), DIGITS_MAX)
    return None


def _delay(update_mode: object) -> int | None:
    """Return the seconds of ``delayed_streaming_900``, the vendor's only field on delay.

    A longer delay than ``DELAY_MAX`` counts as that one: a price must not look fresher than
    it is.
    """
    if not isinstance(update_mode, str) or not update_mode.startswith(_DELAYED):
        return None
    seconds = update_mode[len(_DELAYED) :]
    if not (seconds.isascii() and seconds.isdecimal()):
        return None
    # Python converts no text of more than 4,300 digits.
    delay = int(seconds[:_DELAY_LENGTH_MAX])
    if len(seconds) > _DELAY_LENGTH_MAX or delay > DELAY_MAX:
        count("upstream_malformed")
        return DELAY_MAX
    return delay
