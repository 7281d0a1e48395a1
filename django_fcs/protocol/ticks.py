"""A faster reader for prices, the most frequent frames.

It decodes a price in the documented form in one step; ``protocol.parse`` reads everything
else. Prices from the vendor and the texts that a stream sends to hubs are read here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from django_fcs.exceptions import ProtocolError

from . import bounds
from .bounds import PRICE_MIN, is_price
from .messages import Price

__all__ = ["Head", "read_head", "read_tick"]


class _Prices(msgspec.Struct, gc=False):
    mode: Literal["candle", "askbid", "close", "initial"]
    t: Annotated[int, msgspec.Meta(ge=0, le=bounds.TIME_MAX)] | None = None
    o: bounds.Price | None = None
    h: bounds.Price | None = None
    l: bounds.Price | None = None  # noqa: E741 - the vendor's name
    c: bounds.Price | None = None
    v: bounds.Volume | None = None
    a: bounds.Price | None = None
    b: bounds.Price | None = None
    update: bounds.FeedTime | None = None

    @property
    def holds_candle(self) -> bool:
        return not (
            self.t is None or self.o is None or self.h is None or self.l is None or self.c is None
        )

    @property
    def holds_price(self) -> bool:
        return not (self.c is None and self.a is None and self.b is None)

    @property
    def holds_traces(self) -> bool:
        """Whether a number is too close to zero for a price."""
        o, h, l, c, a, b = self.o, self.h, self.l, self.c, self.a, self.b  # noqa: E741
        # Almost all prices are positive, so this is one comparison for each.
        return not (
            (c is None or c >= PRICE_MIN or is_price(c))
            and (a is None or a >= PRICE_MIN or is_price(a))
            and (b is None or b >= PRICE_MIN or is_price(b))
            and (o is None or o >= PRICE_MIN or is_price(o))
            and (h is None or h >= PRICE_MIN or is_price(h))
            and (l is None or l >= PRICE_MIN or is_price(l))
        )


class _TickPrices(_Prices, gc=False):
    # Fields that only ``protocol.parse`` reads: any value but null makes decoding fail.
    pc: None = None
    ch: None = None
    chp: None = None
    digits: None = None
    delay: None = None
    history: None = None
    profile: None = None


class _Tick(msgspec.Struct, gc=False):
    # Not a msgspec tag: msgspec would accept an object without its tag.
    type: Literal["price"]
    symbol: Annotated[str, msgspec.Meta(min_length=1)]
    timeframe: str
    prices: _TickPrices
    seq: None = None
    at: None = None
    history: None = None


class _HeadPrices(_Prices, gc=False):
    # Not used, but browsers get the text unchanged.
    pc: bounds.Price | None = None
    ch: bounds.Change | None = None
    chp: bounds.Percent | None = None
    digits: bounds.Digits | None = None
    delay: bounds.Delay | None = None


class Head(msgspec.Struct, gc=False):
    """The values of a text of this project that conflation needs."""

    type: Literal["price"]
    symbol: str
    timeframe: str
    prices: _HeadPrices
    seq: bounds.Seq
    at: bounds.UnixTime

    @property
    def mode(self) -> str:
        """The mode of the text; without a candle it is ``askbid``, even if the text has another."""
        return self.prices.mode if self.prices.holds_candle else "askbid"


_decode_tick = msgspec.json.Decoder(_Tick).decode
_decode_head = msgspec.json.Decoder(Head).decode


def read_tick(text: str | bytes) -> Price | None:
    """Read a price as the vendor documents it; return None for any other text."""
    try:
        tick = _decode_tick(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    prices = tick.prices
    fits = prices.holds_price if prices.mode == "askbid" else prices.holds_candle
    if not fits or prices.holds_traces:
        return None
    return Price(
        symbol=tick.symbol,
        timeframe=tick.timeframe,
        mode=prices.mode,
        t=prices.t,
        o=prices.o,
        h=prices.h,
        l=prices.l,
        c=prices.c,
        v=prices.v,
        a=prices.a,
        b=prices.b,
        update=prices.update,
    )


def read_head(text: str) -> Head:
    """Read a text that this project wrote; raise ``ProtocolError`` for any other."""
    try:
        # ``encode`` rejects bytes, which would decode, but browsers would get them as bytes.
        head = _decode_head(text.encode())
    except (AttributeError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"not a price of this project: {error}") from None
    if not head.prices.holds_price or head.prices.holds_traces:
        raise ProtocolError("a text without any price")
    return head
