"""The client of the vendor's socket, where a connection is up in name only."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from django_fcs.protocol import Leave
from django_fcs.simulator import Simulator
from django_fcs.upstream import Status, Timing
from tests.support.proxy import Proxy
from tests.support.upstreams import EURUSD, QUICK, USDJPY, joins, watching
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


async def test_rooms_can_be_left_and_joined_again(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD, USDJPY) as watch:
        await eventually(lambda: watch.client.joined == {EURUSD, USDJPY})
        watch.client.rejoin([EURUSD])
        assert watch.client.joined == {USDJPY}
        assert watch.client.wanted == {EURUSD, USDJPY}
        await eventually(lambda: watch.client.joined == {EURUSD, USDJPY})

        left = [one.message for one in simulator.received if isinstance(one.message, Leave)]
        assert left == [Leave(symbol="FX:EURUSD", timeframe="1D")]
        assert joins(simulator) == [EURUSD, USDJPY, EURUSD]
        assert watch.statuses == [Status(online=True)]


async def test_a_connection_can_be_given_up_with_a_reason(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD) as watch:
        await eventually(lambda: watch.client.joined)
        watch.client.reconnect("no price came")
        await eventually(lambda: len(watch.statuses) == 3)
        await eventually(lambda: simulator.connections == 1 and len(joins(simulator)) == 2)
        await simulator.drop_all()
        await eventually(lambda: len(watch.reasons) == 2)

    place = simulator.url.removeprefix("ws://")
    assert [status.online for status in watch.statuses[:3]] == [True, False, True]
    assert watch.reasons == [
        f"disconnected from {place}: no price came",
        f"{place} closed the connection with code 1006",
    ]


async def test_a_line_that_is_cut_without_a_word_is_found_out(simulator: Simulator) -> None:
    # The next attempt may fall into the same hole, before it is closed.
    timing = replace(QUICK, ping=0.05, pong=1, goodbye=0.1, welcome=3)
    async with through(simulator) as way, watching(url_of(way), EURUSD, timing=timing) as watch:
        found_out = f"127.0.0.1:{way.port} does not answer pings"
        await eventually(lambda: watch.client.joined)
        with way.black_hole():
            await eventually(lambda: found_out in watch.reasons)

        await eventually(lambda: watch.statuses[-1].online)


async def test_an_answer_to_a_ping_is_a_sign_of_life_and_silence_is_none(
    simulator: Simulator,
) -> None:
    timing = replace(QUICK, ping=0.01, goodbye=0.1)
    async with through(simulator) as way, watching(url_of(way), timing=timing) as watch:
        await eventually(lambda: watch.statuses)
        welcomed = time.monotonic()
        await eventually(lambda: time.monotonic() - watch.client.silence > welcomed)
        with way.black_hole():
            await eventually(lambda: watch.client.silence > 0.2)

        assert watch.statuses == [Status(online=True)]


def through(simulator: Simulator) -> Proxy:
    """Return a way to the vendor that can be hurt."""
    return Proxy(int(simulator.url.rpartition(":")[2]))


def url_of(way: Proxy) -> str:
    return f"ws://127.0.0.1:{way.port}"


@pytest.mark.parametrize("offline_after", [2, 10, 60])
def test_it_is_found_out_within_the_time_after_which_a_page_says_so(offline_after: float) -> None:
    timing = Timing.within(offline_after)

    assert timing.ping + timing.pong + timing.goodbye < offline_after + 5
    assert Timing.within(10) == Timing()
