"""``manage.py fcs_stream``, in this process."""

from __future__ import annotations

import json
import logging
import signal
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from django_fcs.management.commands import fcs_stream
from django_fcs.operations import exposition
from django_fcs.recording import read
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.simulator.server import BAD_KEY
from django_fcs.site import site_store
from tests.support.beside import Terminal, safe_signals, simulator_beside
from tests.support.layers import SharedLayer

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    with safe_signals():
        yield


class Quick(fcs_stream.Command):
    """The command, which shows its status without delay."""

    draw_seconds = log_seconds = 0.01


@pytest.fixture
def vendor() -> Iterator[Simulator]:
    with simulator_beside(RandomWalk(rate=0)) as simulator:
        with override_settings(FCS_URL=simulator.url):
            yield simulator


def refusal(*arguments: str, **settings: Any) -> CommandError:
    """Run what cannot run."""
    with override_settings(**settings), pytest.raises(CommandError) as caught:
        call_command("fcs_stream", *arguments)
    assert "\n" not in str(caught.value)
    return caught.value


# -- wrong use: 2, and one line


def test_beside_a_web_process_that_streams_by_itself_it_ends_with_2_and_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        fcs_stream.Command().run_from_argv(["manage.py", "fcs_stream"])

    assert caught.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "channel layer is the in-memory one" in line
    assert "CHANNEL_LAYERS" in line
    assert "channels_redis" in line


@pytest.mark.parametrize("own", [True, False])
def test_a_room_that_is_none_is_told_by_its_name(
    own: bool, shared_layer: type[SharedLayer]
) -> None:
    arguments, rooms = (["FX:EURUSD", "eurusd"], []) if own else ([], ["eurusd"])
    error = refusal(*arguments, FCS_ROOMS=rooms)

    assert error.returncode == 2
    assert "'eurusd' is not EXCHANGE:TICKER" in str(error)


def test_a_refused_key_is_told_by_the_name_of_its_setting(
    shared_layer: type[SharedLayer], vendor: Simulator
) -> None:
    error = refusal(FCS_API_KEY=BAD_KEY)

    assert error.returncode == 2
    assert "refused FCS_API_KEY: Invalid access_key" in str(error)


def test_an_empty_key_is_told_as_well(shared_layer: type[SharedLayer]) -> None:
    error = refusal(FCS_API_KEY="")

    assert error.returncode == 2
    assert "FCS_API_KEY is empty" in str(error)


