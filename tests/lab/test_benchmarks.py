"""The arithmetic, the frames and the drawings of the benchmarks; nothing is timed here."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, strategies as st

from django_fcs.protocol import Price, parse
from lab.benchmarks.browser import Browser
from lab.benchmarks.feed import PriceText
from lab.benchmarks.summary import figure, ratio, spread
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures, table
from lab.kit.plots import Bar, Line, bars, lines
from lab.kit.statistics import median, percentile, percentiles, slope
from lab.kit.wire import client_frame, frames, server_frame, unmasked

SIZES = st.sampled_from([0, 1, 125, 126, 65535, 65536])


def test_a_percentile_is_a_value_that_occurred() -> None:
    ordered = [float(value) for value in range(1, 101)]

    assert [percentile(ordered, percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7.0], 99) == 7


def test_ages_become_milliseconds() -> None:
    assert percentiles([0.002, 0.001, 0.003]) == {
        "p50_ms": 2,
        "p99_ms": 3,
        "max_ms": 3,
        "timed": 3,
    }
    assert percentiles([])["p99_ms"] is None


def test_a_median_of_two_lies_between_them() -> None:
    assert median([3, 1]) == 2
    assert median([9, 1, 2]) == 2


def test_the_slope_is_that_of_the_best_line() -> None:
    assert slope([(500, 10_000), (2000, 40_000)]) == 20


def test_ratios_are_taken_within_a_run() -> None:
    rows = [
        {"peer": peer, "run": run, "server_us": value}
        for peer, values in {"ours": (20, 60, 44), "floor": (10, 20, 40)}.items()
        for run, value in enumerate(values)
    ]

    assert ratio(rows, "ours", "floor", "server_us") == 2
    assert ratio(rows, "ours", "node", "server_us") is None


def test_a_figure_that_nobody_measured_is_none() -> None:
    assert figure([{"p99_ms": None}], "p99_ms") is None
    assert spread([], "p99_ms") is None
    assert figures(None) == "–"


def test_a_target_is_met_on_its_side_of_the_limit() -> None:
    most = Target("age", "stream", 100, lambda results: None)
    least = Target("rate", "stream", 100, lambda results: None, at_least=True)

    assert (most.is_met(99), most.is_met(101)) == (True, False)
    assert (least.is_met(99), least.is_met(101)) == (False, True)


def test_a_table_has_as_many_columns_in_each_line() -> None:
    drawn = table(["peer", "µs"], [["ours", "1"], ["floor", "2"]])

    assert {line.count("|") for line in drawn.splitlines()} == {3}


@given(st.lists(SIZES, max_size=4), st.integers(0, 9))
def test_frames_are_found_whole_and_a_rest_is_left(sizes: list[int], cut: int) -> None:
    payloads = [b"x" * size for size in sizes]
    data = b"".join(map(server_frame, payloads)) + server_frame(b"y" * 10)[:cut]

    assert [data[start:stop] for _, start, stop in frames(data)] == payloads


@given(SIZES)
def test_a_client_frame_is_unmasked_to_what_it_was(size: int) -> None:
    data = client_frame(b"z" * size)

    assert [unmasked(data[start:stop]) for _, start, stop in frames(data)] == [b"z" * size]


def test_the_source_writes_what_the_project_reads() -> None:
    (price,) = parse(PriceText("BINANCE:R0001", "1D").next("candle", 1766411426.123456).decode())

    assert isinstance(price, Price)
    assert (price.symbol, price.mode, price.update) == (
        "BINANCE:R0001",
        "candle",
        1766411426.123456,
    )


class Sent:
    """The socket of a browser that is handed its bytes."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.sent = b""

    def recv(self, size: int) -> bytes:
        return self.chunks.pop(0)

    def send(self, data: bytes) -> None:
        self.sent += data


@pytest.mark.parametrize("size", [1, 100, 1000, 100_000])
def test_a_browser_counts_prices_however_they_are_cut(size: int) -> None:
    price = PriceText("BINANCE:R0001", "1D").next("candle", 1.5)
    data = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + server_frame(b'{"type":"ping"}')
    data += server_frame(price) * 3 + server_frame(b"[" + b",".join([price] * 9) + b"]")
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    browser = Browser(0, [])
    browser.socket = Sent(list(chunks))  # type: ignore[assignment]

    for _ in chunks:
        browser.receive()

    assert (browser.prices, browser.frames) == (12, 4)
    assert b'"pong"' in browser.socket.sent  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "image",
    [
        bars("CPU <µs>", "less & better", [Bar("ours", 20, "20 µs", "ours"), Bar("a", 0, "0", "")]),
        bars("nothing", "", []),
        lines("growth", "", "rooms", [Line("ours", [(1, 0.1), (1000, 30)], "ours")]),
        lines("one point", "", "rooms", [Line("ours", [(5, 0)], "ours")]),
    ],
)
def test_a_plot_is_well_formed(image: str) -> None:
    assert ElementTree.fromstring(image).tag.endswith("svg")
