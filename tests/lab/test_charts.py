"""The benchmark of charts: its figures, its frames and its section; nothing is timed here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.benchmarks.charts import report
from lab.benchmarks.charts.pages import recording, symbols_of
from lab.benchmarks.charts.printed import sizes, tag
from lab.benchmarks.charts.tab import frames_of, percentile
from lab.benchmarks.results import load
from lab.kit.markdown import marked


@pytest.mark.parametrize("site", ["memory", "cache"])
def test_the_tag_is_timed_on_both_sites(site: str) -> None:
    figures = tag(site, calls=2)
    assert figures["copied_ms"] > 0 and figures["read_ms"] > 0


def test_200_candles_and_what_they_load_stay_small() -> None:
    found = sizes()
    assert 2 < found["html_kb"] <= 5
    assert 5 < found["script_kb"] <= 12


def test_prices_continue_the_last_candle_that_a_page_has() -> None:
    [symbol] = symbols_of(1)
    sent = recording([symbol], 200, 1, 20)
    rows = json.loads(sent.candles[symbol])["candles"]
    times = [price["prices"]["t"] for _, text in sent.frames for price in json.loads(text)]
    assert len(rows) == 201 and len(sent.frames) == 10
    assert {time - rows[-1][0] for time in times} <= {0, 60}


def event(name: str, begin: float, end: float, thread: int = 1) -> dict[str, Any]:
    return {"name": name, "ts": begin, "dur": end - begin, "pid": 1, "tid": thread}


def test_what_is_within_another_event_counts_once_and_other_threads_do_not_count() -> None:
    events = [
        event("EventDispatch", 0, 2000),
        event("FunctionCall", 500, 1500),
        event("Layout", 1900, 3000),
        event("Paint", 3000, 9000),
        event("Commit", 9000, 9100),
        event("Commit", 9200, 9300),
        event("UpdateLayoutTree", 9400, 9900),
        event("Commit", 9950, 9960),
        event("FunctionCall", 0, 9000, thread=2),
    ]
    assert frames_of(events) == [3.0, 0.5]
    assert frames_of([]) == []


def test_of_a_hundred_frames_five_may_be_longer_than_p95() -> None:
    assert percentile([float(value) for value in range(100)], 0.95) == 95.0


ROWS: list[dict[str, Any]] = [
    {"peer": "sizes", "html_kb": 4.6, "script_kb": 11.9, "visitor_kb": 3.5, "style_kb": 2.5},
    {"peer": "memory", "read_ms": 2.5, "copied_ms": 2.2},
    {"peer": "cache", "read_ms": 3.5, "copied_ms": 2.2},
    {"peer": "drag", "chromium": "1.2", "frames": 600, "p50_ms": 3, "p95_ms": 5, "longest_ms": 9},
    {"peer": "page", "main_thread": 0.1, "long_tasks": 0, "longest_ms": None, "layout_shift": 0}
    | {"prices_per_second": 80.0, "heap_growth_mb": 0.1},
]


def test_the_section_says_which_target_is_met() -> None:
    machine = {"date": "2026-01-01", "processor": "2 × Fast", "Python": "3.13", "Django": "6.1"}
    rows = [{"run": 0, **row} for row in ROWS]
    text = report.section({"charts": {"machine": machine, "seconds": 20.0, "rows": rows}})
    assert text.count("| met |") == 8 and text.count("| not met |") == 1
    assert "| with a cache | 3.50 | 2.20 |" in text
    assert "$" not in text


def test_what_nobody_measured_has_no_section() -> None:
    assert report.section({}) == ""


def test_the_document_has_the_section_of_the_saved_figures() -> None:
    assert marked(report.MARK, report.section(load())) in report.DOCUMENT.read_text()
