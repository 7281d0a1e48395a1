"""What a symbol stands for: the exchange gives its market, the ticker its parts.

Hours, formats and the simulator all use these tables. ``fcs-elements.js`` repeats the
currencies, metals and pips; a test compares them.
"""

from __future__ import annotations

import functools
import re
from typing import Literal

__all__ = [
    "CURRENCIES",
    "METALS",
    "PIPS",
    "Market",
    "exchange_of",
    "is_currency_pair",
    "is_metal",
    "market_of",
    "parts_of",
    "pip_of",
    "ticker_of",
]

Market = Literal["forex", "crypto", "stock"]
"""The three markets that the vendor streams."""

#: ISO 4217 codes and the offshore yuan, as a regular expression.
_ANY_CURRENCY = (
    "AED|ARS|AUD|BRL|CAD|CHF|CLP|CNH|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|KWD|"
    "MXN|MYR|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
CURRENCIES = tuple(_ANY_CURRENCY.split("|"))
METALS = ("XAU", "XAG", "XPT", "XPD")

_WITH_FOUR_DECIMALS = (
    "AED|AUD|BRL|CAD|CHF|CNH|CNY|CZK|DKK|EUR|GBP|HKD|ILS|KWD|MXN|MYR|NOK|NZD|PEN|PLN|RON|SAR|SEK|"
    "SGD|TRY|USD|ZAR"
)
_WITH_TWO_DECIMALS = "HUF|INR|JPY|THB"

#: Quote currency → pip. Traders count in the fourth decimal, or in the second if a unit of the
#: currency is worth about a cent. Other currencies have no pip: a dollar costs tens to thousands
#: of them, and they are quoted in whole units or in decimals that differ between banks.
PIPS = {
    **dict.fromkeys(_WITH_FOUR_DECIMALS.split("|"), 0.0001),
    **dict.fromkeys(_WITH_TWO_DECIMALS.split("|"), 0.01),
}

_FOREX_FEEDS = frozenset({"FX", "ONA", "SFO", "FCM", "FLC", "GMC", "OANDA", "FOREXCOM", "FX_IDC"})
_COIN_EXCHANGES = frozenset(
    {
        "BINANCE",
        "BITFINEX",
        "BITGET",
        "BITSTAMP",
        "BYBIT",
        "COINBASE",
        "CRYPTO",
        "GATEIO",
        "GEMINI",
        "HTX",
        "KRAKEN",
        "KUCOIN",
        "MEXC",
        "OKX",
    }
)

_PAIR = re.compile(rf"({_ANY_CURRENCY})({_ANY_CURRENCY})")
_METAL = re.compile(rf"({'|'.join(METALS)})({_ANY_CURRENCY})")
_COIN = re.compile(r"(\w+)(USDT|USDC)|(\w{2,})(USD)")


def exchange_of(symbol: str) -> str:
    """Return the part before the colon: ``FX`` of ``FX:EURUSD``."""
    return symbol.partition(":")[0]


def ticker_of(symbol: str) -> str:
    """Return the part after the colon: ``EURUSD`` of ``FX:EURUSD``."""
    return symbol.rpartition(":")[2]


def market_of(symbol: str) -> Market:
    """Return the market of a symbol; an unknown exchange counts as one for stocks."""
    exchange = exchange_of(symbol)
    if exchange in _FOREX_FEEDS:
        return "forex"
    return "crypto" if exchange in _COIN_EXCHANGES else "stock"


def is_currency_pair(symbol: str) -> bool:
    """Tell whether a symbol is a pair of currencies."""
    return _PAIR.fullmatch(ticker_of(symbol)) is not None


def pip_of(symbol: str) -> float | None:
    """Return the size of a pip, in units of price; ``None`` if spreads are not read in pips."""
    pair = _PAIR.fullmatch(ticker_of(symbol))
    return PIPS.get(pair[2]) if pair else None


def is_metal(symbol: str) -> bool:
    """Tell whether a symbol is a precious metal, by its ticker."""
    return ticker_of(symbol).startswith(METALS)


# A widget asks several times, and matching three patterns takes microseconds.
@functools.lru_cache(maxsize=4096)
def parts_of(symbol: str) -> tuple[str, ...]:
    """Split a pair into base and quote; for any other symbol return its ticker alone."""
    ticker = ticker_of(symbol)
    for pattern in (_PAIR, _METAL, _COIN):
        if match := pattern.fullmatch(ticker):
            return tuple(filter(None, match.groups()))
    return (ticker,)
