"""One price, whatever is asked of it: in any order, in any timeframe, from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from django_fcs.rooms import TIMEFRAMES
from django_fcs.simulator.bounds import candle_bounds, candle_number, candle_start
from django_fcs.simulator.paths import Bar, Path
from django_fcs.simulator.pieces import Piece, joined, split, trades

SYMBOLS = ["FX:EURUSD", "BINANCE:BTCUSDT", "BINANCE:SHIBUSDT", "NASDAQ:AAPL", "FX:VNDXAU"]

paths = st.builds(Path, st.sampled_from(SYMBOLS), seed=st.integers(0, 5))
timeframes = st.sampled_from(TIMEFRAMES)
moments = st.floats(0, 4e9) | st.integers(0, 4 * 10**9 // 300).map(lambda number: number * 300.0)


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    low = draw(st.integers(1, 10**9))
    high = low + draw(st.integers(0, 3) | st.integers(0, 10**6))
    inside = st.integers(low, high)
    volume = draw(st.integers(0, 30) | st.integers(0, 10**16))
    return Piece(draw(inside), high, low, draw(inside), volume)


def current(path: Path, timeframe: str, now: float) -> Bar:
    return path.forming(timeframe, candle_number(timeframe, now), now)


def added(bars: list[Bar]) -> tuple[Any, ...]:
    """Return open, high, low, close and volume of consecutive candles."""
    volume = sum(bar.v for bar in bars)
    highs, lows = [bar.h for bar in bars], [bar.l for bar in bars]
    return bars[0].o, max(highs), min(lows), bars[-1].c, pytest.approx(volume, rel=1e-9)


# -- pieces


@given(pieces(), st.integers(2, 60), st.integers())
@example(Piece(5, 5, 5, 5, 1), 6, 0)
@example(Piece(1, 2, 1, 1, 0), 2, 0)
def test_the_parts_of_a_piece_add_up_to_it(piece: Piece, count: int, seed: int) -> None:
    parts = split(piece, count, Random(seed))

    assert joined(piece.o, parts) == piece
    assert [part.o for part in parts[1:]] == [part.c for part in parts[:-1]]
    assert all(1 <= part.l <= min(part.o, part.c) for part in parts)
    assert all(part.h >= max(part.o, part.c) for part in parts)
    assert all(part.v >= 0 for part in parts)


@given(pieces(), st.integers(3, 60), st.integers())
@example(Piece(2, 3, 1, 2, 1), 3, 0)
def test_the_trades_of_a_piece_end_in_it(piece: Piece, count: int, seed: int) -> None:
    after = trades(piece, count, Random(seed))

    assert after[-1] == piece
    assert len(after) == count
    for earlier, later in zip(after, after[1:], strict=False):
        assert later.h == max(earlier.h, later.c)
        assert later.l == min(earlier.l, later.c)
        assert later.v >= earlier.v


# -- candles


@given(timeframes, moments)
def test_every_moment_is_in_one_candle(timeframe: str, now: float) -> None:
    number = candle_number(timeframe, now)
    start, end = candle_bounds(timeframe, now)

    assert start <= now < end
    assert (start, end) == (candle_start(timeframe, number), candle_start(timeframe, number + 1))
    assert candle_number(timeframe, start) == number == candle_number(timeframe, end - 0.001)


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        *(("5", "1"), ("15", "5"), ("30", "15"), ("60", "30"), ("60", "1"), ("240", "60")),
        *(("1D", "240"), ("1D", "1"), ("1W", "1D"), ("1M", "1D"), ("1W", "60")),
    ],
)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_candle_is_the_sum_of_shorter_ones(symbol: str, longer: str, shorter: str) -> None:
    path = Path(symbol, seed=1)
    start, end = candle_bounds(longer, 1_766_577_600)

    numbers = range(candle_number(shorter, start), candle_number(shorter, end))
    bars = [path.bar(shorter, number) for number in numbers]

    assert path.bar(longer, candle_number(longer, start))[1:] == added(bars)


@given(paths, timeframes, moments)
def test_a_candle_opens_where_the_one_before_closed(path: Path, timeframe: str, now: float) -> None:
    number = candle_number(timeframe, now)
    earlier, later = path.bar(timeframe, number - 1), path.bar(timeframe, number)

    assert earlier.c == later.o
    assert earlier.t == candle_start(timeframe, number - 1)
    assert candle_bounds(timeframe, earlier.t)[1] == later.t
    assert 0 < later.l <= min(later.o, later.c)
    assert later.h >= max(later.o, later.c)


@given(paths, st.sampled_from(["15", "60", "240", "1D"]), moments)
def test_a_candle_that_forms_is_what_its_minutes_have_made_of_it(
    path: Path, timeframe: str, now: float
) -> None:
    bar = current(path, timeframe, now)
    minutes = range(candle_number("1", bar.t), candle_number("1", now))

    bars = [path.bar("1", number) for number in minutes] + [current(path, "1", now)]

    assert bar[1:] == added(bars)


@given(paths, timeframes, moments)
def test_a_candle_has_formed_wholly_when_it_ends(path: Path, timeframe: str, now: float) -> None:
    number = candle_number(timeframe, now)
    end = candle_start(timeframe, number + 1)

    assert path.forming(timeframe, number, end - 0.001) == path.bar(timeframe, number)


@given(paths, moments, st.floats(0, 600))
def test_a_candle_that_forms_only_ever_reaches_further(
    path: Path, now: float, seconds: float
) -> None:
    earlier, later = current(path, "1M", now), current(path, "1M", now + seconds)

    if earlier.t == later.t:
        assert later.o == earlier.o
        assert later.h >= earlier.h
        assert later.l <= earlier.l
        assert later.v >= earlier.v


@given(paths, moments)
def test_all_timeframes_have_the_same_price(path: Path, now: float) -> None:
    assert len({current(path, timeframe, now).c for timeframe in TIMEFRAMES}) == 1


@given(moments)
def test_the_last_trade_is_part_of_the_candle(now: float) -> None:
    path = Path("NASDAQ:AAPL", seed=1)

    assert 0 <= path.size(now) <= current(path, "1", now).v
    assert isinstance(path.size(now), int)


# -- a function of seed, symbol and time


@given(st.lists(st.tuples(timeframes, moments), max_size=20))
def test_the_order_of_questions_changes_no_answer(questions: list[tuple[str, float]]) -> None:
    path = Path("BINANCE:BTCUSDT", seed=3)

    for timeframe, now in questions:
        fresh = Path("BINANCE:BTCUSDT", seed=3)
        assert current(path, timeframe, now) == current(fresh, timeframe, now)


def test_another_seed_or_symbol_gives_other_prices() -> None:
    symbols = [("FX:EURUSD", seed) for seed in range(8)] + [("ONA:EURUSD", 0), ("FX:EURCHF", 0)]

    closes = {Path(symbol, seed=seed).bar("1D", 20_000).c for symbol, seed in symbols}

    assert len(closes) == len(symbols)


def test_the_prices_of_a_seed_are_the_same_on_every_machine() -> None:
    bar = Path("BINANCE:BTCUSDT", seed=1).bar("60", candle_number("60", 1_766_577_600))

    assert bar == Bar(1_766_577_600, 87145.62, 87196.79, 86935.81, 86935.81, 263.410368)


def test_threads_read_what_one_alone_reads() -> None:
    shared, alone = Path("FX:EURUSD", seed=1), Path("FX:EURUSD", seed=1)
    numbers = range(29_442_960, 29_443_360)

    with ThreadPoolExecutor(4) as threads:
        read = [
            threads.submit(lambda turn: [shared.bar("1", n) for n in numbers[::turn]], turn)
            for turn in (1, -1, 3, 7)
        ]
        found = [reading.result() for reading in read]

    expected = [alone.bar("1", number) for number in numbers]
    assert found == [expected[::turn] for turn in (1, -1, 3, 7)]
