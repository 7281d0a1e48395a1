"""``manage.py fcs_status`` of a site with the in-memory layer: what is known without the stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.test import override_settings
from django.urls import include, path

from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import MemoryStore
from django_fcs.site import site_store
from tests.management.test_fcs_status import BOTH, EURUSD, NOW, now, report, run, value

pytestmark = pytest.mark.versions

__all__ = ["now"]

urlpatterns = [path("prices/", include("django_fcs.urls"))]


@override_settings(FCS_ROOMS=["FX:EURUSD", "FX:USDJPY_60"], FCS_URL="wss://me:pw@feed.example/ws")
def test_in_one_process_the_status_says_what_is_known_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, reason = run("fcs_status")
    lines = capsys.readouterr().out.splitlines()

    assert code == 2 and "fcs/health/" in reason
    assert [line.split(maxsplit=1) for line in lines[1:]] == [
        ["feed", "feed.example"],
        ["key", "set"],
        ["FCS_ROOMS", "FX:EURUSD_1D, FX:USDJPY_60"],
        ["its", 'state         not served: add path("fcs/", include("django_fcs.urls"))'],
    ]
    assert lines[0] == "in memory: the web process streams by itself"


@override_settings(FCS_API_KEY="", ROOT_URLCONF=__name__)
def test_in_one_process_programs_get_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, reason = run("fcs_status", "--json")

    assert code == 2
    assert json.loads(capsys.readouterr().out) == {
        **{"status": "unknown", "reason": reason, "feed": "127.0.0.1:9", "has_key": False},
        **{"rooms": [], "health": "/prices/health/"},
    }


@BOTH
async def test_the_process_that_streams_knows_its_own_state(command: tuple[str, ...]) -> None:
    store = site_store()
    assert isinstance(store, MemoryStore)
    await store.asave({EURUSD: value(EURUSD, age=1)}, PathReport(NOW, True, ""), report(EURUSD))

    assert await asyncio.to_thread(run, *command) == (0, "")


@override_settings(ROOT_URLCONF="no.such.module")
def test_urls_of_the_site_that_cannot_be_read_are_no_traceback() -> None:
    code, reason = run("fcs_status")

    assert code == 2 and "in-memory" in reason


@pytest.mark.parametrize("settings", [{"FCS_ROOMS": ["eurusd"]}, {"FCS_URL": "http://x"}])
def test_in_one_process_wrong_settings_are_told(settings: dict[str, Any]) -> None:
    with override_settings(**settings):
        code, reason = run("fcs_status")

    assert code == 2
    assert "eurusd" in reason or "FCS_URL" in reason
