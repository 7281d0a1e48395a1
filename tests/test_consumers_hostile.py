"""Browsers that mean harm: an error or a close code, one line in the log, nobody disturbed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from unittest import mock

import pytest
from django.core.signing import TimestampSigner
from django.test import override_settings

from django_fcs import consumers
from django_fcs.consumers import (
    BAD_SIZE,
    CLOSE_FRAME_HUGE,
    CLOSE_SILENT,
    CLOSE_TOO_MANY,
    FRAME_HUGE,
    FRAME_MAX,
    MERGE_PROTOCOL,
    Pace,
)
from django_fcs.permissions import client_of
from django_fcs.rooms import Room
from django_fcs.testing import push_price
from django_fcs.tokens import make_token
from django_fcs.tools.metrics import counts
from tests.support.sockets import EURUSD, Browser, browsing, hub_of_the_site, socket
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop", "open_site")

ATTACKER, VISITOR = "10.0.0.66", "10.0.0.1"


@asynccontextmanager
async def beside_a_visitor() -> AsyncIterator[Browser]:
    """Somebody harmless, who is sent prices before and after."""
    async with browsing(address=VISITOR) as visitor:
        await visitor.join(timeframe="1D")
        await visitor.until("message", short="joined_room")
        await assert_served(visitor, close=1.5)
        yield visitor
        await assert_served(visitor, close=2.5)


async def assert_served(browser: Browser, *, close: float) -> None:
    await push_price(EURUSD, close=close)
    while (await browser.until("price"))["prices"].get("c") != close:
        pass


async def close_of(browser: Browser) -> int:
    """Return the close code behind whatever was said before."""
    _, code = await browser.ended()
    return code


def sockets() -> int:
    return len(hub_of_the_site()._subscribers)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "refused" in line]


# -- floods


FLOODS: dict[str, dict[str, str | bytes]] = {
    "malformed frames": {"text_data": "x"},
    "empty frames": {"text_data": " "},
    "binary frames": {"bytes_data": b"\x00" * 100},
    "nested frames": {"text_data": "[" * FRAME_MAX},
    "long frames": {"text_data": "x" * FRAME_HUGE},
    "pings": {"text_data": '{"type":"ping"}'},
    "pings in arrays": {"text_data": json.dumps([{"type": "ping"}] * 200)},
    "leaves": {"text_data": json.dumps([{"type": "remove_all"}] * 150)},
    "joins without a token": {"text_data": '{"type":"join_symbol","symbol":"NYSE:KO"}'},
}


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=10)
@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_is_answered_for_a_while_and_closed_with_4429(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pace = Pace(burst=280, messages=0.001)
    async with beside_a_visitor(), browsing(address=ATTACKER, pace=pace) as attacker:
        for _ in range(500):
            await attacker.communicator.send_to(**FLOODS[what])
        assert await close_of(attacker) == CLOSE_TOO_MANY
        await eventually(lambda: attacker.communicator.input_queue.empty())

    kinds = {
        f"browser refused kind={kind} client={ATTACKER}"
        for kind in (*("bad_message", "room_not_allowed", "rate_limited", "too_many_messages"),)
    }
    said = complaints(caplog)
    assert set(said) <= kinds and len(said) == len(set(said))
    assert counts()["socket_closed"] == 1
    assert counts().get("socket_errors", 0) <= 300


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=50)
async def test_who_joins_and_leaves_all_its_rooms_at_once_is_no_flood() -> None:
    async with browsing(pace=Pace(burst=1, messages=0.001)) as browser:
        for kind in ("join_symbol", "leave_symbol"):
            for number in range(50):
                await browser.say(kind, symbol=f"FX:PAIR{number}", timeframe="1D")

        assert [answer["short"] for answer in await browser.settle()] == ["joined_room"] * 50


async def test_a_long_bad_frame_counts_as_what_it_could_have_held() -> None:
    """It may cost as much to read before it is refused."""
    with override_settings(FCS_MAX_ROOMS_PER_CLIENT=10):
        async with browsing() as attacker:
            text = json.dumps([{"type": "ping"}] * 200 + [0])
            for _ in range(1000 // (len(text) // BAD_SIZE) + 2):
                await attacker.communicator.send_to(text_data=text)
            assert await close_of(attacker) == CLOSE_TOO_MANY

    assert counts()["socket_errors"] < 30


async def test_others_get_their_turn_while_a_flood_is_worked_off() -> None:
    async with browsing() as attacker:
        for _ in range(1000):
            attacker.communicator.input_queue.put_nowait(
                {"type": "websocket.receive", "text": '{"type":"pong"}'}
            )
        turns = 0
        while not attacker.communicator.input_queue.empty():
            await asyncio.sleep(0)
            turns += 1

    assert turns >= 1000 // consumers.FRAMES_A_TURN


# -- frames


@pytest.mark.parametrize("frame", [{"text_data": "x"}, {"bytes_data": b"x"}])
async def test_a_huge_frame_is_closed_for_good(
    frame: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    huge = {how: data * (FRAME_HUGE + 1) for how, data in frame.items()}
    async with beside_a_visitor(), browsing(address=ATTACKER) as attacker:
        for _ in range(3):
            await attacker.communicator.send_to(**huge)
        await attacker.join(timeframe="1D")
        assert await close_of(attacker) == CLOSE_FRAME_HUGE

    assert complaints(caplog) == [f"browser refused kind=huge_frame client={ATTACKER}"]


DEEP = {
    "arrays": "[" * 4000,
    "closed arrays": "[" * 2000 + "]" * 2000,
    "objects": '{"type":' * 500,
    "a symbol": '{"type":"join_symbol","symbol":' + "[" * 3000,
    "a field that nobody knows": '{"type":"ping","x":' + "[" * 1900 + "]" * 1900 + "}",
    "a history": '{"type":"price","history":' + "[" * 1900 + "]" * 1900 + "}",
    "a profile": '{"type":"price","prices":{"profile":' + '{"a":' * 600 + "1" + "}" * 602,
}


@pytest.mark.parametrize("what", DEEP)
async def test_a_deeply_nested_frame_is_refused_and_the_socket_goes_on(what: str) -> None:
    async with browsing() as browser:
        assert len(DEEP[what]) <= FRAME_MAX
        await browser.communicator.send_to(text_data=DEEP[what])
        assert (await browser.hear()).get("short", "bad_message") == "bad_message"

        await browser.settle()
        await browser.join(timeframe="1D")
        await browser.until("message", short="joined_room")


# -- sockets


@override_settings(FCS_MAX_SOCKETS_PER_IP=3)
async def test_many_sockets_opened_in_one_moment_are_no_more_than_allowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with AsyncExitStack() as stack:
        opened = [
            asyncio.ensure_future(stack.enter_async_context(socket(address=ATTACKER)))
            for _ in range(20)
        ]
        heard = [(await (await browser).hear())["type"] for browser in opened]

        assert sorted(heard) == ["error"] * 17 + ["welcome"] * 3
        assert sockets() == 3
        async with browsing(address=VISITOR):
            pass
    assert complaints(caplog) == [f"browser refused kind=too_many_sockets client={ATTACKER}"]
    assert counts()["socket_refused"] == 17


@override_settings(FCS_MAX_SOCKETS_PER_IP=1)
async def test_one_who_has_a_whole_network_of_addresses_is_one_client() -> None:
    async with browsing(address="2001:db8:1:2::1"):
        async with socket(address="2001:db8:1:2:ffff::2") as other:
            assert (await other.closed())[1] == CLOSE_TOO_MANY
        async with browsing(address="2001:db8:1:3::1"):
            pass


@override_settings(FCS_MAX_SOCKETS_PER_IP=1)
async def test_where_no_address_is_known_all_may_open_a_socket() -> None:
    """As behind a proxy that speaks to the server by a Unix socket."""
    async with browsing(), browsing(), browsing():
        assert sockets() == 3


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (("10.0.0.1", 5), "10.0.0.1"),
        (["10.0.0.1", 5], "10.0.0.1"),
        (("2001:db8:1:2:3:4:5:6", 5), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5), "fe80::/64"),
        (("::ffff:10.0.0.1", 5), "10.0.0.1"),
        (("10.0.0.1:40123", 0), "10.0.0.1"),
        (("[2001:db8:1:2:3:4:5:6]:40123", 0), "2001:db8:1:2::/64"),
        (("[2001:db8:1:2:3:4:5:6]", 0), "2001:db8:1:2::/64"),
        (("10.0.0.1:x", 0), ""),
        (("[10.0.0.1]:5", 0), "10.0.0.1"),
        (("999.0.0.1:5", 0), "999.0.0.1"),
        (("testclient", 5), "testclient"),
        (("unix:/run/site.sock", None), ""),
        (("\x1b[2J", 0), ""),
        (("x" * 5000, 0), ""),
        (("192.0.2.1, 192.0.2.2", 0), ""),
        ((None, None), ""),
        (("", 0), ""),
        (None, ""),
    ],
)
def test_a_client_is_known_by_its_address_or_its_network(client: Any, told: str) -> None:
    assert client_of({"client": client}) == told


@pytest.mark.parametrize("subprotocols", [(), (MERGE_PROTOCOL,)])
async def test_who_joins_nothing_and_says_nothing_is_closed_with_4408(
    subprotocols: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    pace = Pace(silence=0.05)
    async with browsing(address=ATTACKER, subprotocols=subprotocols, pace=pace) as silent:
        assert await close_of(silent) == CLOSE_SILENT

    assert complaints(caplog) == [f"browser refused kind=silent client={ATTACKER}"]


async def test_who_has_joined_a_room_or_says_anything_is_not_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumers_of_test: list[consumers.FCSConsumer] = []
    look = consumers.FCSConsumer._look_for_silence

    def first_look(consumer: consumers.FCSConsumer) -> None:
        consumers_of_test.append(consumer)
        look(consumer)

    monkeypatch.setattr(consumers.FCSConsumer, "_look_for_silence", first_look)
    async with browsing() as watcher, browsing() as idler, browsing() as silent:
        await watcher.join(timeframe="1D")
        await watcher.until("message", short="joined_room")
        for _ in range(3):
            await idler.say("pong")
            await idler.settle()
            for consumer in consumers_of_test[:3]:
                look(consumer)
        assert await close_of(silent) == CLOSE_SILENT

        assert await idler.settle() == []
        await assert_served(watcher, close=1.5)


# -- origins


async def test_a_refused_origin_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    for origin in ("https://evil.example", "https://bad.example") * 5:
        async with socket(address=ATTACKER, headers={"origin": origin}) as browser:
            await browser.closed()

    assert complaints(caplog) == [
        f"socket refused origin='https://{name}.example' client={ATTACKER}"
        for name in ("evil", "bad")
    ]
    assert counts()["socket_refused"] == 10


async def test_origins_made_up_one_by_one_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(60):
        origin = f"https://{number}.example/{'x' * 5000}\n"
        async with socket(address=ATTACKER, headers={"origin": origin}) as browser:
            await browser.closed()

    assert len(complaints(caplog)) == 20
    assert max(map(len, complaints(caplog))) < 300


# -- tokens


def expired(symbol: str) -> str:
    with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60):
        with mock.patch.object(TimestampSigner, "timestamp", lambda self: "1tT9Q0"):
            return make_token(symbol)


def foreign(symbol: str) -> str:
    with override_settings(SECRET_KEY="another site's"):
        return make_token(symbol)


def undated(symbol: str) -> str:
    """One from before the site gave its tokens a life."""
    with override_settings(FCS_TOKEN_MAX_AGE_SECONDS=None):
        return make_token(symbol)


FORGED = {
    "expired": expired,
    "foreign": foreign,
    "undated": undated,
    "of another symbol": lambda symbol: make_token("NASDAQ:MSFT"),
    "cut": lambda symbol: make_token(symbol)[:-1],
    "with another date": lambda symbol: "zzzzzz" + make_token(symbol)[6:],
    "empty": lambda symbol: "",
    "of colons": lambda symbol: ":" * 1000,
    "of odd letters": lambda symbol: "\u0000\ud7ff\U0001f4b6" * 50,
}


@override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60)
@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_expired_or_foreign_token_opens_nothing(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    symbol = "NASDAQ:AAPL"
    async with browsing(address=ATTACKER) as browser:
        for _ in range(10):
            await browser.join(symbol, timeframe="1D", token=FORGED[what](symbol))
            assert (await browser.hear())["short"] == "room_not_allowed"
        await browser.join(symbol, timeframe="1D", token=make_token(symbol))
        await browser.until("message", short="joined_room")

    assert complaints(caplog) == [f"browser refused kind=room_not_allowed client={ATTACKER}"]


def broken(scope: Mapping[str, Any], room: Room) -> bool:
    raise RuntimeError("no database")


@override_settings(FCS_AUTHORIZE=f"{__name__}.broken")
async def test_a_flood_of_joins_to_a_site_that_cannot_authorize_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with browsing() as browser:
        for _ in range(40):
            await browser.join(timeframe="1D")
            assert (await browser.hear())["short"] == "room_not_allowed"

    assert counts()["authorize_failures"] == 40
    assert caplog.text.count("RuntimeError: no database") == 6


# -- what is logged


async def test_what_a_browser_says_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    evil = "evil\n2026-01-01 CRITICAL all is lost"
    async with browsing(address=ATTACKER) as browser:
        for _ in range(3):
            await browser.join(evil, timeframe=evil, token=evil)
            await browser.join("FX:EURUSD", timeframe=evil)
            await browser.say(evil)
            await browser.communicator.send_to(text_data=evil)
        await browser.settle()

    kinds = ["bad_symbol", "bad_timeframe", "bad_message"]
    assert complaints(caplog) == [
        f"browser refused kind={kind} client={ATTACKER}" for kind in kinds
    ]
    assert "all is lost" not in caplog.text