@pytest.mark.parametrize("name", ["nowhere/frames.jsonl", "notes.txt", "."])
def test_a_place_where_nothing_can_be_recorded_is_told(
    name: str, shared_layer: type[SharedLayer], vendor: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("not frames\n")
    error = refusal("--record", str(tmp_path / name))

    assert error.returncode == 2
    assert str(error).startswith(f"--record: {tmp_path / name}: ")
    assert vendor.connections == 0


def test_a_recording_without_a_name_is_not_left_out_in_silence(
    shared_layer: type[SharedLayer], vendor: Simulator
) -> None:
    error = refusal("--record", "")

    assert error.returncode == 2
    assert "cannot record: Is a directory" in str(error)


@pytest.mark.parametrize("content", ['{"at":1.0,"name":"x"}', '{"at":1.0,"name":"x"'])
def test_a_file_of_one_line_that_is_no_recording_is_refused_and_kept(
    content: str, shared_layer: type[SharedLayer], vendor: Simulator, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.json"
    notes.write_text(content)
    error = refusal("--record", str(notes))

    assert error.returncode == 2
    assert str(error) == f"--record: {notes}: not a recording, so it is left as it is"
    assert notes.read_text() == content


def test_a_port_for_metrics_that_is_taken_is_told(
    shared_layer: type[SharedLayer], vendor: Simulator
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = refusal("--metrics-port", str(port))

    assert error.returncode == 2
    assert f"cannot serve metrics on 127.0.0.1:{port}" in str(error)
    assert vendor.connections == 0


def test_metrics_without_their_library_are_refused(
    shared_layer: type[SharedLayer], vendor: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "prometheus_client", None)
    error = refusal("--metrics-port", "0")

    assert error.returncode == 2
    assert "pip install 'django-fcs[metrics]'" in str(error)


def test_a_site_without_a_channel_layer_is_told_what_to_paste() -> None:
    error = refusal(CHANNEL_LAYERS={})

    assert error.returncode == 2
    assert "CHANNEL_LAYERS has no 'default'" in str(error)


# -- running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_streams_its_rooms_until_a_signal_and_ends_well(
    number: int,
    shared_layer: type[SharedLayer],
    vendor: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Terminal("state=online rooms=2/2", "last_tick_age=0.", isatty=True, number=number)
    monkeypatch.setattr(sys, "stdout", screen)
    path = tmp_path / "frames.jsonl"
    with override_settings(FCS_ROOMS=["FX:EURUSD"]):
        call_command(Quick(), "FX:USDJPY_60", "--record", str(path))

    assert "updates_per_second=" in screen.getvalue()
    assert screen.getvalue().endswith("\n")
    recorded = [json.loads(frame.text) for frame in read(path)]
    confirmed = {one["room"] for one in recorded if one.get("short") == "joined_room"}
    assert confirmed == {"FX:EURUSD_1D_0s", "FX:USDJPY_60_0s"}
    assert site_store().load([])[1] is not None
    assert [one.closed for one in shared_layer.made[1:]] == [True]


class EndsAt(logging.Handler):
    """Where a log is all there is: the command is ended once a line says enough."""

    def __init__(self, *enough: str) -> None:
        super().__init__()
        self._enough = enough
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if self._enough and all(part in self.lines[-1] for part in self._enough):
            self._enough = ()
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("faults", "enough"),
    [
        (Faults(), ("state=online", "rooms=1/1", "last_tick_age=0.")),
        (Faults(silent=("*",)), ("state=online", "rooms=1/1", "last_tick_age=none yet")),
        (Faults(welcome_after=1e9), ("state=offline (not connected yet)", "rooms=0/1")),
    ],
)
def test_where_there_is_no_terminal_the_state_is_logged_now_and_then(
    faults: Faults,
    enough: tuple[str, ...],
    shared_layer: type[SharedLayer],
    vendor: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    vendor.faults = faults
    log = EndsAt(*enough)
    logger = logging.getLogger("django_fcs.fcs_stream")
    logger.addHandler(log)
    try:
        call_command(Quick(), "FX:EURUSD")
    finally:
        logger.removeHandler(log)

    assert "updates_per_second=" in log.lines[-1]
    assert "\n" not in "".join(log.lines)


class Scrapes(EndsAt):
    """Prometheus, who reads the metrics as soon as the log tells their address."""

    def __init__(self) -> None:
        super().__init__("rooms=1/1")
        self.url, self.text = "", ""

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if line.startswith("metrics served url="):
            self.url = line.partition("=")[2]
        if line.startswith("state=online rooms=1/1"):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            self.text = opener.open(self.url, timeout=10).read().decode()
        super().emit(record)


def test_metrics_are_served_as_long_as_the_command_runs(
    shared_layer: type[SharedLayer],
    vendor: Simulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    prometheus = Scrapes()
    logger = logging.getLogger("django_fcs.fcs_stream")
    logger.addHandler(prometheus)
    try:
        call_command(Quick(), "FX:EURUSD", "--metrics-port", "0")
    finally:
        logger.removeHandler(prometheus)

    lines = prometheus.text.splitlines()
    assert "fcs_stream_online 1.0" in lines
    assert "fcs_stream_rooms_joined 1.0" in lines
    assert "EURUSD" not in prometheus.text and "a-key-of-the-tests" not in prometheus.text
    assert prometheus.url.startswith("http://127.0.0.1:")
    assert not [thread for thread in threading.enumerate() if "serve_forever" in thread.name]
