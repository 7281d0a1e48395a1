"""How an amount of one currency becomes an amount of another: over the dollar, in two legs."""

from __future__ import annotations

from typing import NamedTuple

from .symbols import CURRENCIES, METALS

__all__ = ["CODES", "DOLLAR", "Leg", "decimals_of", "from_dollars", "leg_of", "to_dollars"]

#: What can be converted. An amount of a metal is in troy ounces.
CODES = tuple(sorted((*CURRENCIES, *METALS)))
DOLLAR = "USD"

#: Markets quote these in dollars, and of every other currency how much a dollar costs.
_BEFORE_THE_DOLLAR = frozenset({"EUR", "GBP", "AUD", "NZD", *METALS})

#: By ISO 4217. A metal is counted to a hundred-thousandth of an ounce, which costs cents.
_DECIMALS = {
    **dict.fromkeys(("CLP", "JPY", "KRW", "VND"), 0),
    "KWD": 3,
    **dict.fromkeys(METALS, 5),
}
_USUAL_DECIMALS = 2


class Leg(NamedTuple):
    """A pair of a currency and the dollar."""

    base: str
    quote: str

    @property
    def symbol(self) -> str:
        """What the vendor calls the pair."""
        return f"FX:{self.base}{self.quote}"

    @property
    def pair(self) -> str:
        """How people write it: ``EUR/USD``."""
        return f"{self.base}/{self.quote}"


def leg_of(code: str) -> Leg | None:
    """Return the pair of a currency, in the order that markets quote; ``None`` for the dollar."""
    if code == DOLLAR:
        return None
    return Leg(code, DOLLAR) if code in _BEFORE_THE_DOLLAR else Leg(DOLLAR, code)


def decimals_of(code: str) -> int:
    """Return with how many decimals an amount of a currency is written."""
    return _DECIMALS.get(code, _USUAL_DECIMALS)


def to_dollars(amount: float, leg: Leg | None, price: float) -> float:
    """Convert an amount of the leg's currency; ``fcs-converter.js`` does the same."""
    if leg is None:
        return amount
    return amount * price if leg.quote == DOLLAR else amount / price


def from_dollars(dollars: float, leg: Leg | None, price: float) -> float:
    """Convert an amount of dollars; ``fcs-converter.js`` does the same."""
    if leg is None:
        return dollars
    return dollars / price if leg.quote == DOLLAR else dollars * price
