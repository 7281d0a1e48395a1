"""The states of a chart: what the server and the socket know in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from django_fcs.candles import Candle, Candles
from django_fcs.prices.states import State
from django_fcs.quotes import Quote
from django_fcs.rooms import Room

__all__ = ["MOMENT", "PERIOD", "SHEET", "Shown", "bars_of", "candles_of", "quote_of", "replies_of"]

#: When the page is opened: 20 seconds after a candle of five minutes has begun.
MOMENT = datetime(2026, 1, 14, 15, 30, 20, tzinfo=timezone.utc)
PERIOD = 300
_BEGIN = int(MOMENT.timestamp()) // PERIOD * PERIOD
_OPENS = timedelta(hours=8, minutes=29, seconds=40)
_DELAY = 900

#: The candles that a feed sent before it fell silent, or before the market closed.
_AGES = {"stale": 185, "closed": 9 * 3600 + 20, "offline": 640}


@dataclass(frozen=True)
class Shown:
    """A chart in one state. Holes and repairs are (first, last) candles, from the newest."""

    name: str
    symbol: str
    close: float
    change: float
    digits: int
    means: str
    state: str = "live"
    printed: int = 200
    """How many candles the server knows."""
    answered: int | None = 200
    """How many candles the socket has; with ``None`` it does not answer."""
    missing: tuple[int, int] | None = None
    repaired: tuple[int, int] | None = None
    note: str = ""
    more: bool = False
    is_known: bool = True
    """Whether there is a price."""
    is_delayed: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def age(self) -> int:
        """How old the price is, in seconds."""
        return _DELAY if self.is_delayed else _AGES.get(self.state, 1)


_EURO = (1.08412, 0.00231, 5)
_APPLE = (271.49, 5.24, 2)

SHEET = (
    Shown("live", "FX:EURUSD", *_EURO, "Prices come."),
    Shown(
        "loading", "FX:EURGBP", 0.85579, 0.00068, 5, "Older candles are asked for.",
        printed=6, answered=6, more=True,
    ),
    Shown(
        "waiting", "FX:EURCHF", 0.95634, 0.00331, 5, "No candle has come yet.",
        printed=0, answered=None,
    ),
    Shown("stale", "FX:GBPUSD", 1.2668, -0.00739, 5, "No price came for long.", "stale"),
    Shown("closed", "TSE:7203", 3041.0, -12.0, 1, "The market is closed.", "closed"),
    Shown("offline", "FX:USDJPY", 154.207, -0.124, 3, "The feed is away.", "offline"),
    Shown(
        "no data", "FX:XPTUSD", 0.0, 0.0, 2, "The feed does not deliver it.", "waiting",
        printed=0, answered=0, is_known=False,
    ),
    Shown("hole", "FX:AUDUSD", 0.65548, 0.00302, 5, "Candles were missed.", missing=(22, 20)),
    Shown("repaired", "FX:USDCAD", 1.36107, 0.00079, 5, "They came later.", repaired=(22, 20)),
    Shown("tiny", "BINANCE:PEPEUSDT", 0.00000123, 0.00000004, 8, "Eight decimals."),
    Shown("huge", "BINANCE:BTCIDR", 1424310000.0, -11240000.0, 0, "Ten digits."),
    Shown("one bar", "NASDAQ:NEWCO", 187.64, 0.44, 2, "It is new.", printed=1, answered=1),
    Shown(
        "refused", "FX:NZDUSD", 0.60117, -0.00291, 5, "History is refused.",
        printed=16, answered=16, more=True,
        note="history is paused until 1 December: the credits of the month are spent",
    ),
    Shown("delayed", "NASDAQ:MSFT", 481.25, -0.23, 2, "15 minutes late.", is_delayed=True),
    Shown(
        "lines", "NASDAQ:AAPL", *_APPLE, "Prices that a site has chosen.",
        options={"lines": [(268.6, "Target"), (264.6, "Stop"), (400, "Dream")]},
    ),
    Shown("bars", "NASDAQ:NVDA", 181.36, 2.48, 2, "Bars.", options={"type": "bars"}),
    Shown("line", "NASDAQ:AMZN", 224.88, 3.11, 2, "A line.", options={"type": "line"}),
    Shown("area", "NASDAQ:META", 612.4, 3.92, 2, "An area.", options={"type": "area"}),
    Shown(
        "no volume", "NASDAQ:TSLA", 391.09, -4.14, 2, "Without volume, in the exchange's zone.",
        options={"volume": False, "zone": "exchange"},
    ),
    Shown(
        "days", "NASDAQ:GOOGL", 300.01, -0.28, 2, "Candles of a day.",
        options={"timeframe": "1D", "timeframes": "5 60 1D"},
    ),
)  # fmt: skip


def _timeframe(shown: Shown) -> str:
    return str(shown.options.get("timeframe", "5"))


def _period(shown: Shown) -> int:
    return 86_400 if _timeframe(shown) == "1D" else PERIOD


def bars_of(shown: Shown) -> list[list[Any]]:
    """Return 200 candles that end at the price, as the socket sends them."""
    random, size = Random(shown.symbol), abs(shown.change) / 6
    period = _period(shown)
    last = (int(MOMENT.timestamp()) - shown.age) // period * period
    close, bars = shown.close, []
    for number in range(200):
        opened = close - random.gauss(shown.change / 300, size)
        high = max(opened, close) + abs(random.gauss(0, size / 2))
        low = max(min(opened, close) - abs(random.gauss(0, size / 2)), shown.close / 2)
        prices = [round(price, shown.digits) for price in (opened, high, low, close)]
        volume = round(1000 * (1.3 + random.random()) ** 3)
        bars.append([last - number * period, *prices, volume])
        close = prices[0]
    return bars[::-1]


def _range(shown: Shown, places: tuple[int, int] | None) -> list[list[int]]:
    """Return the times of candles, as a list of one range or of none."""
    if places is None:
        return []
    first, last = places
    return [[_BEGIN - first * PERIOD, _BEGIN - (last - 1) * PERIOD]]


def _seen(shown: Shown, count: int) -> list[list[Any]]:
    bars = bars_of(shown)[-count:] if count else []
    gone = _range(shown, shown.missing)
    return [bar for bar in bars if not any(start <= bar[0] < end for start, end in gone)]


def candles_of(shown: Shown) -> Candles:
    """Return what the server knows when it prints the page."""
    end = MOMENT.timestamp() - shown.age
    made = (
        Candle._make([*bar, bar[0] + _period(shown) <= end or shown.state == "closed"])
        for bar in _seen(shown, shown.printed)
    )
    return Candles(
        Room(shown.symbol, _timeframe(shown)),
        tuple(made),
        missing=tuple((start, end) for start, end in _range(shown, shown.missing)),
        repaired=tuple((start, end) for start, end in _range(shown, shown.repaired)),
        more=shown.more,
        note=shown.note,
    )


def quote_of(shown: Shown, room: Room) -> Quote | None:
    """Return the price that the server knows, in a room of minutes or of days."""
    if not shown.is_known:
        return None
    at = MOMENT - timedelta(seconds=shown.age)
    base = shown.close - shown.change
    day = _day(shown)
    values: dict[str, Any] = {
        **{"open": day["o"], "close": shown.close, "previous_close": round(base, shown.digits)},
        **{"high": day["h"], "low": day["l"], "volume": day["v"]},
        **{"ask": None, "bid": None, "spread": None},
        **{"change": shown.change, "change_percent": 100 * shown.change / base},
        **{"digits": shown.digits, "t": None, "updated": at, "at": at.timestamp()},
        **{"age": float(shown.age), "state": State(shown.state)},
        **{"delay": _DELAY if shown.is_delayed else None, "recent": ()},
        **{"until": _until() if shown.state == "closed" else None},
    }
    return Quote(room=room, **values)


def replies_of(shown: Shown, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the socket answers to a message about the chart's symbol."""
    room = {"symbol": shown.symbol, "timeframe": said["timeframe"]}
    if said["type"] == "join_symbol":
        confirmed = {"type": "message", "short": "joined_room", **room}
        price = [_price(shown, room)] if shown.is_known else []
        return [confirmed, *price, _state(shown, room)]
    if said["type"] != "candles" or shown.answered is None:
        return []
    if said.get("before"):
        refused = {"candles": [], "missing": [], "repaired": [], "more": True, "note": shown.note}
        return [{"type": "candles", **room, **refused}] if shown.note else []
    about = {"missing": _range(shown, shown.missing), "repaired": _range(shown, shown.repaired)}
    bars = _seen(shown, shown.answered)
    more = {"more": shown.more, "note": shown.note}
    return [{"type": "candles", **room, "candles": bars, **about, **more}]


