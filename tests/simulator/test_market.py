"""What a symbol of the random walk tells: candles and quotes that fit, and keep fitting."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from itertools import pairwise
from random import Random

import pytest

from django_fcs.rooms import TIMEFRAMES
from django_fcs.simulator.bounds import candle_bounds
from django_fcs.simulator.instruments import instrument
from django_fcs.simulator.market import HISTORY, Prices, Walk
from django_fcs.simulator.paths import Path

NOON = datetime(2025, 12, 24, 12, 7, 30, tzinfo=timezone.utc).timestamp()  # a Wednesday

SYMBOLS = [
    *("FX:EURUSD", "FX:USDJPY", "FX:XAUUSD", "ONA:NATGASUSD"),
    *("BINANCE:BTCUSDT", "BINANCE:SHIBUSDT", "BINANCE:ETHBTC", "OKX:NEWCOINUSDT"),
    *("NASDAQ:AAPL", "NYSE:BRK.B", "PSX:ANYTHING"),
]


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=timezone.utc).timestamp())


def walk_of(symbol: str, *, seed: int) -> Walk:
    return Walk(Path(symbol, seed=seed))


def ticks(walk: Walk, timeframe: str, *, count: int, step: float = 0.5) -> list[Prices]:
    """Return the last price of each tick: a tick may tell first how a candle ended."""
    return [walk.tick(NOON + i * step, (timeframe,))[-1][1] for i in range(1, count + 1)]


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
        walk = walk_of("FX:EURUSD", seed=7)
        runs.append([walk.initial("60", NOON), *ticks(walk, "60", count=200)])

    assert runs[0] == runs[1]


def test_another_seed_gives_other_prices() -> None:
    prices = {walk_of("FX:EURUSD", seed=seed).initial("1D", NOON)["c"] for seed in range(8)}

    assert len(prices) > 4


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_price_fits_into_its_candle(symbol: str) -> None:
    walk = walk_of(symbol, seed=1)
    candle = walk.initial("1", NOON)

    for prices in ticks(walk, "1", count=600):
        candle = {**candle, **prices}
        assert candle["l"] <= candle["o"] <= candle["h"]
        assert candle["l"] <= candle["c"] <= candle["h"]
        assert prices["b"] <= prices["c"] <= prices["a"]
        assert 0 < prices["b"] < prices["a"]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_no_price_has_more_decimals_than_its_instrument(symbol: str) -> None:
    walk = walk_of(symbol, seed=1)
    digits = walk.path.instrument.digits

    initial = walk.initial("1D", NOON)
    history = walk.history("1D", initial["t"])
    for prices in [initial, *history, *ticks(walk, "1D", count=50)]:
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


def test_a_walk_begins_in_the_middle_of_its_day() -> None:
    initial = walk_of("BINANCE:BTCUSDT", seed=1).initial("1D", NOON)

    assert initial["t"] == utc(2025, 12, 24)
    assert initial["l"] < initial["h"]
    assert initial["o"] != initial["c"]
    assert "a" not in initial
    assert "b" not in initial


def test_the_volume_of_an_initial_is_only_the_last_trade() -> None:
    walk = walk_of("BINANCE:BTCUSDT", seed=1)
    initial = walk.initial("1D", NOON)

    candle = next(prices for prices in ticks(walk, "1D", count=20) if prices["mode"] == "candle")

    assert initial["v"] < candle["v"] / 100


def test_volume_grows_while_a_candle_lasts() -> None:
    walk = walk_of("NASDAQ:AAPL", seed=1)
    volumes = [prices["v"] for prices in ticks(walk, "1D", count=60) if prices["mode"] == "candle"]

    assert volumes == sorted(volumes)
    assert volumes[0] < volumes[-1]
    assert all(isinstance(volume, int) for volume in volumes)


def test_forex_has_no_volume_and_its_price_is_the_bid() -> None:
    walk = walk_of("FX:EURUSD", seed=1)

    for prices in ticks(walk, "1D", count=60):
        assert prices.get("v", 0) == 0
        assert prices["c"] == prices["b"]


def test_candles_and_quotes_come_mixed() -> None:
    walk = walk_of("FX:EURUSD", seed=1)
    modes = [prices["mode"] for prices in ticks(walk, "1D", count=200)]

    assert 30 < modes.count("askbid") < 120
    assert set(modes) == {"askbid", "candle"}


def test_a_quote_says_when_it_was_made_and_nothing_of_the_candle() -> None:
    walk = walk_of("FX:EURUSD", seed=1)
    quote = next(prices for prices in ticks(walk, "1D", count=50) if prices["mode"] == "askbid")

    assert set(quote) == {"mode", "update", "c", "a", "b", "t"}
    assert NOON <= quote["update"] <= NOON + 25


def test_a_new_candle_opens_when_the_clock_says_so() -> None:
    walk = walk_of("BINANCE:BTCUSDT", seed=1)
    before = ticks(walk, "1", count=50)[-1]

    after = walk.tick(NOON + 31, ("1",))[-1][1]

    assert after["mode"] == "candle"
    assert (before["t"], after["t"]) == (utc(2025, 12, 24, 12, 7), utc(2025, 12, 24, 12, 8))
    assert after["v"] < before.get("v", 1e9)


def test_a_new_candle_is_told_as_one_before_any_quote_of_it() -> None:
    for seed in range(20):
        walk = walk_of("FX:EURUSD", seed=seed)
        ticks(walk, "1", count=5)
        walk.initial("1", NOON + 31)

        assert walk.tick(NOON + 32, ("1",))[-1][1]["mode"] == "candle"


def test_a_candle_that_went_on_after_its_last_tick_is_told_once_more_as_it_ended() -> None:
    walk = walk_of("BINANCE:BTCUSDT", seed=1)
    walk.tick(NOON, ("1", "1D"))

    ended, *others = walk.tick(NOON + 90, ("1", "1D"))

    assert [(name, prices["t"]) for name, prices in others] == [
        ("1", utc(2025, 12, 24, 12, 9)),
        ("1D", utc(2025, 12, 24)),
    ]
    timeframe, prices = ended
    assert (timeframe, prices["mode"]) == ("1", "candle")
    bar = walk.path.bar("1", utc(2025, 12, 24, 12, 7) // 60)
    assert {name: prices[name] for name in bar._fields} == bar._asdict()
    assert prices["b"] <= prices["c"] <= prices["a"]


def test_a_candle_that_was_told_to_its_end_is_not_repeated() -> None:
    walk = walk_of("BINANCE:BTCUSDT", seed=1)
    walk.tick(NOON, ("1",))
    walk.tick(NOON + 29.9, ("1",))
    while walk.tick(NOON + 29.9, ("1",))[-1][1]["mode"] != "candle":
        pass

    assert [prices["t"] for _, prices in walk.tick(NOON + 30, ("1",))] == [NOON + 30]


def test_a_join_between_the_end_of_a_candle_and_its_telling_gets_that_candle() -> None:
    walk = walk_of("BINANCE:BTCUSDT", seed=1)
    walk.tick(NOON, ("1",))

    initial = walk.initial("1", NOON + 31)

    ended = walk.tick(NOON + 32, ("1",))[0][1]
    assert {name: ended[name] for name in "tohlc"} == {name: initial[name] for name in "tohlc"}


def test_a_timeframe_that_was_left_tells_nothing_of_its_past() -> None:
    walk = walk_of("BINANCE:BTCUSDT", seed=1)
    walk.tick(NOON, ("1",))
    walk.forget("1")

    assert walk.initial("1", NOON + 90)["t"] == utc(2025, 12, 24, 12, 9)
    assert len(walk.tick(NOON + 91, ("1",))) == 1


def test_history_ends_before_the_candle_and_closes_where_it_opened() -> None:
    walk = walk_of("NASDAQ:AAPL", seed=1)
    for timeframe in TIMEFRAMES:
        candle = walk.initial(timeframe, NOON)
        history = walk.history(timeframe, candle["t"])

        assert len(history) == HISTORY
        for earlier, later in pairwise([*history, candle]):
            assert candle_bounds(timeframe, earlier["t"])[1] == later["t"]
            assert earlier["c"] == later["o"]


def test_a_price_stays_near_the_one_that_one_expects() -> None:
    for symbol in SYMBOLS:
        path = Path(symbol, seed=1)
        for year in range(30):
            close = path.bar("1D", year * 365).c
            moves = math.log(close / path.instrument.price) / path.instrument.volatility
            assert abs(moves) < 20
