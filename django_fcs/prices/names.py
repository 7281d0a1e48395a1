"""What instruments are called: currencies, precious metals, coins and stock indices.

Sources: ISO 4217 for the codes of currencies and metals, with CNH for the yuan that is traded
outside of mainland China; the listings of the large exchanges for coins; the publishers of the
indices for their names, under the symbols of the vendor and of TradingView.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from .symbols import PIPS, market_of, ticker_of

__all__ = ["INDICES", "UNITS", "Instrument", "Kind", "name_of", "usual_digits"]

Kind = Literal["currency", "metal", "coin", "index"]


class Instrument(NamedTuple):
    """A currency, metal, coin or index.

    ``digits`` are the usual decimals: for a currency those of pairs that are quoted in it, for a
    metal or coin those of its price in dollars. They are ``None`` if feeds differ.
    """

    code: str
    name: str | Promise
    kind: Kind
    digits: int | None


#: Feeds quote a tenth of a pip.
_DIGITS_BY_PIP = {0.0001: 5, 0.01: 3}

_CURRENCIES: Mapping[str, str | Promise] = {
    "AED": pgettext_lazy("instrument", "UAE dirham"),
    "ARS": pgettext_lazy("instrument", "Argentine peso"),
    "AUD": pgettext_lazy("instrument", "Australian dollar"),
    "BRL": pgettext_lazy("instrument", "Brazilian real"),
    "CAD": pgettext_lazy("instrument", "Canadian dollar"),
    "CHF": pgettext_lazy("instrument", "Swiss franc"),
    "CLP": pgettext_lazy("instrument", "Chilean peso"),
    "CNH": pgettext_lazy("instrument", "Offshore yuan"),
    "CNY": pgettext_lazy("instrument", "Chinese yuan"),
    "COP": pgettext_lazy("instrument", "Colombian peso"),
    "CZK": pgettext_lazy("instrument", "Czech koruna"),
    "DKK": pgettext_lazy("instrument", "Danish krone"),
    "EGP": pgettext_lazy("instrument", "Egyptian pound"),
    "EUR": pgettext_lazy("instrument", "Euro"),
    "GBP": pgettext_lazy("instrument", "British pound"),
    "HKD": pgettext_lazy("instrument", "Hong Kong dollar"),
    "HUF": pgettext_lazy("instrument", "Hungarian forint"),
    "IDR": pgettext_lazy("instrument", "Indonesian rupiah"),
    "ILS": pgettext_lazy("instrument", "Israeli shekel"),
    "INR": pgettext_lazy("instrument", "Indian rupee"),
    "JPY": pgettext_lazy("instrument", "Japanese yen"),
    "KRW": pgettext_lazy("instrument", "South Korean won"),
    "KWD": pgettext_lazy("instrument", "Kuwaiti dinar"),
    "MXN": pgettext_lazy("instrument", "Mexican peso"),
    "MYR": pgettext_lazy("instrument", "Malaysian ringgit"),
    "NGN": pgettext_lazy("instrument", "Nigerian naira"),
    "NOK": pgettext_lazy("instrument", "Norwegian krone"),
    "NZD": pgettext_lazy("instrument", "New Zealand dollar"),
    "PEN": pgettext_lazy("instrument", "Peruvian sol"),
    "PHP": pgettext_lazy("instrument", "Philippine peso"),
    "PKR": pgettext_lazy("instrument", "Pakistani rupee"),
    "PLN": pgettext_lazy("instrument", "Polish zloty"),
    "RON": pgettext_lazy("instrument", "Romanian leu"),
    "RUB": pgettext_lazy("instrument", "Russian ruble"),
    "SAR": pgettext_lazy("instrument", "Saudi riyal"),
    "SEK": pgettext_lazy("instrument", "Swedish krona"),
    "SGD": pgettext_lazy("instrument", "Singapore dollar"),
    "THB": pgettext_lazy("instrument", "Thai baht"),
    "TRY": pgettext_lazy("instrument", "Turkish lira"),
    "TWD": pgettext_lazy("instrument", "New Taiwan dollar"),
    "UAH": pgettext_lazy("instrument", "Ukrainian hryvnia"),
    "USD": pgettext_lazy("instrument", "US dollar"),
    "VND": pgettext_lazy("instrument", "Vietnamese dong"),
    "ZAR": pgettext_lazy("instrument", "South African rand"),
}

_METALS: Mapping[str, tuple[str | Promise, int | None]] = {
    "XAU": (pgettext_lazy("instrument", "Gold"), 2),
    "XAG": (pgettext_lazy("instrument", "Silver"), 3),
    "XPT": (pgettext_lazy("instrument", "Platinum"), 2),
    "XPD": (pgettext_lazy("instrument", "Palladium"), 2),
}

_COINS: Mapping[str, tuple[str, int | None]] = {
    **{"BTC": ("Bitcoin", 2), "ETH": ("Ethereum", 2), "USDT": ("Tether", 4), "USDC": ("USDC", 4)},
    **{"XRP": ("XRP", 4), "BNB": ("BNB", 2), "SOL": ("Solana", 2), "ADA": ("Cardano", 4)},
    **{"DOGE": ("Dogecoin", 5), "TRX": ("TRON", 4), "LTC": ("Litecoin", 2)},
    **{"DOT": ("Polkadot", None), "LINK": ("Chainlink", None), "AVAX": ("Avalanche", None)},
    **{"BCH": ("Bitcoin Cash", None), "XLM": ("Stellar", None), "UNI": ("Uniswap", None)},
    **{"ATOM": ("Cosmos", None), "TON": ("Toncoin", None), "NEAR": ("NEAR Protocol", None)},
    **{"SHIB": ("Shiba Inu", 8), "PEPE": ("Pepe", 8), "ETC": ("Ethereum Classic", 2)},
    **{"XMR": ("Monero", 2), "FIL": ("Filecoin", None), "APT": ("Aptos", None)},
    **{"SUI": ("Sui", 4), "HBAR": ("Hedera", 5), "ICP": ("Internet Computer", None)},
    **{"AAVE": ("Aave", 2)},
}
_DOLLARS = ("USD", "USDT", "USDC")

#: The symbols of an index, and what its publisher calls it. A ticker alone does not do:
#: ``NASDAQ:DAX`` is a fund.
_INDICES = {
    "SP:SPX TVC:SPX": "S&P 500",
    "DJ:DJI TVC:DJI": "Dow Jones Industrial Average",
    "NASDAQ:NDX TVC:NDX": "Nasdaq-100",
    "NASDAQ:IXIC TVC:IXIC": "Nasdaq Composite",
    "TVC:RUT RUSSELL:RUT": "Russell 2000",
    "TSX:TSX": "S&P/TSX Composite",
    "BMFBOVESPA:IBOV": "Ibovespa",
    "TVC:UKX FTSE:UKX": "FTSE 100",
    "XETR:DAX TVC:DAX": "DAX",
    "EURONEXT:PX1 TVC:CAC40": "CAC 40",
    "TVC:SX5E": "Euro Stoxx 50",
    "EURONEXT:AEX": "AEX",
    "BME:IBC": "IBEX 35",
    "SIX:SMI TVC:SMI": "Swiss Market Index",
    "TVC:NI225": "Nikkei 225",
    "HSI:HSI TVC:HSI": "Hang Seng Index",
    "SSE:000001": "SSE Composite",
    "NSE:NIFTY": "Nifty 50",
    "BSE:SENSEX": "BSE Sensex",
    "ASX:XJO": "S&P/ASX 200",
}


def _units() -> Iterator[Instrument]:
    for code, name in _CURRENCIES.items():
        yield Instrument(code, name, "currency", _DIGITS_BY_PIP.get(PIPS.get(code, 0)))
    for code, (metal, digits) in _METALS.items():
        yield Instrument(code, metal, "metal", digits)
    for code, (coin, digits) in _COINS.items():
        yield Instrument(code, coin, "coin", digits)


#: What pairs consist of, by code.
UNITS = {unit.code: unit for unit in _units()}

#: Stock indices, by symbol.
INDICES = {
    symbol: Instrument(ticker_of(symbol), name, "index", 2)
    for symbols, name in _INDICES.items()
    for symbol in symbols.split()
}


def name_of(symbol: str) -> str:
    """Name an instrument in the active language: ``Euro / US dollar``, else its ticker."""
    if pair := _pair_of(symbol):
        return " / ".join(str(unit.name) for unit in pair)
    index = INDICES.get(symbol)
    return str(index.name) if index else ticker_of(symbol)


def usual_digits(symbol: str) -> int | None:
    """Return the usual decimals of an instrument; ``None`` if there is no custom."""
    pair = _pair_of(symbol)
    if pair is None:
        index = INDICES.get(symbol)
        return index.digits if index else None
    base, quote = pair
    if base.kind == "currency":
        return quote.digits if quote.kind == "currency" else None
    return base.digits if quote.code in _DOLLARS else None


@functools.lru_cache(maxsize=4096)
def _pair_of(symbol: str) -> tuple[Instrument, Instrument] | None:
    ticker, market = ticker_of(symbol), market_of(symbol)
    for end in range(3, len(ticker) - 2):
        base, quote = UNITS.get(ticker[:end]), UNITS.get(ticker[end:])
        if base and quote:
            # A stock may be called like two coins, but not like two currencies.
            is_certain = market != "stock" or "coin" not in (base.kind, quote.kind)
            return (base, quote) if is_certain else None
    return None
