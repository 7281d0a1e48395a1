"""Joins that wait for the site's function: what goes on meanwhile, and what ends later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import override_settings

from django_fcs.access.socket_rooms import SocketRooms
from django_fcs.consumers import Pace
from django_fcs.permissions import aask_again
from django_fcs.rooms import Room
from django_fcs.tokens import make_token
from tests.support.sockets import Browser, browsing, rooms_of_the_hub
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop", "open_site"), pytest.mark.versions]

EAGER = Pace(joins=1e9)

allowed = {"FX:EURUSD", "FX:USDJPY"}
slow: set[str] = set()


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    allowed.update({"FX:EURUSD", "FX:USDJPY"})
    slow.clear()
    with override_settings(FCS_AUTHORIZE=f"{__name__}.may_see"):
        yield


async def may_see(scope: Mapping[str, Any], room: Room) -> bool:
    is_allowed = room.symbol in allowed
    if room.symbol == "FX:SLOW" or (is_allowed and room.symbol in slow):
        await asyncio.sleep(3600)
    return is_allowed


async def joined(browser: Browser, symbol: str = "FX:EURUSD", **fields: Any) -> dict[str, Any]:
    await browser.join(symbol, timeframe="1D", **fields)
    return await browser.hear()


async def test_a_slow_answer_holds_up_neither_other_rooms_nor_a_pong() -> None:
    async with browsing() as browser:
        await browser.join("FX:SLOW", timeframe="1D")
        assert (await joined(browser))["short"] == "joined_room"
        await browser.say("ping", timestamp=1)
        assert (await browser.hear())["type"] == "pong"


@pytest.mark.parametrize("how", ["leave_symbol", "remove_all"])
async def test_a_room_that_waits_can_be_left(how: str) -> None:
    fields = {"symbol": "FX:SLOW", "timeframe": "1D"} if how == "leave_symbol" else {}
    with override_settings(FCS_MAX_ROOMS_PER_CLIENT=1):
        async with browsing(pace=EAGER) as browser:
            await browser.join("FX:SLOW", timeframe="1D")
            assert (await joined(browser))["short"] == "too_many_rooms"
            await browser.say(how, **fields)
            assert (await joined(browser))["short"] == "joined_room"


async def test_a_room_that_waits_counts_once_however_often_it_is_asked_for() -> None:
    with override_settings(FCS_MAX_ROOMS_PER_CLIENT=2):
        async with browsing(pace=EAGER) as browser:
            for _ in range(3):
                await browser.join("FX:SLOW", timeframe="1D")
            assert (await joined(browser))["short"] == "joined_room"
            assert (await joined(browser, "FX:USDJPY"))["short"] == "too_many_rooms"


async def test_a_room_that_is_joined_and_waits_again_counts_once() -> None:
    with override_settings(FCS_MAX_ROOMS_PER_CLIENT=3):
        async with browsing(pace=EAGER) as browser:
            for symbol in ("FX:EURUSD", "FX:USDJPY"):
                assert (await joined(browser, symbol))["short"] == "joined_room"
            slow.update(allowed)
            for symbol in allowed:
                await browser.join(symbol, timeframe="1D")
            assert (await joined(browser, "FX:GBPUSD"))["short"] == "room_not_allowed"


async def test_a_request_ends_also_a_join_that_was_asked_for_before_it() -> None:
    slow.add("FX:EURUSD")
    async with browsing() as browser:
        await browser.join("FX:EURUSD", timeframe="1D")
        assert (await joined(browser, "FX:USDJPY"))["short"] == "joined_room"
        allowed.discard("FX:EURUSD")

        refusal = await told_to_ask_again(browser)

        assert refusal["message"] == "FX:EURUSD_1D: FCS_AUTHORIZE refused it"
        assert rooms_of_the_hub() == {Room("FX:USDJPY", "1D")}


async def test_a_refusal_says_which_of_token_pattern_and_function_refused() -> None:
    async with browsing() as browser:
        refusal = await joined(browser, "FX:GBPUSD")
        assert refusal["short"] == "room_not_allowed"
        assert refusal["message"] == "FX:GBPUSD_1D: FCS_AUTHORIZE refused it"

        refusal = await joined(browser, "NASDAQ:AAPL")
        assert refusal["short"] == "room_not_allowed"
        assert "NASDAQ:AAPL needs a token" in refusal["message"]
        assert "no pattern of FCS_ALLOWED_SYMBOLS" in refusal["message"]
        assert "AUTHORIZE" not in refusal["message"]

        refusal = await joined(browser, "NASDAQ:AAPL", token="made-up")
        assert "has a token that is not from this site" in refusal["message"]

        refusal = await joined(browser, "NASDAQ:AAPL", token=make_token("NASDAQ:AAPL"))
        assert refusal["message"] == "NASDAQ:AAPL_1D: FCS_AUTHORIZE refused it"


async def test_a_yes_that_turns_into_a_no_ends_the_room_and_no_other() -> None:
    async with browsing() as browser:
        for symbol in ("FX:EURUSD", "FX:USDJPY"):
            assert (await joined(browser, symbol))["short"] == "joined_room"
        await eventually(lambda: len(rooms_of_the_hub()) == 2, within=10, what="two rooms")
        allowed.discard("FX:EURUSD")

        refusal = await told_to_ask_again(browser)

        assert refusal["short"] == "room_not_allowed"
        assert refusal["message"] == "FX:EURUSD_1D: FCS_AUTHORIZE refused it"
        assert rooms_of_the_hub() == {Room("FX:USDJPY", "1D")}

        allowed.add("FX:EURUSD")
        assert (await joined(browser))["short"] == "joined_room"


async def told_to_ask_again(browser: Browser) -> dict[str, Any]:
    """Return the refusal after a request, which is lost while the hub joins its groups."""
    refusal = asyncio.ensure_future(browser.until("error"))
    while not refusal.done():
        await aask_again()
        await asyncio.wait([refusal], timeout=0.1)
    return refusal.result()


async def test_a_second_join_that_is_refused_ends_the_room() -> None:
    async with browsing() as browser:
        assert (await joined(browser))["short"] == "joined_room"
        allowed.discard("FX:EURUSD")

        assert (await joined(browser))["short"] == "room_not_allowed"
        assert rooms_of_the_hub() == set()


@override_settings(FCS_REAUTHORIZE_SECONDS=0.1)
async def test_a_yes_is_asked_for_again_without_a_request() -> None:
    async with browsing() as browser:
        assert (await joined(browser))["short"] == "joined_room"
        allowed.discard("FX:EURUSD")

        assert (await browser.until("error"))["short"] == "room_not_allowed"


async def test_an_error_after_the_answer_closes_the_socket_and_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(SocketRooms, "_admit", broken)
    with pytest.raises(ZeroDivisionError):
        async with browsing() as browser:
            await browser.join("FX:EURUSD", timeframe="1D")
            closed = await browser.communicator.receive_output(timeout=5)
            while closed["type"] != "websocket.close":
                closed = await browser.communicator.receive_output(timeout=5)
            assert closed["code"] == 4001
