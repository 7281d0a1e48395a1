"""The random walk: repeatable, plausible, and true to the candles it draws."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise
from random import Random

import pytest

from django_fcs.rooms import TIMEFRAMES
from django_fcs.simulator.instruments import instrument
from django_fcs.simulator.market import HISTORY, Prices, Walk, candle_bounds

NOON = datetime(2025, 12, 24, 12, 7, 30, tzinfo=timezone.utc).timestamp()  # a Wednesday

SYMBOLS = [
    *("FX:EURUSD", "FX:USDJPY", "FX:XAUUSD", "ONA:NATGASUSD"),
    *("BINANCE:BTCUSDT", "BINANCE:SHIBUSDT", "BINANCE:ETHBTC", "OKX:NEWCOINUSDT"),
    *("NASDAQ:AAPL", "NYSE:BRK.B", "PSX:ANYTHING"),
]


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=timezone.utc).timestamp())


def ticks(walk: Walk, timeframe: str, *, count: int, step: float = 0.5) -> list[Prices]:
    return [walk.tick(NOON + i * step, (timeframe,))[timeframe] for i in range(1, count + 1)]


def decimals(value: float) -> int:
    return len(f"{value:.10f}".rstrip("0").partition(".")[2])


@pytest.mark.parametrize(
    ("timeframe", "start", "end"),
    [
        ("1", (2025, 12, 24, 12, 7), (2025, 12, 24, 12, 8)),
        ("5", (2025, 12, 24, 12, 5), (2025, 12, 24, 12, 10)),
        ("15", (2025, 12, 24, 12), (2025, 12, 24, 12, 15)),
        ("30", (2025, 12, 24, 12), (2025, 12, 24, 12, 30)),
        ("60", (2025, 12, 24, 12), (2025, 12, 24, 13)),
        ("240", (2025, 12, 24, 12), (2025, 12, 24, 16)),
        ("1D", (2025, 12, 24), (2025, 12, 25)),
        ("1W", (2025, 12, 22), (2025, 12, 29)),
        ("1M", (2025, 12, 1), (2026, 1, 1)),
    ],
)
def test_candles_begin_and_end_on_the_clock(
    timeframe: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    assert candle_bounds(timeframe, NOON) == (utc(*start), utc(*end))
    assert candle_bounds(timeframe, utc(*start)) == (utc(*start), utc(*end))
    assert candle_bounds(timeframe, utc(*end) - 0.001) == (utc(*start), utc(*end))


def test_the_same_seed_and_times_give_the_same_prices() -> None:
    runs = []
    for _ in range(2):
        walk = Walk("FX:EURUSD", seed=7, now=NOON)
        runs.append([walk.initial("60", NOON), *ticks(walk, "60", count=200)])

    assert runs[0] == runs[1]


def test_another_seed_gives_other_prices() -> None:
    prices = {Walk("FX:EURUSD", seed=seed, now=NOON).initial("1D", NOON)["c"] for seed in range(8)}

    assert len(prices) > 4


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_price_fits_into_its_candle(symbol: str) -> None:
    walk = Walk(symbol, seed=1, now=NOON)
    candle = walk.initial("1", NOON)

    for prices in ticks(walk, "1", count=600):
        candle = {**candle, **prices}
        assert candle["l"] <= candle["o"] <= candle["h"]
        assert candle["l"] <= candle["c"] <= candle["h"]
        assert prices["b"] <= prices["c"] <= prices["a"]
        assert 0 < prices["b"] < prices["a"]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_no_price_has_more_decimals_than_its_instrument(symbol: str) -> None:
    walk = Walk(symbol, seed=1, now=NOON)
    digits = walk.instrument.digits

    for prices in [walk.initial("1D", NOON), *walk.history("1D"), *ticks(walk, "1D", count=50)]:
        assert all(decimals(prices[name]) <= digits for name in "ohlcab" if name in prices)


@pytest.mark.parametrize(
    ("symbol", "low", "high", "digits"),
    [
        ("FX:EURUSD", 0.9, 1.4, 5),
        ("FX:USDJPY", 100, 200, 3),
        ("FX:EURJPY", 110, 220, 3),
        ("FX:XAUUSD", 1500, 6000, 2),
        ("BINANCE:BTCUSDT", 70_000, 120_000, 2),
        ("BINANCE:ETHUSDT", 1500, 6000, 2),
        ("BINANCE:XRPUSDT", 0.5, 5, 4),
        ("BINANCE:DOGEUSDT", 0.05, 0.5, 5),
        ("BINANCE:SHIBUSDT", 0.000001, 0.0001, 8),
        ("NASDAQ:AAPL", 100, 500, 2),
    ],
)
def test_known_symbols_have_the_prices_one_expects(
    symbol: str, low: float, high: float, digits: int
) -> None:
    known = instrument(symbol, Random(1))

    assert low < known.price < high
    assert known.digits == digits


def test_an_unknown_symbol_has_a_price_of_its_own() -> None:
    first, second = (instrument(symbol, Random(symbol)) for symbol in ("LSE:ABC", "LSE:ABD"))

    assert first.price != second.price
    assert 10 <= first.price <= 500
    assert first.timezone == "Europe/London"


def test_a_longer_candle_holds_the_shorter_ones() -> None:
    walk = Walk("NASDAQ:AAPL", seed=3, now=NOON)
    ticks(walk, "1", count=500)

    candles = [walk.initial(timeframe, NOON + 250) for timeframe in TIMEFRAMES if timeframe != "1W"]

    for shorter, longer in pairwise(candles):
        assert longer["t"] <= shorter["t"]
        assert longer["h"] >= shorter["h"]
        assert longer["l"] <= shorter["l"]
        assert longer["c"] == shorter["c"]


def test_a_walk_begins_in_the_middle_of_its_day() -> None:
    initial = Walk("BINANCE:BTCUSDT", seed=1, now=NOON).initial("1D", NOON)

    assert initial["t"] == utc(2025, 12, 24)
    assert initial["l"] < initial["h"]
    assert initial["o"] != initial["c"]
    assert "a" not in initial
    assert "b" not in initial


def test_the_volume_of_an_initial_is_only_the_last_trade() -> None:
    walk = Walk("BINANCE:BTCUSDT", seed=1, now=NOON)
    initial = walk.initial("1D", NOON)

    candle = next(prices for prices in ticks(walk, "1D", count=20) if prices["mode"] == "candle")

    assert initial["v"] < candle["v"] / 100


def test_volume_grows_while_a_candle_lasts() -> None:
    walk = Walk("NASDAQ:AAPL", seed=1, now=NOON)
    volumes = [prices["v"] for prices in ticks(walk, "1D", count=60) if prices["mode"] == "candle"]

    assert volumes == sorted(volumes)
    assert volumes[0] < volumes[-1]
    assert all(isinstance(volume, int) for volume in volumes)


def test_forex_has_no_volume_and_its_price_is_the_bid() -> None:
    walk = Walk("FX:EURUSD", seed=1, now=NOON)

    for prices in ticks(walk, "1D", count=60):
        assert prices.get("v", 0) == 0
        assert prices["c"] == prices["b"]


def test_candles_and_quotes_come_mixed() -> None:
    walk = Walk("FX:EURUSD", seed=1, now=NOON)
    modes = [prices["mode"] for prices in ticks(walk, "1D", count=200)]

    assert 30 < modes.count("askbid") < 120
    assert set(modes) == {"askbid", "candle"}


def test_a_quote_says_when_it_was_made_and_nothing_of_the_candle() -> None:
    walk = Walk("FX:EURUSD", seed=1, now=NOON)
    quote = next(prices for prices in ticks(walk, "1D", count=50) if prices["mode"] == "askbid")

    assert set(quote) == {"mode", "update", "c", "a", "b", "t"}
    assert NOON <= quote["update"] <= NOON + 25


def test_a_new_candle_opens_when_the_clock_says_so() -> None:
    walk = Walk("BINANCE:BTCUSDT", seed=1, now=NOON)
    before = {**walk.initial("1", NOON), **ticks(walk, "1", count=50)[-1]}

    after = walk.tick(NOON + 31, ("1",))["1"]

    assert after["mode"] == "candle"
    assert (before["t"], after["t"]) == (utc(2025, 12, 24, 12, 7), utc(2025, 12, 24, 12, 8))
    assert after["v"] < before.get("v", 1e9)
    assert walk.history("1")[-1]["t"] == before["t"]
    assert walk.history("1")[-1]["c"] == before["c"]


def test_a_new_candle_is_told_as_one_before_any_quote_of_it() -> None:
    for seed in range(20):
        walk = Walk("FX:EURUSD", seed=seed, now=NOON)
        ticks(walk, "1", count=5)
        walk.initial("1", NOON + 31)

        assert walk.tick(NOON + 32, ("1",))["1"]["mode"] == "candle"


def test_history_ends_before_the_candle_and_closes_where_it_opened() -> None:
    walk = Walk("NASDAQ:AAPL", seed=1, now=NOON)
    for timeframe in TIMEFRAMES:
        history, candle = walk.history(timeframe), walk.initial(timeframe, NOON)

        assert len(history) == HISTORY
        for earlier, later in pairwise([*history, candle]):
            assert candle_bounds(timeframe, earlier["t"])[1] == later["t"]
            assert earlier["c"] == pytest.approx(later["o"])


def test_a_symbol_nobody_watched_does_not_leap() -> None:
    walk = Walk("BINANCE:BTCUSDT", seed=1, now=NOON)
    before = walk.initial("1D", NOON)["c"]

    after = walk.tick(NOON + 10 * 86400, ("1D",))["1D"]

    assert after["c"] == pytest.approx(before, rel=0.01)
    assert after["t"] == utc(2026, 1, 3)
