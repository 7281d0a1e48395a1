"""The objects of FCS v4 as they stand in a frame, and the bounds of their numbers."""

from __future__ import annotations

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
    v: float | None = None
    a: float | None = None
    b: float | None = None
    update: float | None = None
    pc: float | None = None
    ch: float | None = None
    chp: float | None = None
    digits: int | None = None
    delay: int | None = None
    history: msgspec.Raw = NO_HISTORY
    profile: dict[str, Any] | None = None

    PRICES: ClassVar[tuple[str, ...]] = ("o", "h", "l", "c", "a", "b", "pc")
    NUMBERS: ClassVar[tuple[str, ...]] = (*PRICES, "v", "update", "ch", "chp")


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
    seq: int | None = None
    at: float | None = None
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


class OutOfBounds(ProtocolError):
    """A number of a price is out of its bounds."""


def leave_out(prices: Prices) -> list[str]:
    """Remove a volume and a time that are out of bounds; return why.

    A price counts without them.
    """
    left_out = []
    for name, limit in (("v", bounds.VOLUME_MAX), ("update", bounds.TIME_MAX)):
        value = getattr(prices, name)
        if value is not None and not 0 <= value <= limit:
            setattr(prices, name, None)
            left_out.append(f"{name}={value:g} is out of bounds")
    return left_out


def check_bounds(frame: Frame, prices: Prices) -> None:
    """Raise ``OutOfBounds`` if a price must not be used."""
    for name in Prices.PRICES:
        value = getattr(prices, name)
        if value is not None and not bounds.is_price(value):
            raise OutOfBounds(f"{name}={value:g} is not a price")
    for owner, name, low, high, what in (
        (prices, "t", 0, bounds.TIME_MAX, "in unix seconds"),
        (prices, "ch", -2 * bounds.PRICE_MAX, 2 * bounds.PRICE_MAX, "a change of a price"),
        (prices, "chp", -bounds.PERCENT_MAX, bounds.PERCENT_MAX, "a percentage"),
        (prices, "digits", 0, bounds.DIGITS_MAX, "a number of decimals"),
        (prices, "delay", 0, bounds.DELAY_MAX, "a delay"),
        (frame, "seq", 0, bounds.SEQ_MAX, "a number of a text"),
        (frame, "at", -bounds.TIME_MAX, bounds.TIME_MAX, "in unix seconds"),
    ):
        value = getattr(owner, name)
        if value is not None and not low <= value <= high:
            raise OutOfBounds(f"{name} is not {what}")


def is_candle(candle: Candle) -> bool:
    """Tell whether all numbers of an earlier candle are within their bounds."""
    prices = (candle.o, candle.h, candle.l, candle.c)
    return (
        (candle.t is None or abs(candle.t) <= bounds.TIME_MAX)
        and (candle.v is None or 0 <= candle.v <= bounds.VOLUME_MAX)
        and all(price is None or bounds.is_price(price) for price in prices)
    )
