"""A web process whose clock differs from that of the stream: it notices, says so and corrects."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client, override_settings

from django_fcs.doctor.site_probes import probe_clock
from django_fcs.doctor.waits import Waits
from django_fcs.management.commands import fcs_stream
from django_fcs.operations import status
from django_fcs.prices.paths import PathReport
from django_fcs.prices.reports import Report
from django_fcs.prices.store import CacheStore, LastValue
from django_fcs.quotes import get_quote
from django_fcs.rooms import Room
from django_fcs.site import site_store
from tests.support.layers import SharedLayer

pytestmark = [pytest.mark.urls("django_fcs.urls"), pytest.mark.versions]

EURUSD = Room("FX:EURUSD", "1D")
TEXT = (
    '{"type":"price","symbol":"FX:EURUSD","timeframe":"1D","seq":1,"at":%f,'
    '"prices":{"mode":"candle","t":60,"o":1,"h":1,"l":1,"c":1.5}}'
)


@pytest.fixture(autouse=True)
def site(shared_layer: type[SharedLayer], tmp_path: Path) -> Iterator[None]:
    """A site of many processes, whose cache they share."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": tmp_path}}):
        yield


class Impatient(fcs_stream.Command):
    """The command, which does not wait long for a heartbeat."""

    heartbeat_seconds = 0.3


def save(store: CacheStore, *, ahead: float) -> None:
    """Save what a stream saves if this process's clock is so far ahead of its own."""
    at = time.time() - ahead
    path = PathReport(at, online=True, reason="")
    report = Report(at, 1, ("FX:EURUSD_1D",), 1, 1.0, at, True, {})
    asyncio.run(store.asave({EURUSD: LastValue(TEXT % at)}, path, report))


@contextmanager
def streaming(ahead: float) -> Iterator[None]:
    """Save again and again, as a stream of another machine does, but faster."""
    ended = threading.Event()
    saver = CacheStore("default")
    save(saver, ahead=ahead)

    def run() -> None:
        while not ended.wait(0.05):
            save(saver, ahead=ahead)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def health() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Client().get("/health/").content)
    return told


def observe(ahead: float) -> None:
    """Read four heartbeats of such a stream, as pages and health checks do."""
    saver = CacheStore("default")
    for _ in range(4):
        save(saver, ahead=ahead)
        get_quote("FX:EURUSD")


@pytest.mark.parametrize("ahead", [15.0, -15.0, 3600.0])
def test_a_page_shows_the_state_that_the_socket_shows(
    ahead: float, caplog: pytest.LogCaptureFixture
) -> None:
    observe(ahead)
    quote = get_quote("FX:EURUSD")

    assert quote is not None
    assert (quote.state.value, quote.age < 3) == ("live", True)
    assert caplog.text.count("clocks differ, ages are corrected") == 1


@pytest.mark.parametrize(("ahead", "side"), [(15.0, "ahead of"), (-15.0, "behind")])
def test_health_is_well_and_names_the_offset(ahead: float, side: str) -> None:
    observe(ahead)
    told = health()

    assert (told["status"], told["reasons"]) == ("ok", [])
    assert told["clock_offset_seconds"] == pytest.approx(ahead, abs=2)
    assert told["warnings"] == [f"the clock of this machine is 15 s {side} the stream's"]
    assert told["beat_age_seconds"] < 3


def test_clocks_that_agree_are_not_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    observe(0.0)
    told = health()

    assert (told["warnings"], told["clock_offset_seconds"]) == ([], 0)
    assert "clock" not in caplog.text


def test_a_stream_that_has_ended_is_offline_all_the_same() -> None:
    store = site_store()
    observe(15.0)
    now = time.time()
    path = PathReport(now - 15, online=True, reason="")

    assert status.trouble(store, path, now) == ""
    assert status.trouble(store, path, now + 60) == "no heartbeat from the stream"


def test_commands_measure_the_clock_and_name_it(capsys: pytest.CaptureFixture[str]) -> None:
    with streaming(15.0):
        call_command("fcs_stream", "--check")
        call_command("fcs_status")
        out = capsys.readouterr().out
        [finding] = probe_clock()

    assert "this clock" in out and "s ahead" in out and "live" in out
    assert finding.outcome.value == "warning"
    assert "15 s ahead of the stream's" in finding.text
    assert "NTP" in finding.fix


def test_the_doctor_says_that_clocks_agree() -> None:
    with streaming(0.0):
        [finding] = probe_clock()

    assert finding.outcome.value == "ok"


def test_without_a_stream_a_command_waits_for_no_more_than_one_heartbeat() -> None:
    save(CacheStore("default"), ahead=15.0)
    [finding] = probe_clock(Waits(heartbeat=0.3))
    assert (finding.outcome.value, finding.text) == (
        "skipped",
        "because no stream saves heartbeats",
    )

    with pytest.raises(CommandError, match="no heartbeat from the stream"):
        call_command(Impatient(), "--check")
