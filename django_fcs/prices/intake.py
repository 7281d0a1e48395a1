"""Which frames of a room can be true, judged by what is known of the room before them.

A feed sends a zero or a wrong time now and then. Such a frame would be shown as the market
price, and a time in the future would make every later frame too late. What is refused
counts in ``upstream_malformed``.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from django_fcs.protocol import Price
from django_fcs.tools.metrics import count
from django_fcs.values.timeframes import LENGTHS

from .snapshots import Snapshot
from .updates import TICK_AHEAD_SECONDS

__all__ = ["Intake", "usual_lead"]

_DAY = 86_400

#: No tick is farther in the future, not even if its time is local and a clock is wrong.
#: Neither is a candle, whatever else makes it believable.
AHEAD_SECONDS = TICK_AHEAD_SECONDS

#: No recording is older. A candle that opens earlier has no time at all.
PAST_SECONDS = 30 * 365 * _DAY

#: A tick may be that much earlier than the opening of its candle, because one of them is local.
EARLY_TICK_SECONDS = 2 * _DAY

#: How far clocks may disagree before a candle seems to open in the future.
CLOCKS_SECONDS = 300

#: A candle is at least this part of its timeframe. The first candle of a session is shorter than
#: the others, such as half an hour of an hour.
SHORTEST_CANDLE = 1 / 3

#: A price opens within this factor of the close before. No market moves as far between two
#: candles, but a currency may lose its zeros.
GAP_MAX = 1e4

#: That many frames in a row are right about an opening time or a sign, whatever is known.
WITNESSES = 3


def usual_lead(timeframe: str) -> float:
    """Return how many seconds in the future a candle may open if clocks are about right."""
    return float(min(LENGTHS[timeframe], _DAY) + CLOCKS_SECONDS)


class Intake:
    """Decides which frames of one room, and which of their values, may be merged.

    Every refusal of a time or a sign has an end: an ``initial`` is believed, the first frame
    after ``doubt`` too, and so are ``WITNESSES`` frames in a row that agree. None of them is
    believed about a time far from now, or about a price on the other side of its own candle.
    """

    __slots__ = (
        "_across",
        "_ahead",
        "_is_doubted",
        "_known",
        "_length",
        "_rival",
        "_usual",
        "_was_near_zero",
        "_witnesses",
    )

    def __init__(self, known: Snapshot) -> None:
        self._known = known
        self._length = LENGTHS[known.room.timeframe]
        self._usual = usual_lead(known.room.timeframe)
        self._ahead = self._usual
        """How far in the future a candle may open."""
        self._is_doubted = False
        self._rival: int | None = None
        """The last opening time that did not fit."""
        self._witnesses = 0
        """How many frames in a row had such a time, none earlier than the one before."""
        self._across = 0
        """How many frames in a row had a sensible price of the other sign."""
        self._was_near_zero = False
        """Whether the last candle that was whole came near zero."""

    def doubt(self) -> None:
        """Doubt what is known and believe the next frame, because the connection was lost."""
        self._is_doubted = True

    def admit(self, price: Price, now: float) -> Price | None:
        """Return the price without what cannot be true; ``None`` if it must not be merged.

        ``now`` is in unix seconds. A price that is only late is returned.
        """
        known = self._known
        if price.update is not None and not self._is_tick(price.update, price.t, now):
            price = _without(price, ("update",))
        if price.t == known.t and known.c is not None and known.c > 0 and _are_positive(price):
            # Almost all frames.
            self._rival, self._is_doubted, self._across = None, False, 0
            return price
        self._note_range()
        believed = self._is_doubted or price.mode == "initial"
        fits = price.t is None or self._fits(price.t, now, believed)
        usable = self._in_range(price, believed) if fits else None
        if usable is None:
            count("upstream_malformed")
            return None
        if price.t is not None:
            self._go_to(price.t, price.mode, now, believed)
            self._is_doubted = False
        return usable if self._has_sensible_history(usable) else _without(usable, ("history",))

    def _is_tick(self, update: float, t: int | None, now: float) -> bool:
        """Tell whether a tick may be of that time."""
        opened = self._known.t if t is None else t
        earliest = now - PAST_SECONDS if opened is None else opened - EARLY_TICK_SECONDS
        return earliest <= update <= now + AHEAD_SECONDS

    def _fits(self, t: int, now: float, believed: bool) -> bool:
        if not now - PAST_SECONDS <= t <= now + AHEAD_SECONDS:
            return False
        known = self._known.t
        is_soon = known is not None and 0 < t - known < self._length * SHORTEST_CANDLE
        fits = not is_soon and t <= now + self._ahead
        if believed or (not fits and self._is_witnessed(t)):
            self._learn_clock(t, now)
            return True
        return fits

    def _learn_clock(self, t: int, now: float) -> None:
        """Expect more candles that open early, as the clock of this process may be slow."""
        self._ahead = self._usual + max(0.0, t - now)

    def _go_to(self, t: int, mode: str, now: float, believed: bool) -> None:
        """Undo the current candle if its opening time was wrong."""
        known = self._known.t
        if known is None or t >= known:
            self._rival = None
        elif believed or (mode != "close" and self._is_witnessed(t)):
            self._rival = None
            self._known.go_back_to(t)
            self._learn_clock(t, now)

    def _is_witnessed(self, t: int) -> bool:
        # A slow room has one frame in each candle, so the time may grow.
        is_next = self._rival is not None and t >= self._rival
        self._witnesses = self._witnesses + 1 if is_next else 1
        self._rival = t
        return self._witnesses >= WITNESSES

    def _in_range(self, price: Price, believed: bool) -> Price | None:
        """Return the price without values of a wrong sign; ``None`` if nothing is left.

        Prices go through zero only where they are near it.
        """
        known = self._known.c
        if known is not None and known > 0 and _are_positive(price):
            return price
        if self._was_near_zero:
            return price
        believed = known is None or believed or self._is_across_often(price, known)
        if believed and price.c and not _contradicts_itself(price):
            known = price.c
        if known is None:
            known = self._known.b or self._known.a or price.b or price.a or 0.0
        wrong = {name for name in "ohlcab" if _is_across(getattr(price, name), known)}
        if "c" in wrong or (believed and _contradicts_itself(price)):
            return None
        self._across = 0
        if wrong & {"o", "h", "l"} and not (believed and _goes_through_zero(price)):
            price = replace(price, mode="askbid")
            price = _without(price, ("o", "h", "l", "v"))
        if sides := wrong & {"a", "b"}:
            price = _without(price, sides)
        return None if price.c is None and price.a is None and price.b is None else price

    def _has_sensible_history(self, price: Price) -> bool:
        """Tell whether the last earlier candle may be the one before; only its close is used."""
        if not price.history or (close := price.history[-1].c) is None:
            return True
        known, opened = self._known, price.history[-1].t
        if opened is not None and price.t is not None and opened >= price.t:
            return False
        if not close:
            return self._was_near_zero
        near = [abs(value) for value in (price.o, price.c) if value]
        near = near or [abs(value) for value in (known.c, price.b, price.a) if value]
        return any(value / GAP_MAX <= abs(close) <= value * GAP_MAX for value in near)

    def _is_across_often(self, price: Price, known: float) -> bool:
        c = price.c
        if not c or not _is_across(c, known) or _contradicts_itself(price):
            return False
        if c < 0 and price.mode == "askbid":  # Only a candle shows that a market fell below zero.
            return False
        self._across += 1
        return self._across >= WITNESSES

    def _note_range(self) -> None:
        """Remember the candle, which a new one without values replaces."""
        o, h, l, c = self._known.o, self._known.h, self._known.l, self._known.c  # noqa: E741
        if o is not None and h is not None and l is not None and c is not None:
            self._was_near_zero = l <= 0 or _is_near_zero(o, h, l, c)


def _without(price: Price, names: Iterable[str]) -> Price:
    count("upstream_malformed")
    return replace(price, **dict.fromkeys(names, None))


def _are_positive(price: Price) -> bool:
    c, a, b, o, h, l = price.c, price.a, price.b, price.o, price.h, price.l  # noqa: E741
    return (
        (c is None or c > 0)
        and (b is None or b > 0)
        and (a is None or a > 0)
        and (o is None or o > 0)
        and (l is None or l > 0)
        and (h is None or h > 0)
        and not price.history
    )


def _is_across(value: float | None, known: float) -> bool:
    """Tell whether a value is zero, or on the other side of zero."""
    return value is not None and (value == 0 or (value < 0) != (known < 0))


def _is_near_zero(o: float, h: float, l: float, c: float) -> bool:  # noqa: E741
    """Tell whether a candle has moved by as much as its price is away from zero.

    It has from its open too, because a single high may be wrong.
    """
    return abs(c) <= min(h - l, abs(o - c))


def _goes_through_zero(price: Price) -> bool:
    """Tell whether a candle has reached zero, so that its signs may differ."""
    o, h, l, c = price.o, price.h, price.l, price.c  # noqa: E741
    if o is None or h is None or l is None or c is None or not l <= c <= h:
        return False
    # A low of zero is often one that was not sent.
    return l < 0 < h or (l <= 0 <= h and _is_near_zero(o, h, l, c))


def _contradicts_itself(price: Price) -> bool:
    """Tell whether a price is on the other side of zero than its whole candle."""
    h, l, c = price.h, price.l, price.c  # noqa: E741
    if h is None or l is None or c is None:
        return False
    return c <= 0 < min(h, l) or c >= 0 > max(h, l)
