"""The socket as browsers use it, through the whole application."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.test import override_settings

from django_fcs import consumers, embedded
from django_fcs.asgi import application
from django_fcs.consumers import FRAME_MAX, MERGE_PROTOCOL, MESSAGES_MAX
from django_fcs.hub import Hub
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.testing import push_price
from django_fcs.tokens import make_token
from tests.layers import SharedLayer
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "open_site")

EURUSD = Room("FX:EURUSD", "1D")


@pytest.fixture
def open_site() -> Any:
    """A site that lets everybody see all currencies, and nothing else."""
    with override_settings(FCS_ALLOWED_SYMBOLS=["FX:*"]):
        yield


class Browser:
    """One socket, as a page has it."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator
        self.subprotocol: str | None = None
        self._heard: deque[dict[str, Any]] = deque()

    async def connect(self) -> None:
        accepted, self.subprotocol = await self.communicator.connect(timeout=5)
        assert accepted

    async def say(self, kind: str, **fields: Any) -> None:
        await self.communicator.send_json_to({"type": kind, **fields})

    async def join(self, symbol: str = "FX:EURUSD", **fields: Any) -> None:
        await self.say("join_symbol", symbol=symbol, **fields)

    async def hear(self) -> dict[str, Any]:
        """Return the next message, whether it came alone or with others."""
        while not self._heard:
            frame = await self.communicator.receive_json_from(timeout=5)
            assert isinstance(frame, list) == (self.subprotocol == MERGE_PROTOCOL)
            self._heard += frame if isinstance(frame, list) else [frame]
        return self._heard.popleft()

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next message of a type that has these fields."""
        while True:
            message = await self.hear()
            if {**message, "type": kind, **fields} == message:
                return message

    async def price(self, mode: str) -> dict[str, Any]:
        while True:
            message = await self.until("price")
            if message["prices"]["mode"] == mode:
                return message

    async def settle(self) -> list[dict[str, Any]]:
        """Return every answer that comes before the one to a ping."""
        await self.say("ping", timestamp=1)
        answers = []
        while (message := await self.hear())["type"] != "pong":
            answers.append(message)
        return answers

    async def closed(self) -> tuple[list[dict[str, Any]], int]:
        """Return what was said before the close, and its code."""
        said = []
        while (event := await self.communicator.receive_output(timeout=5))["type"] != (
            "websocket.close"
        ):
            said.append(json.loads(event["text"]))
        return said, event["code"]


@asynccontextmanager
async def socket(
    *,
    headers: Mapping[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    query: str = "",
    address: str | None = None,
) -> AsyncIterator[Browser]:
    """A socket that is open, whatever comes of it."""
    communicator = WebsocketCommunicator(
        application,
        f"/ws/fcs/{query}",
        headers=[(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        subprotocols=list(subprotocols),
    )
    if address is not None:
        communicator.scope["client"] = (address, 40000)
    browser = Browser(communicator)
    await browser.connect()
    try:
        yield browser
    finally:
        await communicator.disconnect(timeout=5)


@asynccontextmanager
async def browsing(**how: Any) -> AsyncIterator[Browser]:
    """A browser that was welcomed."""
    async with socket(**how) as browser:
        await browser.until("welcome")
        yield browser


@asynccontextmanager
async def vendor_of_the_site(simulator: Simulator) -> AsyncIterator[Simulator]:
    with override_settings(FCS_URL=simulator.url):
        yield simulator


def rooms_of_the_hub() -> set[Room]:
    return set(Hub.of_this_loop(embedded.site_store())._feeds)


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


# -- refusals

REFUSED = {
    "no JSON": ("hello", "bad_message", "not an FCS frame"),
    "no object": ("5", "bad_message", "not an FCS frame"),
    "no type": ("{}", "bad_message", "not an FCS frame"),
    "of servers": ('{"type":"welcome"}', "bad_message", "not for a server"),
    "of nobody": ('{"type":"subscribe"}', "bad_message", "not for a server"),
    "rate": ('{"type":"rate","frames_per_second":4}', "bad_message", "not for a server"),
    "long": ('{"type":"ping"}'.ljust(FRAME_MAX + 1), "bad_message", f"at most {FRAME_MAX}"),
    "no symbol": ('{"type":"join_symbol"}', "bad_symbol", "EXCHANGE:TICKER"),
    "bare": ('{"type":"join_symbol","symbol":"EURUSD"}', "bad_symbol", "'EURUSD'"),
    "lower": ('{"type":"join_symbol","symbol":"fx:eurusd"}', "bad_symbol", "write 'FX:EURUSD'"),
    "timeframe": (
        '{"type":"join_symbol","symbol":"FX:EURUSD","timeframe":"2h"}',
        *("bad_timeframe", "'2h' is not one of 1 5 15 30 60 240 1D 1W 1M"),
    ),
    "no token": (
        '{"type":"join_symbol","symbol":"NASDAQ:AAPL","timeframe":"1D"}',
        *("room_not_allowed", "NASDAQ:AAPL needs a token of this site"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("subprotocols", [(), (MERGE_PROTOCOL,)])
async def test_a_refusal_is_a_message_and_the_socket_goes_on(
    what: str, subprotocols: tuple[str, ...]
) -> None:
    text, short, reason = REFUSED[what]
    if what == "rate" and subprotocols:
        text = text.replace("4", "0")
        reason = "frames_per_second"
    async with browsing(subprotocols=subprotocols) as browser:
        await browser.communicator.send_to(text_data=text)
        refusal = await browser.hear()
        assert (refusal["type"], refusal["short"]) == ("error", short)
        assert reason in refusal["message"]

        await browser.join(timeframe="1D")
        await browser.until("message", short="joined_room")


async def test_bytes_are_no_message() -> None:
    async with browsing() as browser:
        await browser.communicator.send_to(bytes_data=b'{"type":"ping"}')
        assert (await browser.hear())["short"] == "bad_message"

        assert await browser.settle() == []


async def test_a_frame_can_be_an_array_of_so_many_messages() -> None:
    async with browsing() as browser:
        pings = json.dumps([{"type": "ping"}] * (MESSAGES_MAX + 10))
        await browser.communicator.send_to(text_data=pings)
        for _ in range(MESSAGES_MAX):
            assert (await browser.hear())["type"] == "pong"

        await browser.join(timeframe="1D")
        assert (await browser.hear())["type"] == "message"


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=2)
async def test_a_browser_has_so_many_rooms_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "JOINS_PER_SECOND", 1e9)
    async with browsing() as browser:
        for timeframe in ("1D", "1W", "1M", "1D"):
            await browser.join(timeframe=timeframe)
        shorts = [answer["short"] for answer in await browser.settle()]
        assert shorts == ["joined_room", "joined_room", "too_many_rooms", "joined_room"]

        await browser.say("leave_symbol", symbol="FX:EURUSD", timeframe="1W")
        await browser.join(timeframe="1M")
        assert [answer["short"] for answer in await browser.settle()] == ["joined_room"]


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=2)
async def test_joins_in_a_rush_are_refused_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "JOINS_PER_SECOND", 0.001)
    async with browsing() as browser:
        for _ in range(3):
            await browser.join(timeframe="1D")
        shorts = [answer["short"] for answer in await browser.settle()]

        assert shorts == ["joined_room", "joined_room", "rate_limited"]


# -- who may join


async def test_a_token_of_the_site_opens_its_symbol_in_every_timeframe_and_no_other() -> None:
    token = make_token("NASDAQ:AAPL")
    async with browsing() as browser:
        for symbol, timeframe in (
            *(("NASDAQ:AAPL", "1D"), ("NASDAQ:AAPL", "1h")),
            *(("NASDAQ:MSFT", "1D"), ("FX:EURUSD", "1D")),
        ):
            await browser.join(symbol, timeframe=timeframe, token=token)
        shorts = [answer["short"] for answer in await browser.settle()]

        assert shorts == ["joined_room", "joined_room", "room_not_allowed", "joined_room"]


def euro_only(scope: Mapping[str, Any], room: Room) -> bool:
    assert scope["path"] == "/ws/fcs/"
    return "EUR" in room.symbol


async def euro_only_async(scope: Mapping[str, Any], room: Room) -> bool:
    return euro_only(scope, room)


def broken(scope: Mapping[str, Any], room: Room) -> bool:
    raise RuntimeError("no database")


@pytest.mark.parametrize("name", ["euro_only", "euro_only_async"])
async def test_authorize_must_agree_as_well_and_opens_nothing_by_itself(name: str) -> None:
    with override_settings(FCS_AUTHORIZE=f"{__name__}.{name}"):
        async with browsing() as browser:
            await browser.join("FX:EURUSD", timeframe="1D")
            await browser.join("FX:USDJPY", timeframe="1D")
            await browser.join("BINANCE:EURUSDT", timeframe="1D")
            shorts = [answer["short"] for answer in await browser.settle()]

    assert shorts == ["joined_room", "room_not_allowed", "room_not_allowed"]


@pytest.mark.parametrize("name", ["broken", "not_there"])
async def test_an_exception_in_authorize_is_a_no_and_is_logged(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(FCS_AUTHORIZE=f"{__name__}.{name}"):
        async with browsing() as browser:
            await browser.join(timeframe="1D")
            shorts = [answer["short"] for answer in await browser.settle()]

    assert shorts == ["room_not_allowed"]
    assert "FCS_AUTHORIZE failed, join refused" in caplog.text


# -- who may open the socket

REFUSAL = ("error", "refused")


async def refused(**how: Any) -> tuple[str, int]:
    async with socket(**how) as browser:
        [error], code = await browser.closed()
    assert (error["type"], error["short"]) == REFUSAL
    return error["message"], code


async def test_a_foreign_origin_is_told_so_and_closed_for_good(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message, code = await refused(headers={"host": "localhost", "origin": "https://evil.example"})

    assert "origin" in message
    assert 4500 <= code <= 4999
    assert "socket refused origin=b'https://evil.example'" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "prices.example", "origin": "https://prices.example"},
        {"host": "x.internal", "origin": "http://testserver:8000"},
    ],
)
async def test_no_origin_the_host_itself_and_allowed_hosts_may_open_it(
    headers: dict[str, str],
) -> None:
    async with browsing(headers=headers):
        pass


@override_settings(FCS_ALLOWED_ORIGINS=["https://app.example"])
async def test_allowed_origins_take_the_place_of_allowed_hosts() -> None:
    host = {"host": "api.example"}
    async with browsing(headers={**host, "origin": "https://app.example"}):
        pass
    await refused(headers={**host, "origin": "http://testserver"})
    await refused(headers={**host, "origin": "null"})


@override_settings(FCS_MAX_SOCKETS_PER_IP=2)
async def test_an_address_may_open_so_many_sockets_and_come_back_later() -> None:
    async with browsing(address="10.0.0.1"):
        async with browsing(address="10.0.0.1"), browsing(address="10.0.0.2"):
            message, code = await refused(address="10.0.0.1")
            assert "too many sockets" in message
            assert 4000 <= code <= 4499
        async with browsing(address="10.0.0.1"):
            pass


@override_settings(CHANNEL_LAYERS={})
async def test_a_site_without_a_channel_layer_says_so_and_closes_for_good(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message, code = await refused()

    assert "channel layer" in message
    assert code == 4500
    assert "socket refused reason=CHANNEL_LAYERS has no 'default'" in caplog.text


@pytest.mark.parametrize("layers", [{}, None])
async def test_who_was_refused_is_not_listened_to(layers: dict[str, Any] | None) -> None:
    """A close takes a moment: until then nothing may be joined."""
    settings = {} if layers is None else {"CHANNEL_LAYERS": layers}
    with override_settings(**settings):
        async with socket(headers={"origin": "https://evil.example"}) as browser:
            await browser.join(timeframe="1D")
            await browser.say("remove_all")
            [error], _ = await browser.closed()
            assert error["short"] == "refused"
            await browser.join(timeframe="1D")

    assert embedded.is_idle()


# -- the merge protocol


async def test_the_merge_protocol_is_agreed_on_and_speaks_in_arrays() -> None:
    async with browsing(subprotocols=("other", MERGE_PROTOCOL)) as browser:
        assert browser.subprotocol == MERGE_PROTOCOL
        await browser.join(timeframe="1D")
        await push_price(EURUSD, close=1.5)
        await browser.until("state", state="live")

        await browser.until("beat")


async def test_another_subprotocol_is_not_agreed_on() -> None:
    async with browsing(subprotocols=("graphql-ws",)) as browser:
        assert browser.subprotocol is None


@pytest.mark.parametrize(("wish", "granted"), [(4, 4), (0.5, 0.5), (1000, 10), (1e-9, 0.1)])
async def test_a_rate_is_granted_within_limits_and_confirmed(wish: float, granted: float) -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        await browser.say("rate", frames_per_second=wish)

        assert await browser.hear() == {"type": "rate", "frames_per_second": granted}
        hub = Hub.of_this_loop(embedded.site_store())
        assert [subscriber.rate for subscriber in hub._subscribers] == [granted]


@override_settings(FCS_MAX_FRAMES_PER_SECOND=3)
async def test_without_a_wish_the_sites_ceiling_is_the_rate() -> None:
    async with browsing(subprotocols=(MERGE_PROTOCOL,)):
        hub = Hub.of_this_loop(embedded.site_store())
        assert [subscriber.rate for subscriber in hub._subscribers] == [3]


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
        assert (await own.connect(timeout=5))[0]
        await browser.join(timeframe="1D")
        initial = await browser.price("initial")
        # A profile, beats and the end of the vendor come between.
        await simulator.drop_all()
        await eventually(lambda: EURUSD in simulator.joined)
        await simulator.push("FX:EURUSD", "1D", c=1.5)
        candle = await browser.price("candle")
        while candle["prices"]["c"] != 1.5:
            candle = await browser.price("candle")
        events = [await own.receive_json_from(timeout=5)]
        while events[-1]["seq"] < candle["seq"]:
            events.append(await own.receive_json_from(timeout=5))
        await own.disconnect(timeout=5)

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
        assert not embedded._streams


async def test_no_channel_of_its_own_is_opened_for_a_browser() -> None:
    async with browsing() as one, browsing() as other:
        for browser in (one, other):
            await browser.join(timeframe="1D")
            await browser.settle()
        await eventually(lambda: EURUSD.group in get_channel_layer().groups)

        assert len(get_channel_layer().groups[EURUSD.group]) == 1


async def test_a_browser_that_breaks_off_without_a_word_is_forgotten() -> None:
    communicator = WebsocketCommunicator(application, "/ws/fcs/")
    await communicator.connect(timeout=5)
    hub = Hub.of_this_loop(embedded.site_store())
    await eventually(lambda: hub._subscribers)
    communicator.stop()
    await eventually(lambda: not hub._subscribers)
    await asyncio.gather(communicator.future, return_exceptions=True)
