"""The upstream client, where websockets does not have a name any more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.upstream.connection import LastHeard, StockConnection, missing_names
from tests.support.missing import NAMES, rename, warnings_of
from tests.support.proxy import Proxy
from tests.support.upstreams import EURUSD, QUICK, USDJPY, Vendor, price, vendor, watching
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")


@pytest.fixture(params=NAMES["websockets"])
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    rename(monkeypatch, request.param)
    yield request.param


def test_the_installed_websockets_has_all_names() -> None:
    assert missing_names() == []


async def test_prices_flow_and_the_warning_comes_once(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Simulator(RandomWalk(rate=200)) as simulator:
        async with watching(simulator.url, EURUSD, USDJPY) as watch:
            await eventually(lambda: len(watch.prices) > 20)
            assert isinstance(watch.client._socket, StockConnection)
            assert watch.client.joined == {EURUSD, USDJPY}
            await simulator.drop_all()
            await eventually(lambda: [one.online for one in watch.statuses] == [True, False, True])
            await eventually(lambda: len(watch.client.joined) == 2)
        await eventually(lambda: simulator.connections == 0)

    assert missing_names() == [name]
    assert len(warnings_of(caplog, "websockets")) == 1


async def test_what_was_sent_before_the_end_is_read(name: str) -> None:
    async def conduct(server: Vendor) -> None:
        await server.say({"type": "welcome"}, *(price(c=float(number)) for number in range(30)))

    async with vendor(conduct) as server, watching(server.url, EURUSD) as watch:
        await eventually(lambda: watch.reasons)

        assert [one.c for one in watch.prices][:30] == [float(number) for number in range(30)]
        assert "closed the connection with code 1000" in watch.reasons[0]


async def test_a_connection_that_does_not_answer_pings_is_left(
    name: str, simulator: Simulator
) -> None:
    timing = replace(QUICK, ping=0.05, pong=1, goodbye=0.1, welcome=3)
    async with Proxy(int(simulator.url.rpartition(":")[2])) as way:
        async with watching(f"ws://127.0.0.1:{way.port}", EURUSD, timing=timing) as watch:
            await eventually(lambda: watch.client.joined)
            heard = time.monotonic()
            await eventually(lambda: time.monotonic() - watch.client.silence > heard)
            with way.black_hole():
                await eventually(lambda: any("answer pings" in one for one in watch.reasons))
            await eventually(lambda: watch.statuses[-1].online)


async def test_a_connection_can_be_cut_and_given_up(name: str, simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.client.joined)
        watch.client.cut()
        await eventually(lambda: len(watch.statuses) == 3 and watch.client.joined)
        watch.client.reconnect("no price came")
        await eventually(lambda: len(watch.statuses) == 5)

        assert [one.online for one in watch.statuses] == [True, False, True, False, True]
        assert "no price came" in watch.reasons[1]


async def test_without_the_transport_it_is_closed_with_a_goodbye(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    rename(monkeypatch, "process_event")
    make = StockConnection.__init__

    def init(self: Any, socket: ClientConnection, last_heard: LastHeard) -> None:
        make(self, socket, last_heard)
        self._line = None

    monkeypatch.setattr(StockConnection, "__init__", init)
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.client.joined)
        watch.client.cut()
        await eventually(lambda: len(watch.statuses) == 3)

        assert "code 1000" in watch.reasons[0]
