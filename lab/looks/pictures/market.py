"""A market that stands still: the prices of all pictures, as server and socket tell them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from django_fcs.candles import Candles
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room

from .history import candles_until

__all__ = ["MOMENT", "Market"]

#: When the pictures are taken: a Wednesday, on which all markets are open.
MOMENT = datetime(2026, 1, 14, 15, 30, 20, tzinfo=timezone.utc)
_STALE = timedelta(seconds=185)
_OPENS = timedelta(hours=23)


class Price(NamedTuple):
    close: float
    change: float
    low: float
    high: float
    digits: int
    spread: float | None = None


_PRICES: Mapping[str, Price] = {
    "FX:EURUSD": Price(1.08412, 0.00231, 1.08102, 1.08455, 5, 0.00008),
    "FX:GBPUSD": Price(1.2668, -0.00739, 1.2661, 1.27433, 5, 0.00012),
    "FX:USDJPY": Price(154.207, -0.124, 153.981, 154.622, 3, 0.008),
    "FX:USDCHF": Price(0.88214, 0.00118, 0.88021, 0.88302, 5, 0.00011),
    "FX:AUDUSD": Price(0.65548, 0.00302, 0.65201, 0.65591, 5, 0.00007),
    "FX:USDCAD": Price(1.36107, 0.00079, 1.35964, 1.36281, 5, 0.00013),
    "FX:EURGBP": Price(0.85579, 0.00668, 0.84902, 0.85611, 5, 0.00009),
    "FX:EURJPY": Price(167.179, 0.221, 166.702, 167.405, 3, 0.014),
    "FX:NZDUSD": Price(0.60117, -0.00291, 0.60044, 0.60498, 5, 0.0001),
    "FX:EURCHF": Price(0.95634, 0.00331, 0.95288, 0.95677, 5, 0.00014),
    "FX:XAUUSD": Price(4071.35, 12.9, 4051.4, 4080.25, 2, 0.3),
    "FX:XAGUSD": Price(47.832, -0.415, 47.611, 48.377, 3, 0.021),
    "BINANCE:BTCUSDT": Price(89962.61, -1120.4, 87900.0, 91590.23, 2, 0.01),
    "BINANCE:ETHUSDT": Price(2998.1, 11.94, 2941.75, 3022.4, 2, 0.01),
    "BINANCE:BNBUSDT": Price(866.48, 5.12, 857.2, 871.03, 2, 0.01),
    "BINANCE:SOLUSDT": Price(141.09, -3.87, 139.2, 146.11, 2, 0.01),
    "BINANCE:XRPUSDT": Price(2.107, 0.0113, 2.0804, 2.1295, 4, 0.0001),
    "BINANCE:ADAUSDT": Price(0.4517, -0.0076, 0.4482, 0.4618, 4, 0.0001),
    "BINANCE:DOGEUSDT": Price(0.15369, -0.00576, 0.1522, 0.16044, 5, 0.00001),
    "BINANCE:LTCUSDT": Price(78.42, 0.63, 77.1, 79.05, 2, 0.01),
    "BINANCE:LINKUSDT": Price(12.687, -0.214, 12.604, 13.01, 3, 0.001),
    "BINANCE:SHIBUSDT": Price(0.00000892, 0.00000002, 0.00000881, 0.00000899, 8, 0.00000001),
    "NASDAQ:AAPL": Price(271.49, 5.24, 265.67, 273.33, 2, 0.02),
    "NASDAQ:MSFT": Price(472.12, -1.34, 470.25, 475.6, 2, 0.03),
    "NASDAQ:NVDA": Price(178.88, 3.76, 174.9, 179.42, 2, 0.01),
    "NASDAQ:GOOGL": Price(299.66, 0.11, 297.8, 301.2, 2, 0.02),
    "NASDAQ:AMZN": Price(220.69, -4.15, 219.9, 225.31, 2, 0.02),
    "NASDAQ:TSLA": Price(391.09, 10.02, 378.4, 394.55, 2, 0.04),
    "NASDAQ:META": Price(594.25, 2.31, 589.9, 598.12, 2, 0.05),
    "NASDAQ:AMD": Price(214.35, -2.9, 212.8, 218.4, 2, 0.03),
    "NASDAQ:INTC": Price(37.12, 0.48, 36.4, 37.3, 2, 0.01),
    "NASDAQ:NFLX": Price(103.83, 0.28, 102.9, 104.6, 2, 0.02),
}


class Market:
    """What server and socket say, each room in a state of its own; without one it is live."""

    def __init__(self, states: Mapping[str, str] | None = None) -> None:
        self._states = states or {}

    def state(self, symbol: str) -> str:
        return self._states.get(symbol, "live")

    def quote(self, room: Room) -> Quote | None:
        """Return what the server knows, in place of ``django_fcs.quotes.quote_to_show``."""
        price, state = _PRICES[room.symbol], self.state(room.symbol)
        if state == "waiting":
            return None
        at = self._at(state)
        values: dict[str, Any] = {
            **{"open": price.close - price.change, "high": price.high, "low": price.low},
            **{"close": price.close, "bid": price.close, "ask": _ask(price)},
            **{"spread": price.spread, "previous_close": price.close - price.change},
            **{"change": price.change, "change_percent": _percent(price), "digits": price.digits},
            **{"updated": at, "at": at.timestamp(), "age": (MOMENT - at).total_seconds()},
            **{"volume": None, "delay": None, "t": None, "state": State(state)},
            "until": int((MOMENT + _OPENS).timestamp()) if state == "closed" else None,
            "recent": _minutes(room.symbol, price, has_hole=state == "stale"),
        }
        return Quote(room=room, **values)

    def candles(self, room: Room, limit: int) -> Candles:
        """Return a history that ends at the price, in place of ``candles_to_show``."""
        price = _PRICES[room.symbol]
        within = {"close": price.close, "low": price.low, "high": price.high}
        return candles_until(MOMENT, room, limit, **within)

    def messages(self, symbol: str, timeframe: str) -> list[dict[str, Any]]:
        """Return what the socket sends when a page joins a room."""
        price, name = _PRICES[symbol], self.state(symbol)
        room = {"symbol": symbol, "timeframe": timeframe}
        state: dict[str, Any] = {"type": "state", **room, "state": name, "reason": ""}
        if name == "waiting":
            return [state]
        if name == "closed":
            state["until"] = int((MOMENT + _OPENS).timestamp())
        prices = {
            **{"o": price.close - price.change, "c": price.close, "h": price.high, "l": price.low},
            **{"a": _ask(price), "b": price.close, "ch": price.change, "chp": _percent(price)},
            **{"digits": price.digits, "mode": "candle"},
        }
        at = self._at(name).timestamp()
        return [{"type": "price", **room, "prices": prices, "seq": 1, "at": at}, state]

    def _at(self, state: str) -> datetime:
        return MOMENT - _STALE if state == "stale" else MOMENT


def _ask(price: Price) -> float | None:
    return None if price.spread is None else price.close + price.spread


def _percent(price: Price) -> float:
    return 100 * price.change / (price.close - price.change)


def _minutes(symbol: str, price: Price, *, has_hole: bool) -> tuple[float | None, ...]:
    """Return an hour that ends at the price, with a hole where the feed was silent."""
    random, size = Random(symbol), (price.high - price.low) / 16
    prices: list[float | None] = []
    value = price.close
    for minute in reversed(range(60)):
        prices.append(None if has_hole and 40 <= minute < 48 else value)
        step = random.gauss(0, size)
        # It turns round before it leaves the day's range.
        value += step if price.low < value + step < price.high else -step
    return tuple(reversed(prices))
