"""What a symbol stands for: the exchange gives its market, the ticker its parts.

Hours, formats and the simulator all use these tables. ``fcs-elements.js`` repeats the
currencies and metals; a test compares them.
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = [
    "CURRENCIES",
    "METALS",
    "Market",
    "exchange_of",
    "is_currency_pair",
    "is_metal",
    "market_of",
    "parts_of",
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
    """Tell whether a symbol is a pair of currencies, whose prices are read in pips."""
    return _PAIR.fullmatch(ticker_of(symbol)) is not None


def is_metal(symbol: str) -> bool:
    """Tell whether a symbol is a precious metal, by its ticker."""
    return ticker_of(symbol).startswith(METALS)


def parts_of(symbol: str) -> tuple[str, ...]:
    """Split a pair into base and quote; for any other symbol return its ticker alone."""
    ticker = ticker_of(symbol)
    for pattern in (_PAIR, _METAL, _COIN):
        if match := pattern.fullmatch(ticker):
            return tuple(filter(None, match.groups()))
    return (ticker,)
