"""The bounds of all numbers that come from outside: from the vendor, the layer or the cache.

What is parsed is later shown, compared and used in arithmetic. Within these bounds, sums,
differences and percentages are finite, and Python and browsers can write every number and
every time. Code that reads a message checks them; other code relies on them.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

__all__ = [
    "CANDLES_MAX",
    "DELAY_MAX",
    "DIGITS_MAX",
    "FIGURES_MAX",
    "PERCENT_MAX",
    "PRICE_MAX",
    "PRICE_MIN",
    "SEQ_MAX",
    "TIME_MAX",
    "VOLUME_MAX",
    "Change",
    "Delay",
    "Digits",
    "FeedTime",
    "OpenTime",
    "Percent",
    "Price",
    "Seconds",
    "Seq",
    "UnixTime",
    "Volume",
    "is_price",
]

#: No price is higher: a bitcoin costs about 1e11 rials. A float still counts eighths here.
PRICE_MAX = 1e15

#: The price closest to zero, apart from zero itself. Five of its figures fit into ``DIGITS_MAX``.
PRICE_MIN = 1e-15

#: Coins of tiny value trade about 1e16 units a month.
VOLUME_MAX = 1e18

#: The most decimals that ``Intl.NumberFormat`` writes in every browser.
DIGITS_MAX = 20

#: A float holds 15 decimal figures. The last two of a computed value are noise, as in
#: ``0.1 + 0.2``. No price has more than 13, such as 90150.12345678.
FIGURES_MAX = 13

#: A percentage beyond it compares numbers that are not prices of one instrument.
PERCENT_MAX = 1e12

#: In seconds. A feed that is one day late is an end-of-day feed; none is later.
DELAY_MAX = 86_400

#: The most candles of one request: the vendor answers with no more.
CANDLES_MAX = 10_000

#: A browser's integers are exact up to it.
SEQ_MAX = 2**53 - 1

#: The year 3000. Beyond the year 9999, Python has no dates. Milliseconds of our time are later
#: than both.
TIME_MAX = 32_503_680_000

Price = Annotated[float, msgspec.Meta(ge=-PRICE_MAX, le=PRICE_MAX)]
Change = Annotated[float, msgspec.Meta(ge=-2 * PRICE_MAX, le=2 * PRICE_MAX)]
Percent = Annotated[float, msgspec.Meta(ge=-PERCENT_MAX, le=PERCENT_MAX)]
Volume = Annotated[float, msgspec.Meta(ge=0, le=VOLUME_MAX)]
Digits = Annotated[int, msgspec.Meta(ge=0, le=DIGITS_MAX)]
Delay = Annotated[int, msgspec.Meta(ge=0, le=DELAY_MAX)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]

#: A time that the feed sends, in unix seconds; none is before 1970.
FeedTime = Annotated[float, msgspec.Meta(ge=0, le=TIME_MAX)]

#: The opening time of a candle, in whole unix seconds.
OpenTime = Annotated[int, msgspec.Meta(ge=0, le=TIME_MAX)]

#: Any other time, in unix seconds: from the year 940 to the year 3000.
UnixTime = Annotated[float, msgspec.Meta(ge=-TIME_MAX, le=TIME_MAX)]

#: A duration.
Seconds = Annotated[float, msgspec.Meta(ge=-TIME_MAX, le=TIME_MAX)]


def is_price(value: float) -> bool:
    """Tell whether a number can be a price; NaN and infinity cannot."""
    return value == 0 or PRICE_MIN <= abs(value) <= PRICE_MAX
