"""The benchmarks of pages and charts measure, here with few rooms and for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.benchmarks.charts.measure import measure_drag, measure_page
from lab.benchmarks.page.measure import measure_once
from lab.benchmarks.page.pages import PAGES
from lab.benchmarks.page.recording import Load


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_benchmark_is_measured(name: str, executable: str, tmp_path: Path) -> None:
    few = Load(rooms=4, updates_per_second=200)

    figures = measure_once(name, few, seconds=0.5, warm_up=0.1, folder=tmp_path)

    assert 0 < figures["script"] < figures["main_thread"] < 1
    assert 0 < figures["main_thread_cpu"] < 1
    assert figures["heap_mb"] > 0
    assert 0 < figures["prices_per_second"] < 400


def test_a_drag_and_a_page_of_charts_are_measured(executable: str, tmp_path: Path) -> None:
    dragged = measure_drag(300, tmp_path)
    figures = measure_page(2, seconds=0.5, folder=tmp_path, warm_up=0.1)

    assert 0 < dragged["p50_ms"] <= dragged["p95_ms"] <= dragged["longest_ms"]
    assert 0 < figures["main_thread"] < 1
    assert figures["prices_per_second"] > 0
