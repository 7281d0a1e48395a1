"""The recordings, pages and tables of the page benchmark; nothing is timed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from django_fcs.protocol import Price, parse
from lab.benchmarks.page import report
from lab.benchmarks.page.pages import PAGES
from lab.benchmarks.page.recording import Load, merged, one_by_one, read, write
from lab.benchmarks.results import load
from lab.kit.markdown import marked

BEGAN = 1766411426.0
LOAD = Load(rooms=4, updates_per_second=100, frames_per_second=10)


def prices(texts: list[str]) -> list[Price]:
    found = [message for text in texts for message in parse(text)]
    return [message for message in found if isinstance(message, Price)]


def test_both_pages_receive_the_same_market() -> None:
    ours, vendor = merged(LOAD, 2, BEGAN), one_by_one(LOAD, 2, BEGAN)
    last = [
        {price.symbol: price.c for price in prices([text for _, text in recording.frames])}
        for recording in (ours, vendor)
    ]

    assert set(last[0]) == set(LOAD.symbols) == set(ours.joined) == set(vendor.joined)
    assert last[0] == last[1]
    assert len(vendor.frames) == 200


def test_a_merged_frame_has_the_newest_price_of_each_room_at_the_rate_of_the_socket() -> None:
    ours, vendor = merged(LOAD, 2, BEGAN), one_by_one(LOAD, 2, BEGAN)
    sent = [(offset, prices([text])[0]) for offset, text in vendor.frames]

    assert [offset for offset, _ in ours.frames] == [number / 10 for number in range(1, 21)]
    for offset, text in ours.frames:
        newest = {price.symbol: price.c for at, price in sent if offset - 0.1 <= at < offset}
        assert {price.symbol: price.c for price in prices([text])} == newest


def test_the_vendor_sends_none_of_our_additions() -> None:
    vendor = one_by_one(LOAD, 1, BEGAN)

    for text in (*vendor.joined.values(), *(text for _, text in vendor.frames)):
        message = json.loads(text)
        assert set(message) == {"type", "symbol", "timeframe", "prices"}
        assert set(message["prices"]) == {"mode", *"tohlcvab", "update"}


@pytest.mark.parametrize("make", [merged, one_by_one])
def test_a_recording_is_read_as_it_was_written(tmp_path: Path, make: Any) -> None:
    recording = make(LOAD, 1, BEGAN)
    write(recording, tmp_path / "frames.txt")

    assert read(tmp_path / "frames.txt") == recording


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_every_room(name: str) -> None:
    html = PAGES[name].html(LOAD.symbols)

    assert not [symbol for symbol in LOAD.symbols if symbol not in html]


def row(peer: str, **changes: Any) -> dict[str, Any]:
    figures = {
        **{"main_thread": 0.4, "main_thread_cpu": 0.39, "script": 0.1, "style": 0.1, "layout": 0.1},
        **{"long_tasks": 0, "longest_ms": None, "heap_mb": 3.0, "heap_growth_mb": 0.1},
        **{"layout_shift": 0.0, "prices_per_second": 900.0, "frames_per_second": 10.0},
    }
    return {"peer": peer, "run": 0, "chromium": "140.0", **figures, **changes}


def results(*rows: dict[str, Any]) -> dict[str, Any]:
    machine = {"date": "2026-01-01", "processor": "2 × Fast"}
    return {"page": {"machine": machine, "seconds": 60.0, "rows": list(rows)}}


def test_the_section_has_all_pages_and_says_which_target_is_met() -> None:
    rows = (
        row("ours", long_tasks=3),
        row("table", main_thread=0.3),
        row("vendor", main_thread=0.8),
    )
    text = report.section(results(*rows))
    verdicts = [line.rpartition("|")[0].split(" | ")[-1].strip() for line in text.splitlines()]

    assert "| this project | 40 % |" in text and "| the vendor's pattern | 80 % |" in text
    assert "| a table | 30 % |" in text
    assert verdicts.count("met") == 6 and verdicts.count("not met") == 2
    assert "$" not in text


def test_what_nobody_measured_has_no_section() -> None:
    assert report.section({}) == ""


def test_the_document_has_the_section_of_the_saved_figures() -> None:
    assert marked(report.MARK, report.section(load())) in report.DOCUMENT.read_text()
