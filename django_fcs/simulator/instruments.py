"""The instruments of the simulated market: start prices, decimals, spreads, volumes.

Round figures of the mid-2020s that look right on a page. A symbol that is in no table
gets random figures, always the same for the same seed.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

from django_fcs.prices.symbols import Market, exchange_of, market_of, ticker_of

__all__ = ["Instrument", "instrument"]

_TIMEZONES = {
    **{"NASDAQ": "America/New_York", "NYSE": "America/New_York", "AMEX": "America/New_York"},
    **{"LSE": "Europe/London", "TSE": "Asia/Tokyo", "HKEX": "Asia/Hong_Kong"},
    **{"BSE": "Asia/Kolkata", "NSE": "Asia/Kolkata", "PSX": "Asia/Karachi", "IDX": "Asia/Jakarta"},
}

# The price of one unit in US dollars. All pairs are computed as cross rates, so they agree.
_CURRENCIES = {
    **{"USD": 1.0, "EUR": 1.0842, "GBP": 1.2715, "JPY": 1 / 149.85, "CHF": 1.1384},
    **{"AUD": 0.6588, "NZD": 0.6021, "CAD": 0.7312, "SEK": 0.0957, "NOK": 0.0932},
    **{"DKK": 0.1454, "SGD": 0.7436, "HKD": 0.1279, "CNH": 0.1385, "INR": 0.01198},
    **{"PKR": 0.003588, "MXN": 0.0551, "ZAR": 0.0549, "TRY": 0.0292, "PLN": 0.2532},
    **{"HUF": 0.002748, "CZK": 0.0428, "THB": 0.0284, "XAU": 2655.4, "XAG": 31.42},
    **{"XPT": 978.6, "XPD": 1012.5},
}
_COINS = {
    **{"BTC": 90150.0, "ETH": 3120.0, "BNB": 865.0, "SOL": 141.5, "XRP": 2.11, "ADA": 0.4512},
    **{"DOGE": 0.1534, "TRX": 0.2815, "LTC": 84.6, "DOT": 2.35, "LINK": 13.9, "AVAX": 14.3},
    **{"BCH": 561.0, "XLM": 0.2541, "UNI": 6.12, "ATOM": 2.62, "TON": 1.58, "NEAR": 1.87},
    **{"SHIB": 0.00000865, "PEPE": 0.00000462},
}
_DOLLARS = ("USDT", "USDC", "FDUSD", "BUSD", "USD")
_STOCKS = {
    **{"AAPL": 271.5, "GOOGL": 299.8, "GOOG": 300.4, "MSFT": 478.2, "TSLA": 391.1},
    **{"NVDA": 186.4, "AMZN": 226.3, "META": 612.7, "NFLX": 104.3, "AMD": 215.6},
    **{"INTC": 34.5, "JPM": 298.1, "BAC": 51.6, "V": 327.9, "KO": 71.4, "DIS": 104.2},
    **{"WMT": 105.3, "XOM": 117.2, "IBM": 297.4, "BRK.B": 504.0, "PFE": 25.1, "GE": 286.3},
}


class Instrument(NamedTuple):
    """The parameters of a symbol."""

    market: Market
    price: float
    digits: int
    #: Usual difference of ask and bid, in price; at least one unit of the last digit.
    spread: float
    #: Standard deviation of a day's change, as a fraction.
    volatility: float
    #: Volume of a day; 0 if the feed has no volume.
    volume: float
    timezone: str


def instrument(symbol: str, rng: Random) -> Instrument:
    """Return the instrument of a symbol; ``rng`` draws values that are in no table."""
    market, ticker = market_of(symbol), ticker_of(symbol)
    if market == "forex":
        return _forex(ticker, rng)
    if market == "crypto":
        return _crypto(ticker, rng)
    return _stock(ticker, rng, _TIMEZONES.get(exchange_of(symbol), "Etc/UTC"))


def _forex(ticker: str, rng: Random) -> Instrument:
    base, quote = _CURRENCIES.get(ticker[:3]), _CURRENCIES.get(ticker[3:6])
    price = base / quote if base and quote else rng.uniform(0.5, 2.0)
    digits = 5 if price < 20 else 3 if price < 500 else 2
    spread = max(10**-digits, price * rng.uniform(0.5e-4, 1.2e-4))
    return Instrument("forex", price, digits, spread, 0.005, 0, "America/New_York")


def _crypto(ticker: str, rng: Random) -> Instrument:
    price = _coin_price(ticker) or 10 ** rng.uniform(-3, 2.5)
    digits = _coin_digits(price)
    spread = max(10**-digits, price * 1e-5)
    volume = 1.6e9 / price * rng.uniform(0.5, 1.5)
    return Instrument("crypto", price, digits, spread, 0.025, volume, "Etc/UTC")


def _coin_price(ticker: str) -> float | None:
    for dollar in _DOLLARS:
        if ticker.endswith(dollar) and ticker != dollar:
            return _COINS.get(ticker[: -len(dollar)])
    for quote in ("BTC", "ETH", "BNB"):
        if ticker.endswith(quote) and ticker[: -len(quote)] in _COINS:
            return _COINS[ticker[: -len(quote)]] / _COINS[quote]
    return None


def _coin_digits(price: float) -> int:
    """Return the decimals of a coin: fewer for a higher price, as on its exchanges."""
    return next((digits for least, digits in ((20, 2), (0.3, 4), (0.01, 5)) if price >= least), 8)


def _stock(ticker: str, rng: Random, timezone: str) -> Instrument:
    price = _STOCKS.get(ticker) or math.exp(rng.uniform(math.log(10), math.log(500)))
    spread = max(0.01, price * rng.uniform(0.5e-4, 1.5e-4))
    volume = float(int(8e9 / price * rng.uniform(0.3, 1.2)))
    return Instrument("stock", price, 2, spread, 0.016, volume, timezone)
