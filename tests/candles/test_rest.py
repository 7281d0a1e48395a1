"""The client of the vendor's REST API, against servers that misbehave."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest
from django.test import override_settings
from django.views.debug import ExceptionReporter
from urllib3.connection import HTTPConnection

from django_fcs.candles.answers import SIZE_MAX, Answer, RefusalKind, Refused
from django_fcs.candles.rest import RestClient, Timing
from django_fcs.exceptions import ConfigurationError
from django_fcs.rooms import Room
from django_fcs.tools.metrics import counts
from django_fcs.values.timeframes import REST_PERIODS, TIMEFRAMES
from tests.support.certificates import self_signed
from tests.support.leaks import KEY, leaks
from tests.support.network import black_hole, free_port

from .vendors import ROWS, Answering, Handler, Vendor, answering, serving, the_history

pytestmark = pytest.mark.versions

ROOM = Room("FX:EURUSD", "1")
NOW = 1_764_576_100.0
USUAL = Timing()
QUICK = Timing(connect=0.2, read=0.2, total=0.3)


def client_of(url: str, timing: Timing = USUAL) -> RestClient:
    return RestClient(KEY, url=url, timing=timing, clock=lambda: NOW)


def ask(url: str, timing: Timing = USUAL) -> Answer:
    return client_of(url, timing).history(ROOM, length=2)


def refused(answer: Answering, timing: Timing = USUAL) -> Refused:
    """Return how the client fails that gets this answer, which it asked for once."""
    with serving(answer) as vendor, pytest.raises(Refused) as caught:
        ask(vendor.url, timing)
    assert len(vendor.paths) == 1
    return caught.value


# -- what is asked


def test_history_is_asked_for_by_a_form_and_read() -> None:
    with serving(answering(the_history(credit_count=1, server_time=NOW - 5))) as vendor:
        answer = client_of(vendor.url).history(ROOM, length=2, start=1_764_576_000, end=int(NOW))

    assert [list(bar)[:5] for bar in answer.bars] == [row[:5] for row in ROWS]
    assert (answer.bars[0].v, answer.bars[1].v) == (12.5, None)
    assert (answer.dropped, answer.credits, answer.server_time) == (0, 1, NOW - 5)
    assert vendor.paths == ["/forex/history"]
    assert vendor.forms == [
        {
            **{"access_key": KEY, "symbol": "FX:EURUSD", "period": "1m", "length": "2"},
            **{"is_chart": "1", "from": "1764576000", "to": "1764576100"},
        }
    ]
    assert vendor.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in vendor.headers[0]
    assert counts() == {"history_requests": 1}


@pytest.mark.parametrize(
    ("symbol", "path", "kind"),
    [
        ("FX:USDJPY", "/api/forex/history", None),
        ("FX:XAUUSD", "/api/forex/history", "commodity"),
        ("BINANCE:BTCUSDT", "/api/crypto/history", None),
        ("NASDAQ:AAPL", "/api/stock/history", None),
    ],
)
def test_each_market_has_its_endpoint_below_the_address(
    symbol: str, path: str, kind: str | None
) -> None:
    with serving(answering(the_history())) as vendor:
        client_of(f"{vendor.url}api/").history(Room(symbol, "60"), length=300)

    assert vendor.paths == [path]
    assert (vendor.forms[0].get("type"), vendor.forms[0]["period"]) == (kind, "1h")


def test_each_timeframe_has_a_spelling_and_a_minute_is_no_month() -> None:
    assert tuple(REST_PERIODS) == TIMEFRAMES
    assert (REST_PERIODS["1"], REST_PERIODS["1M"]) == ("1m", "1M")
    assert len(set(REST_PERIODS.values())) == len(TIMEFRAMES)


@pytest.mark.parametrize("length", [0, -1, 10_001, 10**9])
def test_more_than_the_vendor_gives_at_once_is_not_asked_for(length: int) -> None:
    with serving(answering(the_history())) as vendor, pytest.raises(ValueError, match="1 to 10000"):
        client_of(vendor.url).history(ROOM, length=length)
    assert vendor.paths == []


def test_a_user_and_a_password_of_the_address_are_sent_and_shown_nowhere() -> None:
    with serving(answering(b"no", status=500)) as vendor:
        url = vendor.url.replace("localhost", "me:pa55%2Fw%C3%B6rd@localhost")
        with pytest.raises(Refused) as caught:
            ask(url)

    assert vendor.headers[0]["Authorization"] == "Basic bWU6cGE1NS93w7ZyZA=="
    assert "pa55" not in f"{caught.value} {caught.value!r} {client_of(url)!r}"


def test_what_is_dropped_is_counted() -> None:
    impossible = [1_764_576_120, 1.08, 1.07, 1.09, 1.08, 1]
    with serving(answering(the_history([*ROWS, impossible, None]))) as vendor:
        answer = ask(vendor.url)

    assert (len(answer.bars), answer.dropped) == (2, 2)
    assert counts()["history_malformed"] == 2


@pytest.mark.parametrize("url", ["", "ws://h/", "https://h/?a=1"])
def test_an_address_that_is_none_ends_before_anything_is_asked(url: str) -> None:
    with pytest.raises(ConfigurationError, match="FCS_REST_URL"):
        client_of(url)
    with pytest.raises(ConfigurationError, match="FCS_REST_KEY is empty"):
        RestClient("", url="https://h/")


# -- servers that do not answer


def drip(head: bytes, piece: bytes = b"x") -> Answering:
    """Send a beginning, then a piece every hundredth of a second for ever."""

    def answer(handler: Handler, vendor: Vendor) -> None:
        handler.wfile.write(head)
        while not vendor.ended.wait(0.01):
            handler.wfile.write(piece)

    return answer


def wait(handler: Handler, vendor: Vendor) -> None:
    vendor.ended.wait(60)


def saying(said: bytes) -> Answering:
    def answer(handler: Handler, vendor: Vendor) -> None:
        handler.wfile.write(said)

    return answer


DRIPS = {
    "status": drip(b"HTTP/1.1 200"),
    "header": drip(b"HTTP/1.1 200 OK\r\nX-Long: "),
    "body": drip(b"HTTP/1.1 200 OK\r\n\r\n{"),
    "long body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n{"),
    "chunk": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5"),
    "chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "not yet": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "nothing": wait,
    "nothing more": drip(b"HTTP/1.1 200 OK\r\n\r\n{", b""),
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_server_that_drips_ends_in_a_deadline(name: str) -> None:
    began = time.monotonic()
    refusal = refused(DRIPS[name], QUICK)

    assert time.monotonic() - began < 20
    assert refusal.kind is RefusalKind.UNAVAILABLE and not refusal.may_cost
    assert "did not answer in time" in str(refusal)


def test_a_host_that_takes_no_connection_ends_in_a_deadline_too() -> None:
    with black_hole() as (host, port), pytest.raises(Refused) as caught:
        ask(f"http://{host}:{port}/", QUICK)

    assert caught.value.kind is RefusalKind.UNAVAILABLE and not caught.value.may_cost
    assert str(caught.value) == f"127.0.0.1:{port} did not answer in time"


def test_a_port_where_nobody_listens_is_told() -> None:
    port = free_port()
    with pytest.raises(Refused) as caught:
        ask(f"http://127.0.0.1:{port}/")

    assert caught.value.kind is RefusalKind.UNAVAILABLE and not caught.value.may_cost
    assert f"cannot reach FCS_REST_URL at 127.0.0.1:{port}: Connection refused" == str(caught.value)
    assert counts() == {"history_requests": 1, "history_refused": 1}


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(Refused, match="cannot reach FCS_REST_URL at vendor.invalid:80: "):
        ask("http://vendor.invalid:80/")


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100),
        *(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
    ],
)
def test_what_is_no_http_is_told_and_not_asked_for_again(said: bytes) -> None:
    refusal = refused(saying(said))

    assert refusal.kind is RefusalKind.UNAVAILABLE
    assert "cannot reach FCS_REST_URL" in str(refusal) and "\n" not in str(refusal)


# -- answers that are too long, too short, or somewhere else


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_told(head: bytes) -> None:
    said = head + json.dumps(the_history()).encode()[:100]
    refusal = refused(saying(said))

    assert refusal.kind is RefusalKind.MALFORMED and refusal.may_cost
    assert "cut off" in str(refusal)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "10000000000000"}])
def test_no_more_of_an_answer_is_read_than_candles_take(headers: dict[str, str]) -> None:
    refusal = refused(answering(b"[" * (SIZE_MAX + 1), headers=headers))

    assert refusal.kind is RefusalKind.MALFORMED
    assert "more than 4000000 bytes" in str(refusal)


def test_ten_thousand_candles_as_objects_of_texts_are_read() -> None:
    row = {"o": "88658.87", "h": "90588.23", "l": "87900.00", "c": "89962.61", "v": "8192.7012"}
    times = range(1_763_976_000, 1_764_576_000, 60)
    response = {str(t): {**row, "t": str(t), "tm": "2026-11-29 08:00:00"} for t in times}
    with serving(answering(the_history(response))) as vendor:
        answer = ask(vendor.url)

    assert (len(answer.bars), answer.dropped) == (10_000, 0)


def test_what_is_compressed_though_nobody_asked_for_it_is_not_inflated() -> None:
    bomb = gzip.compress(b"[" * 50_000_000)
    refusal = refused(answering(bomb, headers={"Content-Encoding": "gzip"}))

    assert refusal.kind is RefusalKind.MALFORMED and "sent no JSON" in str(refusal)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_as_it_would_take_the_key_along(status: int) -> None:
    with serving(answering(the_history())) as other:
        refusal = refused(answering(b"", status, {"Location": f"{other.url}forex/history"}))

    assert other.paths == []
    assert refusal.kind is RefusalKind.UNAVAILABLE and not refusal.may_cost
    assert f"answered with HTTP {status}: a redirect" in str(refusal)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with serving(answering(the_history())) as vendor:
        assert ask(vendor.url).bars


# -- TLS


def test_a_certificate_that_the_system_does_not_know_is_refused(tmp_path: Path) -> None:
    with serving(answering(the_history()), certificate=self_signed(tmp_path)) as vendor:
        with pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED") as caught:
            ask(vendor.url)

    assert vendor.paths == []
    assert caught.value.kind is RefusalKind.UNAVAILABLE and not caught.value.may_cost


def test_a_certificate_counts_for_its_own_host_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with serving(answering(the_history()), certificate=certificate) as vendor:
        assert ask(vendor.url).bars
        with pytest.raises(Refused, match="127.0.0.1"):
            ask(vendor.url.replace("localhost", "127.0.0.1"))
        with pytest.raises(Refused):
            ask(vendor.url.replace("https", "http"))

    assert len(vendor.paths) == 1


# -- the key


def echo(handler: Handler, vendor: Vendor) -> None:
    """Repeat the whole request in the answer."""
    said = {"status": False, "code": 101, "msg": f"no {vendor.forms[-1]} {handler.headers}"}
    answering(said, 401, {"X-Key": vendor.forms[-1]["access_key"]})(handler, vendor)


def unread(handler: Handler, vendor: Vendor) -> None:
    handler.wfile.write(f"HTTP/1.1 {vendor.forms[-1]['access_key']}\r\n\r\n".encode())


@pytest.mark.parametrize("answer", [echo, unread, answering(the_history()), wait])
def test_the_key_is_in_no_log_no_error_and_nothing_that_a_report_shows(
    answer: Answering,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At DEBUG, where a site prints its own requests, too, and with all variables of the stack."""
    caplog.set_level("DEBUG")
    monkeypatch.setattr(HTTPConnection, "debuglevel", 1)
    told = ""
    with serving(answer) as vendor, override_settings(DEBUG=True):
        client = client_of(vendor.url, QUICK)
        try:
            client.history(ROOM, length=2)
        except Refused as error:
            assert error.__traceback__
            # Not the frame of this test, which knows the key.
            frames = error.__traceback__.tb_next
            reporter = ExceptionReporter(None, type(error), error, frames)
            told = f"{error} {error.public} {error!r} {error.__context__!r} {error.__cause__!r}"
            told += reporter.get_traceback_html() + reporter.get_traceback_text()
    printed = capsys.readouterr()

    assert vendor.forms[0]["access_key"] == KEY and KEY not in vendor.paths[0]
    assert not leaks(f"{told} {client!r} {caplog.text} {printed.out} {printed.err}")
