"""What the example shows: three markets of four symbols each, and a longer watch list."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BOARDS",
    "GLANCE",
    "MAP",
    "MARKETS",
    "TAPE",
    "TIMEFRAMES",
    "WATCH_LIST",
    "Instrument",
    "Market",
]

TIMEFRAMES = {
    "1": "1 minute",
    "5": "5 minutes",
    "15": "15 minutes",
    "30": "30 minutes",
    "1H": "1 hour",
    "4H": "4 hours",
    "1D": "1 day",
    "1W": "1 week",
    "1M": "1 month",
}


@dataclass(frozen=True)
class Instrument:
    exchange: str
    ticker: str
    weight: int = 1
    """The size of its tile in a heat map, relative to the others of its group."""

    @property
    def symbol(self) -> str:
        return f"{self.exchange}:{self.ticker}"


@dataclass(frozen=True)
class Market:
    slug: str
    title: str
    lead: str
    instruments: tuple[Instrument, ...]
    has_volume: bool = True


def listed(exchange: str, *tickers: str) -> tuple[Instrument, ...]:
    return tuple(Instrument(exchange, ticker) for ticker in tickers)


MARKETS = {
    market.slug: market
    for market in (
        Market(
            "crypto",
            "Crypto",
            "Four coins against the dollar, from Binance.",
            listed("BINANCE", "BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"),
        ),
        Market(
            "forex",
            "Forex",
            "Four currency pairs, each with its own number of decimals.",
            listed("FX", "EURUSD", "GBPUSD", "USDJPY", "AUDUSD"),
            has_volume=False,
        ),
        Market(
            "stocks",
            "Stocks",
            "Four shares from the Nasdaq.",
            listed("NASDAQ", "AAPL", "GOOGL", "MSFT", "TSLA"),
        ),
    )
}


def weighed(exchange: str, **weights: int) -> tuple[Instrument, ...]:
    return tuple(Instrument(exchange, ticker, weight) for ticker, weight in weights.items())


# Ten tiles a group, whose sizes fill all rows of a heat map of four, six or eight columns.
_COINS = weighed(
    "BINANCE",
    **{"BTCUSDT": 8, "ETHUSDT": 4, "BNBUSDT": 4, "SOLUSDT": 2, "XRPUSDT": 2, "ADAUSDT": 2},
    **{"DOGEUSDT": 1, "SHIBUSDT": 1, "LTCUSDT": 1, "LINKUSDT": 1},
)
_SHARES = weighed(
    "NASDAQ",
    **{"AAPL": 8, "MSFT": 4, "NVDA": 4, "GOOGL": 2, "AMZN": 2, "TSLA": 2},
    **{"META": 1, "NFLX": 1, "AMD": 1, "INTC": 1},
)
_PAIRS = ("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "USDCAD", "EURGBP", "EURJPY", "NZDUSD")

#: Groups for ``fcs_table`` and ``fcs_movers``.
WATCH_LIST = (
    ("Forex", listed("FX", *_PAIRS)),
    ("Crypto", _COINS[:8]),
    ("Nasdaq", _SHARES[:8]),
    ("Metals", listed("FX", "XAUUSD", "XAGUSD")),
)
#: Groups for ``fcs_heatmap``.
MAP = (("Crypto", _COINS), ("Nasdaq", _SHARES))
TAPE = (*listed("FX", "EURUSD", "USDJPY", "GBPUSD", "XAUUSD"), *_COINS[:2], *_SHARES[:3])
#: Symbols for ``fcs_spread``.
BOARDS = ("FX:EURUSD", "FX:USDJPY", "FX:XAUUSD")
#: What a reader of a newspaper wants to know first.
GLANCE = (
    *listed("FX", "EURUSD", "GBPUSD", "USDJPY", "XAUUSD"),
    *listed("BINANCE", "BTCUSDT"),
    *listed("NASDAQ", "AAPL"),
)
