"""The three markets that the example shows, each with four symbols."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MARKETS", "TIMEFRAMES", "Instrument", "Market"]

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
            "Four currency pairs, each with its own digits.",
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
