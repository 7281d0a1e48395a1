"""The benchmark of candles: its measurements and its section; nothing is timed here."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from lab.benchmarks.candles import report
from lab.benchmarks.candles.filling import fill
from lab.benchmarks.candles.reading import SITES, read_candles
from lab.benchmarks.candles.steps import STEPS, time_steps
from lab.benchmarks.candles.storing import store_answer
from lab.benchmarks.results import load
from lab.kit.markdown import marked


@pytest.mark.parametrize("is_seen", [False, True])
def test_an_answer_is_merged_and_stored_while_the_loop_is_watched(
    is_seen: bool, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        figures = store_answer(bars=150, is_seen=is_seen)

    assert 0 < figures["held_ms"] < 20_000 and figures["wall_ms"] > 0


def test_a_stream_is_filled_with_candles_of_history_and_feed() -> None:
    figures = fill(rooms=2, candles=20)

    assert figures["stored_mb"] >= figures["mb"] >= 0


@pytest.mark.parametrize("site", SITES)
def test_candles_are_read_as_a_view_reads_them(site: str) -> None:
    assert read_candles(site, kept=20, limit=10, calls=2)["us"] > 0


def test_single_steps_are_timed() -> None:
    figures = time_steps(bars=60, candles=20)

    assert figures.keys() == STEPS.keys()
    assert all(0 < value < 20_000 for value in figures.values())


def row(peer: str, **figures: float) -> dict[str, Any]:
    return {"peer": peer, "run": 0, **figures}


def test_the_section_says_which_target_is_met_by_the_longest_wait_of_all_runs() -> None:
    machine = {"date": "2026-01-01", "processor": "2 × Fast", "Python": "3.13", "Django": "6.1"}
    rows = [row("new", wall_ms=400.0, held_ms=held, collect_ms=30.0) for held in (20.0, 51.0, 19.0)]
    rows += [row("seen", wall_ms=501.0, held_ms=30.0), row("memory", us=440.0)]
    rows += [row("filled", rss_mb=19.0, rss_stored_mb=36.0, traced_mb=18.0)]
    text = report.section({"candles": {"machine": machine, "rows": rows}})

    assert "| room seen before | ≤ 500 ms | 501 ms | not met |" in text
    assert "| new room | ≤ 50.0 ms | 51.0 ms | not met |" in text
    assert text.count("| met |") == 3 and text.count("| not met |") == 2
    assert "| stream | 19.0 | 18.0 |" in text and "| in memory | 440 |" in text
    assert "takes 30.0 ms" in text
    assert "$" not in text and "{" not in text


def test_what_nobody_measured_has_no_section() -> None:
    assert report.section({}) == ""


def test_the_document_has_the_section_of_the_saved_figures() -> None:
    assert marked(report.MARK, report.section(load())) in report.DOCUMENT.read_text()
