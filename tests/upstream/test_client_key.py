"""The key of the vendor: in the address, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import traceback
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest

from django_fcs.exceptions import ConfigurationError
from django_fcs.simulator import RandomWalk, Simulator
from django_fcs.upstream import UpstreamClient
from tests.support.upstreams import EURUSD, REFUSALS, Vendor, vendor, watching, welcoming
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


# -- addresses


async def test_the_key_goes_into_the_address_whatever_is_in_it_already() -> None:
    key = "a key/with+odd&signs=1"
    async with vendor(welcoming) as server:
        url = f"{server.url}?plan=pro&empty=#top"
        async with watching(url, key=key) as watch:
            await eventually(lambda: watch.statuses)

    path = urlsplit(server.paths[0])
    assert path.path == "/ws"
    query = parse_qs(path.query, keep_blank_values=True)
    assert query == {"plan": ["pro"], "empty": [""], "access_key": [key]}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fcsapi.com/ws",
        "https://fcsapi.com/ws",
        "wss://",
        "ws://[::1",
        "ws://127.0.0.1:99999",
        "ws://127.0.0.1:0",
        "ws://127.0.0.1:port",
    ],
)
def test_what_is_no_socket_address_is_told_and_what_to_write(url: str) -> None:
    with pytest.raises(ConfigurationError, match="FCS_URL .* such as wss://") as caught:
        UpstreamClient("secret", url=f"{url}?access_key=secret" if url else url)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://me:se/c?ret@fcsapi.com/", "wss://me:se/c?ret@:0/"])
def test_a_password_in_an_address_that_is_none_is_not_told(url: str) -> None:
    with pytest.raises(ConfigurationError, match="FCS_URL .* such as wss://") as caught:
        UpstreamClient("a-key", url=url)

    assert "se/c" not in str(caught.value)


def test_an_empty_key_is_told_by_the_name_of_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="FCS_API_KEY is empty"):
        UpstreamClient("")


# -- the key is nowhere

SECRET = "sec/ret+key&="


def told(text: str) -> bool:
    """Whether a text tells the key, as it is or as an address has it."""
    return SECRET in text or quote_plus(SECRET) in text


async def test_the_key_is_in_no_repr(simulator: Simulator) -> None:
    async with watching(simulator.url, EURUSD, key=SECRET) as watch:
        await eventually(lambda: watch.prices)

        assert repr(watch.client) == (
            f"<UpstreamClient {simulator.url.removeprefix('ws://')} wanted=1 joined=1>"
        )
        assert not told(repr(watch.events))


def test_a_password_in_the_address_is_in_no_repr_either() -> None:
    client = UpstreamClient(SECRET, url="wss://me:password@fcsapi.com/ws")

    assert repr(client) == "<UpstreamClient fcsapi.com wanted=0 joined=0>"


@pytest.mark.parametrize("how", REFUSALS)
async def test_the_key_is_in_no_log_and_no_error(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = {SECRET}
    simulator = Simulator(RandomWalk(rate=0), faults=REFUSALS[how][0], accepted_keys=keys)
    async with simulator:
        async with watching(simulator.url, EURUSD, key=SECRET) as watch:
            await eventually(lambda: watch.prices)
            await simulator.drop_all()
            await eventually(lambda: len(watch.statuses) >= 3)
        keys.clear()
        async with watching(simulator.url, key=SECRET, patient=False) as watch:
            await eventually(lambda: watch.error)
    async with watching(simulator.url, key=SECRET) as cut_off:
        await eventually(lambda: cut_off.reasons)

    assert watch.error is not None
    assert not told("".join(traceback.format_exception(watch.error)))
    assert not told(repr(watch.error.__cause__))
    assert not told("".join(watch.reasons + cut_off.reasons))
    assert "upstream welcomed" in caplog.text
    assert not told(caplog.text)


async def test_a_vendor_that_repeats_the_key_is_cut_short(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In an error, in a refusal, and in what is recorded of either."""
    caplog.set_level(logging.DEBUG)

    async def echo(server: Vendor) -> None:
        await server.say({"type": "welcome"})
        await server.say({"type": "error", "short": "plan", "msg": f"upgrade {SECRET}"})
        await server.say({"type": "message", "message": f"?access_key={quote_plus(SECRET)}"})
        refusal = {"type": "error", "short": "authentication_failed", "message": f"{SECRET}!"}
        await server.say(refusal)
        await server.listen()

    async with vendor(echo) as server, watching(server.url, key=SECRET) as watch:
        await eventually(lambda: watch.reasons)

        hint = "(set it to your FCS socket key)"
        assert watch.reasons[0].endswith(f"refused FCS_API_KEY: [key]! {hint}")
        assert "message=upgrade [key]" in caplog.text
        assert [text.count("[key]") for text in watch.texts] == [0, 1, 1]
        assert not told(caplog.text + repr(watch.events))


async def test_a_redirection_that_names_the_key_is_cut_short() -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = f"ftp://elsewhere/?access_key={quote_plus(SECRET)}"
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, watching(url, key=SECRET) as watch:
        await eventually(lambda: watch.reasons)

        assert not told(watch.reasons[0])
