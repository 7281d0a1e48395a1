"""The benchmark of rendering: its pages and its section; nothing is timed here."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_fcs.site import forget_prices
from lab.benchmarks.rendering import report, settings
from lab.benchmarks.rendering.measure import PAGES, measure_once
from lab.benchmarks.results import load
from lab.kit.markdown import marked


@pytest.mark.parametrize(("site", "reads"), [("memory", 0), ("cache", 1)])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_the_cache_once(site: str, page: str, reads: int) -> None:
    with override_settings(CHANNEL_LAYERS=settings.CHANNEL_LAYERS, CACHES=settings.CACHES):
        figures = measure_once(site, page, pages=1, rooms=3)
    forget_prices()

    assert figures["reads"] == reads
    assert figures["kb"] > 3 and figures["wall_ms"] > 0


def row(peer: str, page: str, **changes: Any) -> dict[str, Any]:
    figures = {"wall_ms": 20.0, "cpu_ms": 19.0, "least_cpu_ms": 18.0, "reads": 1, "kb": 150.0}
    return {"peer": peer, "page": page, "run": 0, **figures, **changes}


def test_the_section_has_both_pages_on_both_sites_and_says_which_target_is_met() -> None:
    machine = {"date": "2026-01-01", "processor": "2 × Fast", "Python": "3.13", "Django": "6.1"}
    rows = [row("memory", "tickers", reads=0), row("cache", "tickers", wall_ms=26.0)]
    rows += [row("memory", "table", wall_ms=14.0), row("cache", "table", wall_ms=14.5)]
    text = report.section({"rendering": {"machine": machine, "pages": 40, "rows": rows}})

    assert "| 60 tickers | one process | 20.0 | 19.0 | 18.0 |" in text
    assert "5 columns | shared cache | 14.5 |" in text
    assert text.count("| met |") == 5 and text.count("| not met |") == 1
    assert "$" not in text


def test_what_nobody_measured_has_no_section() -> None:
    assert report.section({}) == ""


def test_the_document_has_the_section_of_the_saved_figures() -> None:
    assert marked(report.MARK, report.section(load())) in report.DOCUMENT.read_text()
