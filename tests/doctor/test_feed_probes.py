"""``manage.py fcs_doctor`` where the way to the vendor is broken: it names the right fix."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from django_fcs.doctor.waits import Waits
from django_fcs.simulator import Faults, Simulator
from django_fcs.simulator.server import BAD_KEY
from tests.doctor.doctors import KEY, Line, examined, tls_server, web_server
from tests.support.missing import rename
from tests.support.network import black_hole, free_port
from tests.support.upstreams import REFUSALS
from tests.support.waiting import eventually

IMPATIENT = Waits(price=2, welcome=2)


# -- a site that is well


def test_a_site_that_is_well_gets_a_line_for_each_probe_and_no_fix(vendor: Simulator) -> None:
    report = examined()

    assert report.error is None
    assert report.outcomes == {
        "settings": "ok",
        "key": "ok",
        "dns": "ok",
        "connection": "ok",
        "welcome": "ok",
        "symbol": "ok",
        "layer": "ok",
        "redis": "ok",
        "processes": "skipped",
        "cache": "ok",
        "clock": "ok",
        "site": "ok",
        "origins": "ok",
        "addresses": "ok",
        "server": "skipped",
        "stream": "ok",
        "leader": "skipped",
        "templates": "ok",
        "page": "skipped",
    }
    assert "->" not in report.out
    assert "BINANCE:BTCUSDT_1D" in report["symbol"].text
    assert "one process only" in report["processes"].text
    # The vendor sees the last goodbye after the doctor has said it.
    asyncio.run(eventually(lambda: vendor.connections == 0))


def test_the_first_room_of_the_site_is_the_one_that_is_tried(vendor: Simulator) -> None:
    report = examined(FCS_ROOMS=["FX:EURUSD_60", "FX:USDJPY"])

    assert "FX:EURUSD_60" in report["symbol"].text


def test_a_closed_market_is_nothing_to_mend(vendor: Simulator) -> None:
    vendor.faults = Faults(closed=True)

    assert examined()["symbol"].outcome == "ok"


def test_a_client_library_without_a_name_is_a_warning(
    vendor: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(monkeypatch, "process_event")
    report = examined()

    accepted, slower = report.lines["welcome"]
    assert (accepted.outcome, slower.outcome) == ("ok", "warning")
    assert "websockets" in slower.text and "process_event" in slower.text
    assert 'require "websockets<' in slower.fix
    assert report.error is None


# -- key, name, line


def test_no_key(vendor: Simulator) -> None:
    report = examined(FCS_API_KEY="")

    assert report.broken == {"key"}
    assert 'FCS_API_KEY = "fcs_socket_demo"' in report["key"].fix
    assert report["welcome"] == Line("skipped", "not tested, because it needs key", "")


@pytest.mark.parametrize("faults", [faults for faults, _ in REFUSALS.values()])
def test_a_wrong_key(faults: Faults, vendor: Simulator) -> None:
    vendor.faults = faults
    report = examined(FCS_API_KEY=BAD_KEY)

    assert report.broken == {"welcome"}
    assert "Set FCS_API_KEY to the socket key of your account" in report["welcome"].fix
    assert report["symbol"].outcome == "skipped"


def test_http_403_may_be_the_key_or_a_proxy(vendor: Simulator) -> None:
    vendor.faults = Faults(refusal="http", http_status=403)
    report = examined(FCS_API_KEY=BAD_KEY)

    assert report.broken == {"welcome"}
    assert "key or proxy" in report["welcome"].text
    assert "Set FCS_API_KEY to the socket key" in report["welcome"].fix
    assert "let this machine through proxy and firewall" in report["welcome"].fix


def test_a_vendor_that_asks_to_wait_is_quoted(vendor: Simulator) -> None:
    vendor.faults = Faults(refusal="http", http_status=429, retry_after="60")
    report = examined(FCS_API_KEY=BAD_KEY)

    assert report.broken == {"welcome"}
    assert "asked to wait for 60 s" in report["welcome"].text
    assert "Wait until then" in report["welcome"].fix


def test_a_key_that_the_vendor_repeats_is_not_shown() -> None:
    def refuse(browser: ServerConnection) -> None:
        browser.send(f'{{"type":"error","short":"authentication_failed","message":"no {KEY}"}}')
        for _ in browser:
            pass

    with web_server(refuse) as port:
        report = examined(FCS_URL=f"ws://127.0.0.1:{port}")

    assert "no [key]" in report["welcome"].text


def test_a_first_address_that_does_not_answer_is_a_warning(
    vendor: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(vendor.url.rpartition(":")[2])
    stock = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "vendor.invalid":
            return stock(host, *args, **kwargs)
        addresses = (hole, ("127.0.0.1", port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in addresses]

    with black_hole() as hole:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        waits = Waits(connect=0.3, first=0.3)
        report = examined(waits=waits, FCS_URL=f"ws://vendor.invalid:{port}")

    listens, silent = report.lines["connection"]
    assert (listens.outcome, silent.outcome) == ("ok", "warning")
    assert "the first address of vendor.invalid, 127.0.0.1, does not answer" in silent.text
    assert report["welcome"].outcome == "ok"


def test_an_address_that_is_none() -> None:
    report = examined(FCS_URL="https://fcsapi.com")

    assert "fcs.E007" in report["settings"].text
    assert 'FCS_URL = "wss://ws-v4.fcsapi.com/ws"' in report["settings"].fix
    assert report["dns"] == Line("skipped", "not tested, because it needs fcs.E007", "")


def test_a_name_that_does_not_exist() -> None:
    report = examined(FCS_URL="wss://no-such-host.invalid/ws")

    assert "no-such-host.invalid has no address" in report["dns"].text
    assert "Correct FCS_URL (the default is wss://ws-v4.fcsapi.com/ws)" in report["dns"].fix
    assert report["connection"].outcome == "skipped"


def test_a_port_at_which_nobody_listens(no_vendor: None) -> None:
    report = examined()

    assert "refuses connections" in report["connection"].text
    assert "manage.py fcs_simulator" in report["connection"].fix
    assert report["welcome"].outcome == "skipped"


def test_a_firewall_that_swallows_packets(
    vendor: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_out(*args: Any) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(socket, "create_connection", time_out)
    report = examined()

    assert "cannot be reached: Connection timed out" in report["connection"].text
    assert "firewall" in report["connection"].fix


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with tls_server(tmp_path) as port:
        report = examined(FCS_URL=f"wss://localhost:{port}/ws")

    assert re.search("certificate not trusted: self.signed", report["connection"].text)
    assert "trust its issuer" in report["connection"].fix


def test_a_certificate_of_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(tmp_path) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        report = examined(FCS_URL=f"wss://127.0.0.1:{port}/ws")

    assert "certificate is not valid for '127.0.0.1'" in report["connection"].text
    assert "Correct the name in FCS_URL" in report["connection"].fix


def test_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(tmp_path) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        report = examined(FCS_URL=f"wss://localhost:{port}/ws")

    assert re.search(r"speaks TLSv1\.\d", report["connection"].text)


def test_tls_where_none_is_spoken(vendor: Simulator) -> None:
    report = examined(FCS_URL=vendor.url.replace("ws:", "wss:"))

    assert "TLS fails" in report["connection"].text
    assert '"ws://"' in report["connection"].fix


def test_a_server_that_says_no_welcome(vendor: Simulator) -> None:
    vendor.faults = Faults(welcome_after=1e9)
    report = examined(waits=IMPATIENT)

    assert "no welcome" in report["welcome"].text
    assert "limited to one connection" in report["welcome"].fix


def test_a_mute_symbol(vendor: Simulator) -> None:
    vendor.faults = Faults(silent=("*",))
    report = examined(waits=IMPATIENT, FCS_ROOMS=["FX:EURUSD"])

    assert report.broken == {"symbol"}
    assert "FX:EURUSD_1D is joined, but sends no price" in report["symbol"].text
    assert "manage.py fcs_watch BINANCE:BTCUSDT" in report["symbol"].fix


def test_frames_that_are_none_are_no_answer(vendor: Simulator) -> None:
    vendor.faults = Faults(silent=("*",), malformed_every=1)

    assert examined(waits=IMPATIENT)["symbol"].outcome == "broken"


@pytest.mark.parametrize("reply", ["error", "silence"])
def test_a_symbol_that_the_feed_does_not_know(reply: str, vendor: Simulator) -> None:
    vendor.faults = Faults(unknown=("*",), unknown_reply=reply)
    report = examined(waits=IMPATIENT, FCS_ROOMS=["FX:NOSUCH"])

    assert report.broken == {"symbol"}
    assert "does not know FX:NOSUCH_1D" in report["symbol"].text
    assert "FCS_ROOMS" in report["symbol"].fix


def test_behind_a_proxy_names_and_lines_are_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{free_port()}")
    report = examined(waits=IMPATIENT, FCS_URL="wss://no-such-host.invalid/ws")

    assert report["dns"].outcome == report["connection"].outcome == "ok"
    assert "proxy" in report["dns"].text


def test_a_proxy_that_the_vendor_is_kept_from_is_not_asked(
    vendor: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert "listens" in examined()["connection"].text
