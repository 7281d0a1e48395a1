"""The socket as browsers use it, through the whole application."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.test import override_settings

from django_fcs import site
from django_fcs.asgi import application
from django_fcs.consumers import MERGE_PROTOCOL, FCSConsumer
from django_fcs.fanout.hub import Hub
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.site import site_store
from django_fcs.testing import push_price
from tests.support.layers import SharedLayer
from tests.support.sockets import (
    EURUSD,
    browsing,
    rates_of_the_hub,
    rooms_of_the_hub,
    socket,
    vendor_of_the_site,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop", "open_site"), pytest.mark.versions]


# -- the greeting


async def test_a_browser_is_welcomed_with_the_servers_time() -> None:
    async with socket() as browser:
        welcome = await browser.hear()

    assert welcome["type"] == "welcome"
    assert abs(welcome["timestamp"] / 1000 - time.time()) < 60
    assert browser.subprotocol is None


async def test_pings_are_answered_and_pongs_taken_for_what_they_are() -> None:
    async with browsing() as browser:
        await browser.say("pong", timestamp=1)
        await browser.say("ping", timestamp=1)
        pong = await browser.hear()

    assert pong["type"] == "pong"
    assert abs(pong["timestamp"] / 1000 - time.time()) < 60


async def test_the_key_of_a_careless_page_is_accepted_and_never_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with browsing(query="?access_key=a-pages-key") as browser:
        await browser.join()
        await browser.until("message", short="joined_room")

    assert "a-pages-key" not in caplog.text


# -- joining and leaving


async def test_a_join_is_confirmed_with_the_full_symbol_and_the_vendors_room() -> None:
    async with browsing() as browser:
        await browser.join(timeframe="1D")

        assert await browser.hear() == {
            "type": "message",
            "success": True,
            "message": "Successfully joined room: FX:EURUSD_1D_0s",
            "room": "FX:EURUSD_1D_0s",
            "symbol": "FX:EURUSD",
            "timeframe": "1D",
            "short": "joined_room",
        }


@pytest.mark.parametrize("spelling", ["1h", "60m", "60", 60])
async def test_the_timeframe_is_echoed_as_joined(spelling: Any) -> None:
    async with browsing() as browser:
        await browser.join(timeframe=spelling)
        confirmation = await browser.until("message")
        await push_price("FX:EURUSD_60", close=1.5)
        price = await browser.price("initial")

    assert (confirmation["timeframe"], price["timeframe"]) == (str(spelling), str(spelling))
    assert confirmation["room"] == f"FX:EURUSD_{spelling}_0s"
    assert price["symbol"] == "FX:EURUSD"


@override_settings(FCS_TIMEFRAME="15")
async def test_without_a_timeframe_the_sites_own_counts_for_joins_and_leaves() -> None:
    async with browsing() as browser:
        await browser.join()
        assert (await browser.until("message"))["timeframe"] == "15"
        assert rooms_of_the_hub() == {Room("FX:EURUSD", "15")}
        await browser.say("leave_symbol", symbol="FX:EURUSD")
        await browser.settle()

        assert not rooms_of_the_hub()


async def test_after_the_confirmation_come_profile_and_initial_then_candles(
    simulator: Simulator,
) -> None:
    async with vendor_of_the_site(simulator), browsing() as browser:
        await browser.join(timeframe="1D")
        first = [await browser.hear() for _ in range(3)]
        assert [message["type"] for message in first] == ["message", "price", "price"]
        modes = sorted(message["prices"]["mode"] for message in first[1:])
        assert modes == ["initial", "profile"]

        await simulator.push("FX:EURUSD", "1D", c=1.5, a=1.6, b=1.4)
        candle = await browser.price("candle")
        assert (candle["prices"]["c"], candle["prices"]["a"]) == (1.5, 1.6)
        async with browsing() as late:
            await late.join(timeframe="1D")
            second = [await late.hear() for _ in range(3)]

    assert [message.get("prices", {}).get("mode") for message in second] == [
        *(None, "profile", "initial")
    ]
    assert second[2]["seq"] == candle["seq"]


async def test_a_left_room_is_left_and_leaving_twice_is_harmless() -> None:
    async with browsing() as browser:
        await browser.join(timeframe="1h")
        await browser.join("FX:USDJPY", timeframe="1D")
        for symbol, timeframe in (
            *(("FX:EURUSD", "60"), ("FX:EURUSD", "1h"), ("FX:EURUSD", "1h")),
            *(("nonsense", "x"), ("FX:USDJPY", "1M")),
        ):
            await browser.say("leave_symbol", symbol=symbol, timeframe=timeframe)
        answers = await browser.settle()

        assert [answer["type"] for answer in answers] == ["message", "message"]
        assert rooms_of_the_hub() == {Room("FX:USDJPY", "1D")}


async def test_remove_all_leaves_every_room_and_the_next_join_counts() -> None:
    async with browsing() as browser:
        for timeframe in ("1h", "60", "1D"):
            await browser.join(timeframe=timeframe)
        await browser.say("remove_all")
        await browser.settle()
        assert not rooms_of_the_hub()

        await browser.join(timeframe="1W")
        await browser.settle()
        assert rooms_of_the_hub() == {Room("FX:EURUSD", "1W")}


async def test_a_browser_that_goes_leaves_its_rooms() -> None:
    async with browsing() as stays:
        async with browsing() as goes:
            await goes.join(timeframe="1D")
            await goes.settle()
            assert rooms_of_the_hub() == {EURUSD}

        assert not rooms_of_the_hub()
        assert await stays.settle() == []


# -- the merge protocol


async def test_the_merge_protocol_is_agreed_on_and_speaks_in_arrays(
    simulator: Simulator,
) -> None:
    how = {"subprotocols": ("other", MERGE_PROTOCOL)}
    async with vendor_of_the_site(simulator), browsing(**how) as browser:
        assert browser.subprotocol == MERGE_PROTOCOL
        await browser.join(timeframe="1D")
        await eventually(lambda: simulator.rooms)
        await simulator.push("FX:EURUSD", "1D", c=1.5)  # which opens it on a Sunday, too
        await browser.until("state", symbol="FX:EURUSD", timeframe="1D", state="live")

        await browser.until("beat")


async def test_another_subprotocol_is_not_agreed_on() -> None:
    async with browsing(subprotocols=("graphql-ws",)) as browser:
        assert browser.subprotocol is None


@pytest.mark.parametrize(("wish", "granted"), [(4, 4), (0.5, 0.5), (1000, 10), (1e-9, 0.1)])
async def test_a_rate_is_granted_within_limits_and_confirmed(wish: float, granted: float) -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        await browser.say("rate", frames_per_second=wish)

        assert await browser.hear() == {"type": "rate", "frames_per_second": granted}
        assert rates_of_the_hub() == [granted]


@override_settings(FCS_MAX_FRAMES_PER_SECOND=3)
async def test_without_a_wish_the_sites_ceiling_is_the_rate() -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)):
        assert rates_of_the_hub() == [3]


# -- the group of a room, which is the sites' own


class Own(AsyncWebsocketConsumer):  # type: ignore[misc]
    """As the manual shows it: whatever else came would end it."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(EURUSD.group, self.channel_name)
        await self.accept()

    async def fcs_price(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event))