def _state(shown: Shown, room: dict[str, Any]) -> dict[str, Any]:
    state = {"type": "state", **room, "state": shown.state, "reason": ""}
    if not shown.is_known:
        state["reason"] = "the feed does not confirm this symbol"
    if shown.state == "closed":
        state["until"] = _until()
    return state


def _price(shown: Shown, room: dict[str, Any]) -> dict[str, Any]:
    base = shown.close - shown.change
    prices = {
        **_values(shown, room["timeframe"]),
        **{"pc": round(base, shown.digits), "ch": shown.change, "chp": 100 * shown.change / base},
        **{"digits": shown.digits, "mode": "candle"},
        **({"delay": _DELAY} if shown.is_delayed else {}),
    }
    at = MOMENT.timestamp() - shown.age
    return {"type": "price", **room, "prices": prices, "seq": 1, "at": at}


def _values(shown: Shown, timeframe: str) -> dict[str, Any]:
    """Return the candle of a room: the last one of the chart's, or that of the day."""
    if timeframe == _timeframe(shown):
        return dict(zip(("t", "o", "h", "l", "c", "v"), bars_of(shown)[-1], strict=True))
    day = _BEGIN // 86_400 * 86_400
    return {**_day(shown), "t": day, "c": shown.close}


def _day(shown: Shown) -> dict[str, Any]:
    bars = bars_of(shown)[-60:]
    high, low = max(bar[2] for bar in bars), min(bar[3] for bar in bars)
    return {"o": bars[0][1], "h": high, "l": low, "v": float(sum(bar[5] for bar in bars))}


def _until() -> int:
    return int((MOMENT + _OPENS).timestamp())
