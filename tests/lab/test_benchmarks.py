"""The figures, the source and the browser of the benchmarks; nothing is timed here."""

from __future__ import annotations

import pytest

from django_fcs.protocol import Price, parse
from lab.benchmarks.browser import Browser
from lab.benchmarks.feed import PriceText
from lab.benchmarks.machines import growth_of, needs
from lab.benchmarks.summary import figure, ratio, spread
from lab.benchmarks.targets import Target
from lab.kit.markdown import figures
from lab.kit.wire import server_frame


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


def test_what_a_large_site_needs_follows_from_what_one_process_and_redis_cost() -> None:
    steps = [(1, processes, 50) for processes in (1, 2, 3, 4)] + [(1, 1, 150), (1, 1, 300)]
    rows = [
        {
            **{"hosts": hosts, "processes": processes, "browsers_each": each},
            "server_load": processes * (0.1 + 0.001 * each),
            "redis_load": 200 * (4e-6 + 1e-6 * processes),
            **{"updates_per_second": 200, "feeder_load": 0.02},
        }
        for hosts, processes, each in steps
    ]

    growth = growth_of(rows)
    assert growth is not None
    need = needs(growth, 99_900, 400)
    assert need.processes == 250  # Each serves 400 browsers, beside 0.2 of its core for updates.
    assert need.redis == pytest.approx(400 * (4e-6 + 250e-6))
    assert need.hosts == 1
    assert growth_of(rows[1:]) is None