async def test_a_consumer_of_the_site_gets_prices_and_never_anything_else(
    simulator: Simulator,
) -> None:
    own = WebsocketCommunicator(Own.as_asgi(), "/")
    async with vendor_of_the_site(simulator), browsing() as browser:
        assert (await own.connect(timeout=20))[0]
        await browser.join(timeframe="1D")
        initial = await browser.price("initial")
        # A profile, beats and the end of the vendor come between.
        await simulator.drop_all()
        await eventually(lambda: EURUSD in simulator.rooms)
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        candle = await browser.price("candle")
        while candle["prices"]["c"] != 1.5:
            candle = await browser.price("candle")
        events = [await own.receive_json_from(timeout=20)]
        while events[-1]["seq"] < candle["seq"]:
            events.append(await own.receive_json_from(timeout=20))
        await own.disconnect(timeout=20)

    assert {event["type"] for event in events} == {"fcs.price"}
    assert {event["room"] for event in events} == {"FX:EURUSD_1D"}
    assert events[0]["seq"] == initial["seq"]
    assert json.loads(events[-1]["text"])["prices"]["c"] == 1.5


async def test_over_redis_the_web_process_joins_the_groups_and_streams_nothing(
    shared_layer: type[SharedLayer],
) -> None:
    async with browsing() as browser:
        await browser.join(timeframe="1D")
        await browser.settle()
        await eventually(lambda: EURUSD.group in shared_layer.behind.groups)
        await push_price(EURUSD, close=1.5)
        price = await browser.price("initial")

        assert price["prices"]["c"] == 1.5
        assert not site.streams


async def test_no_channel_of_its_own_is_opened_for_a_browser() -> None:
    async with browsing() as one, browsing() as other:
        for browser in (one, other):
            await browser.join(timeframe="1D")
            await browser.settle()
        await eventually(lambda: EURUSD.group in get_channel_layer().groups)

        assert len(get_channel_layer().groups[EURUSD.group]) == 1


async def test_a_browser_that_breaks_off_without_a_word_is_forgotten() -> None:
    communicator = WebsocketCommunicator(application, "/ws/fcs/")
    await communicator.connect(timeout=20)
    hub = Hub.of_this_loop(site_store())
    await eventually(lambda: hub._subscribers)
    communicator.stop()
    await eventually(lambda: not hub._subscribers)
    await asyncio.gather(communicator.future, return_exceptions=True)


@pytest.mark.parametrize("subprotocols", [(), (MERGE_PROTOCOL,)])
async def test_a_server_that_cancels_us_closes_with_a_code_that_says_come_back(
    subprotocols: tuple[str, ...],
) -> None:
    # The communicator hands on that its application was cancelled.
    with pytest.raises(asyncio.CancelledError):
        async with browsing(subprotocols=subprotocols) as browser:
            browser.communicator.future.cancel()
            _, code = await browser.closed()

    assert code == 4001


async def test_a_browser_hears_nothing_before_its_socket_is_accepted() -> None:
    sent: list[str] = []
    received: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    hub = Hub.of_this_loop(site_store())

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])
        assert (message["type"] == "websocket.accept") == (not hub._subscribers)

    scope = {"type": "websocket", "headers": [], "subprotocols": [MERGE_PROTOCOL]}
    served = asyncio.create_task(FCSConsumer()(scope, received.get, send))
    await asyncio.sleep(0)
    assert not hub._subscribers
    await received.put({"type": "websocket.connect"})
    await eventually(lambda: len(sent) == 2)
    await received.put({"type": "websocket.disconnect"})
    await served

    assert sent == ["websocket.accept", "websocket.send"]
