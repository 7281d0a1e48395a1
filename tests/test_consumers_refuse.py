"""What the socket refuses, and how it says so."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from unittest import mock

import pytest
from django.core.signing import TimestampSigner, b62_encode
from django.test import override_settings

from django_fcs import site
from django_fcs.access.renewals import Renewals
from django_fcs.consumers import FRAME_MAX, MERGE_PROTOCOL, Pace
from django_fcs.rooms import Room
from django_fcs.tokens import make_token, token_is_valid
from tests.support.sockets import browsing, socket

pytestmark = [pytest.mark.usefixtures("clean_loop", "open_site"), pytest.mark.versions]


# -- refusals

REFUSED = {
    "no JSON": ("hello", "bad_message", "not an FCS frame"),
    "no object": ("5", "bad_message", "not an FCS frame"),
    "no type": ("{}", "bad_message", "not an FCS frame"),
    "of servers": ('{"type":"welcome"}', "bad_message", "not for a server"),
    "of servers too": ('{"type":"token","symbol":"X:Y","token":"x"}', "bad_message", "not for a"),
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
        *("room_not_allowed", "NASDAQ:AAPL needs a token from this site"),
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


async def test_each_message_of_an_array_is_answered() -> None:
    async with browsing() as browser:
        pings = json.dumps([{"type": "ping"}] * 200)
        assert len(pings) < FRAME_MAX
        await browser.communicator.send_to(text_data=pings)
        for _ in range(200):
            assert (await browser.hear())["type"] == "pong"

        await browser.join(timeframe="1D")
        assert (await browser.hear())["type"] == "message"


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=2)
async def test_a_browser_has_so_many_rooms_and_no_more() -> None:
    async with browsing(pace=Pace(joins=1e9)) as browser:
        for timeframe in ("1D", "1W", "1M", "1D"):
            await browser.join(timeframe=timeframe)
        shorts = [answer["short"] for answer in await browser.settle()]
        assert shorts == ["joined_room", "joined_room", "too_many_rooms", "joined_room"]

        await browser.say("leave_symbol", symbol="FX:EURUSD", timeframe="1W")
        await browser.join(timeframe="1M")
        assert [answer["short"] for answer in await browser.settle()] == ["joined_room"]


@override_settings(FCS_MAX_ROOMS_PER_CLIENT=2)
async def test_joins_in_a_rush_are_refused_for_now() -> None:
    async with browsing(pace=Pace(joins=0.001)) as browser:
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


@override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60)
@pytest.mark.parametrize(
    ("age", "site", "words"),
    [
        (None, "tests", "needs a token"),
        (61, "tests", "has expired: load the page again"),
        (0, "another", "not from this site: load the page again"),
        (61, "another", "not from this site: load the page again"),
    ],
)
async def test_a_refusal_says_whether_the_token_is_missing_wrong_or_expired(
    age: float | None, site: str, words: str
) -> None:
    token = None if age is None else token_of("NASDAQ:AAPL", age=age, key=site)
    async with browsing() as browser:
        await browser.join("NASDAQ:AAPL", timeframe="1D", token=token)
        refusal = await browser.until("error", short="room_not_allowed")

    assert refusal["message"].startswith("NASDAQ:AAPL ") and words in refusal["message"]


def token_of(symbol: str, *, age: float, key: str = "tests") -> str:
    """Return a token that a site signed so many seconds ago."""
    signed_at = b62_encode(int(time.time() - age))
    with (
        override_settings(SECRET_KEY=key),
        mock.patch.object(TimestampSigner, "timestamp", lambda self: signed_at),
    ):
        return make_token(symbol)


@override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60)
async def test_a_token_that_is_due_is_renewed_once_for_all_timeframes_of_its_symbol() -> None:
    symbol = "NASDAQ:AAPL"
    token = token_of(symbol, age=50)
    async with browsing(subprotocols=(MERGE_PROTOCOL,)) as browser:
        for room in ((symbol, "1D"), (symbol, "1h"), ("FX:EURUSD", "1D")):
            await browser.join(room[0], timeframe=room[1], token=token)
        renewed = await browser.until("token")

        assert renewed["symbol"] == symbol
        assert token_is_valid(renewed["token"], symbol) and renewed["token"] != token
        assert "token" not in [answer["type"] for answer in await browser.settle()]


@override_settings(FCS_TOKEN_MAX_AGE_SECONDS=60)
async def test_a_client_of_the_vendor_is_sent_no_token() -> None:
    token = token_of("NASDAQ:AAPL", age=50)
    with mock.patch.object(Renewals, "expect") as expect:
        for subprotocols in ((), (MERGE_PROTOCOL,)):
            assert not expect.called
            async with browsing(subprotocols=subprotocols) as browser:
                await browser.join("NASDAQ:AAPL", timeframe="1D", token=token)
                await browser.settle()

    expect.assert_called_once_with("NASDAQ:AAPL", token)


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
            shorts = []
            for symbol in ("FX:EURUSD", "FX:USDJPY", "BINANCE:EURUSDT"):
                await browser.join(symbol, timeframe="1D")
                shorts.append((await browser.hear())["short"])

    assert shorts == ["joined_room", "room_not_allowed", "room_not_allowed"]


@pytest.mark.parametrize("name", ["broken", "not_there"])
async def test_an_exception_in_authorize_is_a_no_and_is_logged(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(FCS_AUTHORIZE=f"{__name__}.{name}"):
        async with browsing() as browser:
            await browser.join(timeframe="1D")
            refusal = await browser.hear()

    assert refusal["short"] == "room_not_allowed"
    assert "FCS_AUTHORIZE did not answer" in refusal["message"]
    assert "FCS_AUTHORIZE failed path=" in caplog.text


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
    assert "socket refused origin='https://evil.example'" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:8000", "origin": "https://localhost:8000"},
        {"host": "127.0.0.1", "origin": "http://testserver:8000"},
    ],
)
async def test_no_origin_the_host_itself_and_allowed_hosts_may_open_it(
    headers: dict[str, str],
) -> None:
    async with browsing(headers=headers):
        pass


@pytest.mark.parametrize("origin", [None, "http://evil.com"])
async def test_a_host_that_the_site_does_not_have_is_told_so_and_logged_once(
    origin: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"host": "evil.com"} | ({"origin": origin} if origin else {})
    for _ in range(2):
        message, code = await refused(headers=headers)
        assert message == "the Host header is no host in ALLOWED_HOSTS"
        assert 4500 <= code <= 4999

    assert caplog.text.count("socket refused host='evil.com' client=") == 1


@override_settings(FCS_ALLOWED_ORIGINS=["https://app.example"])
async def test_allowed_origins_take_the_place_of_allowed_hosts() -> None:
    host = {"host": "localhost"}
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


@override_settings(FCS_MAX_SOCKETS_PER_IP=1)
async def test_the_log_says_what_to_do_if_the_refused_address_may_be_that_of_a_proxy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for address in ("8.8.8.8", "127.0.0.1", "10.0.0.66"):
        async with browsing(address=address):
            await refused(address=address)

    told = [line for line in caplog.messages if "proxy" in line]
    assert len(told) == 1 and "if client=127.0.0.1 is a proxy" in told[0]
    assert "--proxy-headers" in told[0] and "--forwarded-allow-ips" in told[0]


async def test_without_a_setting_the_51st_socket_of_an_address_is_refused() -> None:
    async with AsyncExitStack() as stack:
        for _ in range(50):
            await stack.enter_async_context(browsing(address="10.0.0.1"))
        await refused(address="10.0.0.1")
        async with browsing(address="10.0.0.2"):
            pass


@override_settings(CHANNEL_LAYERS={})
async def test_a_site_without_a_channel_layer_says_so_and_closes_for_good(
    caplog: pytest.LogCaptureFixture,
) -> None:
    message, code = await refused()

    assert "not set up" in message
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

    assert site.is_idle()
