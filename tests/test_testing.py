"""The tools for sites' own tests do what their page promises."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings

from django_fcs.consumers import FCSConsumer
from django_fcs.prices.states import State
from django_fcs.quotes import Quote, aget_quote, get_quote
from django_fcs.rooms import Room
from django_fcs.site import site_store
from django_fcs.testing import Faults, RandomWalk, end_streams, push_price, simulator
from django_fcs.tokens import make_token
from tests.support.waiting import eventually

pytestmark = pytest.mark.versions


@asynccontextmanager
async def browser() -> AsyncIterator[WebsocketCommunicator]:
    communicator = WebsocketCommunicator(FCSConsumer.as_asgi(), "/ws/fcs/")
    connected, _ = await communicator.connect(timeout=20)
    assert connected
    assert (await communicator.receive_json_from(timeout=20))["type"] == "welcome"
    try:
        yield communicator
    finally:
        await communicator.disconnect(timeout=20)
        await end_streams()


async def join(communicator: WebsocketCommunicator, symbol: str) -> None:
    token = make_token(symbol)
    join = {"type": "join_symbol", "symbol": symbol, "timeframe": "1D", "token": token}
    await communicator.send_json_to(join)


async def price(communicator: WebsocketCommunicator) -> Any:
    while True:
        message = await communicator.receive_json_from(timeout=60)
        if message["type"] == "price" and message["prices"]["mode"] != "profile":
            return message["prices"]


async def quoted(symbol: str) -> Quote:
    quote = await aget_quote(symbol)
    assert quote is not None
    return quote


# -- push_price


async def test_a_pushed_price_is_what_views_read() -> None:
    await push_price(
        "FX:EURUSD", close=1.1, open=1.0, high=1.2, low=0.9, volume=5, ask=1.1002, bid=1.1
    )

    quote = await quoted("FX:EURUSD")

    assert (quote.open, quote.high, quote.low, quote.close) == (1.0, 1.2, 0.9, 1.1)
    assert (quote.volume, quote.ask, quote.bid, quote.digits) == (5, 1.1002, 1.1, 4)
    assert quote.state is State.LIVE
    assert quote.age < 5


async def test_what_is_not_pushed_is_not_known() -> None:
    await push_price("FX:EURUSD", close=1.0, ask=2.0, previous_close=3.0)
    await push_price("FX:EURUSD", close=1.1)

    quote = await quoted("FX:EURUSD")

    assert (quote.open, quote.high, quote.low) == (1.1, 1.1, 1.1)
    assert (quote.ask, quote.volume, quote.previous_close) == (None, None, None)


async def test_a_change_is_told_against_the_previous_close() -> None:
    await push_price("FX:EURUSD", close=1.1, open=1.2, previous_close=1.0)

    quote = await quoted("FX:EURUSD")

    assert quote.change == pytest.approx(0.1)
    assert quote.direction == "up"


async def test_an_old_price_is_stale() -> None:
    await push_price("FX:EURUSD", close=1.1, age=3600)

    quote = await quoted("FX:EURUSD")

    assert quote.state is State.STALE
    assert quote.age == pytest.approx(3600, abs=5)


async def test_a_room_is_named_as_anywhere() -> None:
    await push_price("FX:EURUSD_60", close=1.5)
    await push_price(Room("FX:EURUSD", "240"), close=1.6)

    closes = [(await aget_quote("FX:EURUSD", timeframe)) for timeframe in ("1h", "4h")]

    assert [quote.close for quote in closes if quote] == [1.5, 1.6]


def test_synchronous_tests_push_too() -> None:
    async_to_sync(push_price)("FX:GBPUSD", close=1.3)

    quote = get_quote("FX:GBPUSD")

    assert quote is not None
    assert quote.close == 1.3


async def test_a_pushed_price_reaches_the_rooms_group() -> None:
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    room = Room("FX:EURUSD", "1D")
    await layer.group_add(room.group, channel)

    await push_price(room, close=1.1)

    event = await layer.receive(channel)
    assert (event["type"], event["room"]) == ("fcs.price", "FX:EURUSD_1D")
    assert json.loads(event["text"])["prices"]["c"] == 1.1
    await layer.group_discard(room.group, channel)


async def test_a_pushed_price_reaches_open_sockets_each_newer_than_the_last() -> None:
    async with browser() as communicator:
        await push_price("FX:EURUSD", close=1.1)
        await join(communicator, "FX:EURUSD")
        assert (await price(communicator))["c"] == 1.1

        for close in (1.2, 1.3):
            await push_price("FX:EURUSD", close=close)
            assert (await price(communicator))["c"] == close


# -- the simulator


async def test_a_site_streams_from_the_simulator_as_from_the_vendor() -> None:
    async with simulator(RandomWalk(rate=20)) as feed, browser() as communicator:
        await join(communicator, "BINANCE:BTCUSDT")

        assert (await price(communicator))["mode"] == "initial"
        assert (await price(communicator))["a"] > 0
        assert feed.rooms == {Room("BINANCE:BTCUSDT", "1D"): 1}
        await eventually(lambda: get_quote("BINANCE:BTCUSDT"))


async def test_a_feed_starts_without_the_prices_of_earlier_tests() -> None:
    await push_price("FX:EURUSD", close=1.5)

    async with simulator(faults=Faults(silent=("*",))) as feed:
        assert await aget_quote("FX:EURUSD") is None
        async with browser() as communicator:
            await join(communicator, "FX:EURUSD")
            await feed.joined("FX:EURUSD", "1D")
            while not await communicator.receive_nothing(timeout=0.5):
                assert (await communicator.receive_json_from())["type"] != "price"


async def test_a_feed_leaves_no_prices_for_later_tests() -> None:
    async with simulator(RandomWalk(rate=20)), browser() as communicator:
        await join(communicator, "FX:EURUSD")
        await price(communicator)
        await eventually(lambda: get_quote("FX:EURUSD"))

    assert await aget_quote("FX:EURUSD") is None
    assert site_store().report() == (None, None)


async def test_a_hub_that_is_left_over_does_not_know_old_prices_either() -> None:
    async with browser() as communicator:
        await push_price("FX:EURUSD", close=1.5)
        await join(communicator, "FX:EURUSD")
        assert (await price(communicator))["c"] == 1.5

    async with simulator(RandomWalk(rate=0)) as feed, browser() as communicator:
        await join(communicator, "FX:EURUSD")
        await feed.joined("FX:EURUSD")
        assert (await price(communicator))["c"] != 1.5


async def test_a_price_that_is_pushed_once_the_room_is_joined_arrives() -> None:
    async with simulator(RandomWalk(rate=0)) as feed, browser() as communicator:
        assert await feed.push("FX:EURUSD", "1D", c=1.5) == 0
        await join(communicator, "FX:EURUSD")
        await feed.joined("FX:EURUSD")
        await price(communicator)

        assert await feed.push("FX:EURUSD", "1D", c=1.5) == 1
        assert (await price(communicator))["c"] == 1.5


async def test_the_site_points_at_the_simulator_only_while_it_runs() -> None:
    address = attrgetter("FCS_URL", "FCS_API_KEY")
    before = address(settings)

    async with simulator() as feed:
        assert feed.url == address(settings)[0]

    assert before == address(settings)


def test_sites_that_do_not_use_pytest_need_not_have_it() -> None:
    code = (
        "import sys, django; sys.modules['pytest'] = None; django.setup(); "
        "import django_fcs.testing"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
