"""The simulator's REST history over HTTP, as a client sees it."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest

from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.simulator.history import Reply
from django_fcs.simulator.rest import RestServer
from tests.simulator.fcs_client import SECRET, client_of, still
from tests.support.waiting import eventually

ASKED = {"access_key": SECRET, "symbol": "FX:EURUSD", "period": "1h", "is_chart": "1"}


def fetch(url: str, *, form: bool = False, **parameters: str) -> Any:
    """Ask for history and return the answer; blocks."""
    text = urlencode({**ASKED, **parameters})
    address = f"{url}/forex/history"
    data = text.encode() if form else None
    opener = build_opener(ProxyHandler({}))
    with opener.open(address if form else f"{address}?{text}", data, timeout=20) as answer:
        return json.load(answer)


async def fetched(simulator: Simulator, **parameters: Any) -> Any:
    return await asyncio.to_thread(fetch, simulator.rest_url, **parameters)


async def test_a_form_and_a_query_get_the_same_answer() -> None:
    async with Simulator(RandomWalk(rate=0), clock=lambda: 1766577600.5) as simulator:
        answers = [await fetched(simulator, form=form, length="5") for form in (True, False)]

    assert answers[0] == answers[1]
    assert len(answers[0]["response"]) == 5
    assert [asked.length for asked in simulator.asked] == [5, 5]


async def test_history_ends_with_the_price_that_the_socket_tells() -> None:
    async with Simulator(RandomWalk(rate=0), clock=lambda: 1766577600.5) as simulator:
        async with client_of(simulator) as client:
            await client.join(timeframe="60")
            initial = (await client.price("initial"))["prices"]

        *_, last = (await fetched(simulator))["response"]

    assert last[:5] == [initial[name] for name in "tohlc"]


async def test_a_caller_that_blocks_the_event_loop_is_answered() -> None:
    async with still() as simulator:
        assert fetch(simulator.rest_url)["status"]


async def test_a_bad_key_is_refused_in_json() -> None:
    async with still() as simulator:
        with pytest.raises(HTTPError) as caught:
            await fetched(simulator, access_key="bad_key")

        assert caught.value.code == 401
        assert json.load(caught.value)["status"] is False
        caught.value.close()


async def test_faults_are_switched_while_it_runs() -> None:
    async with still(rest_status=429, rest_retry_after="7") as simulator:
        with pytest.raises(HTTPError) as caught:
            await fetched(simulator)
        assert (caught.value.code, caught.value.headers["Retry-After"]) == (429, "7")
        caught.value.close()

        simulator.faults = replace(simulator.faults, rest_status=200)
        assert (await fetched(simulator))["status"]

        simulator.faults = replace(simulator.faults, rest_cut="connection")
        with pytest.raises(http.client.RemoteDisconnected):
            await fetched(simulator)

        simulator.faults = replace(simulator.faults, rest_cut="body")
        with pytest.raises(http.client.IncompleteRead):
            await fetched(simulator)

        simulator.faults = replace(simulator.faults, rest_cut="json")
        with pytest.raises(json.JSONDecodeError):
            await fetched(simulator)


async def test_an_answer_can_be_slow_and_the_end_does_not_wait_for_it() -> None:
    threads = threading.active_count()
    async with still(rest_seconds=600) as simulator:
        waiting = asyncio.create_task(fetched(simulator))
        await eventually(lambda: simulator.asked)
        await asyncio.sleep(0)
        assert not waiting.done()
        began = time.monotonic()

    assert time.monotonic() - began < 10
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        await waiting
    await eventually(lambda: threading.active_count() <= threads + 1)  # that of ``to_thread``


async def test_a_client_that_says_nothing_holds_up_neither_others_nor_the_end() -> None:
    async with still() as simulator:
        address = urlsplit(simulator.rest_url)
        mute = socket.create_connection((address.hostname or "", address.port or 0))
        assert (await fetched(simulator))["status"]

    with mute:
        assert mute.recv(1) == b""


async def test_the_key_is_in_no_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with still() as simulator:
        for form in (True, False):
            await fetched(simulator, form=form)

    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


async def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use") as caught:
            async with Simulator(RandomWalk(), rest_port=port):
                pass

    assert caught.value.filename == f"127.0.0.1:{port}"


# -- the server alone


@contextmanager
def serving(**answers: Reply) -> Iterator[http.client.HTTPConnection]:
    def answer(path: str, parameters: object) -> Reply:
        return answers[path.strip("/")]

    server = RestServer(answer, host="127.0.0.1", port=0)
    with server.running():
        address = urlsplit(server.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        try:
            yield connection
        finally:
            connection.close()


def status(connection: http.client.HTTPConnection, method: str, path: str, **more: Any) -> int:
    connection.request(method, path, **more)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_form_of_any_size_is_not_read() -> None:
    with serving(here=Reply(200, b"{}", 2)) as connection:
        lengths = ["70000", "-1", "many", "9" * 400]

        refused = [
            status(connection, "POST", "/here", headers={"Content-Length": length})
            for length in lengths
        ]

        assert refused == [413] * len(lengths)
        assert status(connection, "POST", "/here", body="a=b") == 200


def test_too_many_fields_are_refused_and_other_methods_too() -> None:
    with serving(here=Reply(200, b"{}", 2)) as connection:
        assert status(connection, "GET", f"/here?{'&'.join('a=1' for _ in range(99))}") == 400
        assert status(connection, "DELETE", "/here") == 501


def test_an_answer_that_fails_is_logged_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving(here=Reply(200, b"{}", 2)) as connection:
        assert status(connection, "GET", f"/there?access_key={SECRET}") == 500
        assert status(connection, "GET", "/here") == 200

    assert "history failed path=/there" in caplog.text
    assert SECRET not in caplog.text


def test_too_many_connections_are_closed() -> None:
    with serving(here=Reply(200, b"{}", 2)) as connection:
        crowd = [socket.create_connection((connection.host, connection.port)) for _ in range(65)]
        try:
            with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
                status(connection, "GET", "/here")
        finally:
            for one in crowd:
                one.close()
