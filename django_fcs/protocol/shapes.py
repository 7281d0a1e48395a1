"""The objects of FCS v4 as they stand in a frame, and the bounds of their numbers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import msgspec

from django_fcs.exceptions import ProtocolError

from . import bounds
from .messages import Candle

__all__ = [
    "NO_HISTORY",
    "Frame",
    "OutOfBounds",
    "PriceFrame",
    "Prices",
    "check_bounds",
    "is_candle",
    "leave_out",
]

# One shared object: the encoder recognises a frame without history by identity.
NO_HISTORY = msgspec.Raw()


class Prices(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The ``prices`` object on the wire; fields are written in this order."""

    mode: str | None = None
    t: float | None = None
    o: float | None = None
    h: float | None = None
    l: float | None = None  # noqa: E741 - the vendor's name
    c: float | None = None
    v: Any = None
    a: float | None = None
    b: float | None = None
    update: Any = None
    pc: Any = None
    ch: Any = None
    chp: Any = None
    digits: Any = None
    delay: Any = None
    history: msgspec.Raw = NO_HISTORY
    profile: dict[str, Any] | None = None

    PRICES: ClassVar[tuple[str, ...]] = ("o", "h", "l", "c", "a", "b")
    EXTRAS: ClassVar[tuple[str, ...]] = ("v", "update", "pc", "ch", "chp", "digits", "delay")


class PriceFrame(msgspec.Struct, kw_only=True, omit_defaults=True, tag="price", tag_field="type"):
    """A price on the wire; ``docs/protocol.md`` guarantees the order of fields."""

    symbol: str
    timeframe: str
    prices: Prices
    seq: int | None = None
    at: float | None = None


class Frame(msgspec.Struct, kw_only=True):
    """All fields of all messages; a field that the frame does not have is ``None``."""

    type: str
    symbol: str | None = None
    timeframe: str | int | None = None
    prices: Prices | None = None
    seq: Any = None
    at: Any = None
    history: msgspec.Raw = NO_HISTORY
    timestamp: float | None = None
    token: str | None = None
    success: bool = True
    short: str | None = None
    message: str | None = None
    msg: str | None = None
    room: str | None = None
    state: str | None = None
    reason: str | None = None
    until: float | None = None
    frames_per_second: float | None = None
    limit: float | None = None
    before: float | None = None


class OutOfBounds(ProtocolError):
    """A number of a price is out of its bounds."""


#: A price counts without these numbers, so their types are checked apart from it.
_EXTRAS: dict[str, Any] = {
    **{"v": bounds.Volume, "update": bounds.FeedTime, "pc": bounds.Price, "ch": bounds.Change},
    **{"chp": bounds.Percent, "digits": bounds.Digits, "delay": bounds.Delay},
    **{"seq": bounds.Seq, "at": bounds.UnixTime},
}


def leave_out(frame: Frame, prices: Prices) -> list[str]:
    """Remove the numbers that cannot be used and that a price counts without; return why."""
    left_out = []
    for name, kind in _EXTRAS.items():
        owner = frame if name in ("seq", "at") else prices
        value = getattr(owner, name)
        if value is None:
            continue
        number = _number(value, kind)
        if number is None or (name == "pc" and not bounds.is_price(number)):
            number = None
            left_out.append(f"{name} is out of bounds")
        setattr(owner, name, number)
    return left_out


def check_bounds(prices: Prices) -> None:
    """Raise ``OutOfBounds`` if a price must not be used."""
    for name in Prices.PRICES:
        value = getattr(prices, name)
        if value is not None and not bounds.is_price(value):
            raise OutOfBounds(f"{name}={value:g} is not a price")
    t = prices.t
    if t is not None and not (0 <= t <= bounds.TIME_MAX and t == int(t)):
        raise OutOfBounds("t is not in whole unix seconds")


def _number(value: Any, kind: Any) -> float | None:
    try:
        number: float = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return None
    return number if math.isfinite(number) else None


def is_candle(candle: Candle) -> bool:
    """Tell whether all numbers of an earlier candle are within their bounds."""
    prices = (candle.o, candle.h, candle.l, candle.c)
    return (
        (candle.t is None or abs(candle.t) <= bounds.TIME_MAX)
        and (candle.v is None or 0 <= candle.v <= bounds.VOLUME_MAX)
        and all(price is None or bounds.is_price(price) for price in prices)
    )
