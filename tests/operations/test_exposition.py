"""What Prometheus reads: over the web process, and over a port of the stream's own."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

import prometheus_client
import pytest
from django.test import Client
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from django_fcs.exceptions import ConfigurationError
from django_fcs.operations import exposition
from django_fcs.operations.exposition import page, serving
from django_fcs.tools.metrics import COUNTERS, DURATIONS, count, observe, shown

URL = "/metrics/"

pytestmark = [pytest.mark.urls("django_fcs.urls"), pytest.mark.versions]


def told(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(text: str, name: str, **labels: str) -> float | None:
    return told(text).get((name, frozenset(labels.items())))


def scraped(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        content: bytes = answer.read()
    return content.decode()


def everything() -> str:
    return page("")[0].decode()


def test_counters_are_there_from_zero_on() -> None:
    before = everything()
    count("stream_merged", by=5)
    count("of_another_version")
    after = everything()

    assert {of(before, f"fcs_{name}_total") for name in COUNTERS} == {0}
    assert of(after, "fcs_stream_merged_total") == 5
    assert of(after, "fcs_of_another_version_total") == 1


def test_gauges_are_there_while_their_owner_works() -> None:
    with shown(lambda: {"hub_sockets": 12}):
        assert of(everything(), "fcs_hub_sockets") == 12

    assert of(everything(), "fcs_hub_sockets") is None


def test_durations_are_cumulated_as_prometheus_wants_them() -> None:
    for seconds in (0.001, 0.03, 99):
        observe("browser_lag_seconds", seconds, "merge")
    observe("browser_lag_seconds", 0.2, "v4")
    observe("feed_lag_seconds", 1.5)
    text = everything()

    def bucket(end: str) -> float | None:
        return of(text, "fcs_browser_lag_seconds_bucket", protocol="merge", le=end)

    assert [bucket(end) for end in ("0.005", "0.025", "0.05", "30.0", "+Inf")] == [1, 1, 2, 2, 3]
    assert of(text, "fcs_browser_lag_seconds_count", protocol="merge") == 3
    assert of(text, "fcs_browser_lag_seconds_sum", protocol="merge") == pytest.approx(99.031)
    assert of(text, "fcs_browser_lag_seconds_count", protocol="v4") == 1
    assert of(text, "fcs_feed_lag_seconds_count") == 1


def test_all_names_are_ours_and_labels_hold_nothing_of_the_site() -> None:
    for name, duration in DURATIONS.items():
        observe(name, 1, "v4" if duration.label else "")
    families = list(text_string_to_metric_families(everything()))

    assert families and all(family.name.startswith("fcs_") for family in families)
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels == {"le", "protocol"}


def test_a_site_s_own_registry_is_left_alone() -> None:
    everything()
    ours = [one for one in prometheus_client.REGISTRY.collect() if one.name.startswith("fcs")]

    assert not ours


# -- fcs/metrics/


def test_a_web_process_tells_its_metrics(client: Client) -> None:
    count("hub_slow_closed")
    answer = client.get(URL)

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in answer["Cache-Control"]
    assert of(answer.content.decode(), "fcs_hub_slow_closed_total") == 1


def test_openmetrics_are_told_to_who_asks_for_them(client: Client) -> None:
    observe("feed_lag_seconds", 1.5)
    answer = client.get(URL, headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert list(openmetrics.text_string_to_metric_families(answer.content.decode()))


def test_asking_changes_nothing(client: Client) -> None:
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405


def test_without_the_library_one_line_names_what_to_install(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "prometheus_client", None)
    answer = client.get(URL)

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/plain")
    [line] = answer.content.decode().splitlines()
    assert "pip install 'django-fcs[metrics]'" in line


def test_the_package_works_without_the_library() -> None:
    code = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from django_fcs.operations.exposition import page\n"
        "try: page('')\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (done.stdout.strip(), done.stderr) == ("ConfigurationError", "")


# -- a port of its own


def test_a_port_answers_scrapes_until_it_is_left() -> None:
    with serving("127.0.0.1", 0) as url:
        count("stream_updates", by=7)
        assert of(scraped(url), "fcs_stream_updates_total") == 7

    with pytest.raises(urllib.error.URLError):
        scraped(url)
    assert not [thread for thread in threading.enumerate() if "serve_forever" in thread.name]


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught, serving("127.0.0.1", port):
            pass

    assert str(caught.value).startswith(f"cannot serve metrics on 127.0.0.1:{port}: ")


def test_a_port_without_the_library_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = exposition
    monkeypatch.setattr(module, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"django-fcs\[metrics\]"):
        with serving("127.0.0.1", 0):
            pass
