"""The key is nowhere: a whole site in this process, with all that fails, and all its objects."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import pytest
from django.template import TemplateSyntaxError, engines
from django.test import AsyncClient, RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from django_fcs.access.socket_rooms import SocketRooms
from django_fcs.consumers import MERGE_PROTOCOL
from django_fcs.exceptions import ConfigurationError, FCSError
from django_fcs.protocol.address import Address
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.upstream import UpstreamClient
from tests.support.leaks import CARELESS, KEY, leaks
from tests.support.sockets import Browser, browsing, socket
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop", "open_site"), pytest.mark.versions]

PAGE = """{% load fcs %}{% fcs_scripts %}{% fcs_ticker "FX:EURUSD" %}
{% fcs_price "FX:EURUSD" field="bid" %}{% fcs_token "FX:EURUSD" %}"""


@asynccontextmanager
async def site(*, accepts: bool = True) -> AsyncIterator[Simulator]:
    """A site that streams by itself, from a vendor who says much that is wrong."""
    faults = Faults(malformed_every=2, unknown=("FX:NO*",))
    keys = {KEY} if accepts else set()
    async with Simulator(RandomWalk(rate=20), faults=faults, accepted_keys=keys) as simulator:
        url, rest = f"{simulator.url}/?plan={KEY}", f"http://me:{quote(KEY)}@127.0.0.1:9/"
        keys_of_the_site = {"FCS_API_KEY": KEY, "FCS_REST_KEY": KEY}
        with override_settings(FCS_URL=url, FCS_REST_URL=rest, **keys_of_the_site):
            yield simulator


def loudly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)


def objects_of_ours() -> list[Any]:
    """Return all that this package, its tasks and its connections have in memory."""
    ours = ("django_fcs.", "asyncio", "websockets.asyncio")
    gc.unfreeze()  # What is frozen is not among the objects.
    return [it for it in gc.get_objects() if str(type(it).__module__).startswith(ours)]


def reprs() -> str:
    texts = []
    for it in objects_of_ours():
        with suppress(AttributeError):  # Of one whose constructor failed.
            texts.append(f"{it!r} {it!s}")
    return "\n".join(texts)


async def pages() -> str:
    """Return what the site shows, with the key in the address of each."""
    client, texts = AsyncClient(), []
    with override_settings(ROOT_URLCONF="django_fcs.urls"):
        for path in ("/health/", "/metrics/"):
            texts.append((await client.get(f"{path}{CARELESS}")).content.decode())
    texts.append(engines["django"].from_string(PAGE).render())
    return "\n".join(texts)


async def all_frames(browser: Browser) -> list[dict[str, Any]]:
    """Join what is there and what is not, say what is wrong, and return the answers."""
    for symbol in ("FX:EURUSD", "FX:NONE", "NYSE:KO", "eurusd"):
        await browser.join(symbol, timeframe="1D", token=KEY, api_key=KEY)
    for text in ("no JSON", json.dumps({"type": "subscribe", "api_key": KEY}), "[" * 2000 + KEY):
        await browser.communicator.send_to(text_data=text)
    await browser.communicator.send_to(bytes_data=KEY.encode())
    answers = await browser.settle()
    return [*answers, await browser.until("price"), *await browser.settle()]


@pytest.mark.parametrize("subprotocols", [(), (MERGE_PROTOCOL,)])
async def test_a_site_that_streams_by_itself_tells_nobody(
    subprotocols: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    loudly(caplog)
    async with site() as simulator:
        async with browsing(query=CARELESS, subprotocols=subprotocols) as browser:
            frames = await all_frames(browser)
            await simulator.drop_all()
            await eventually(lambda: "upstream lost" in caplog.text)
            said = [json.dumps(frames), await pages(), reprs(), caplog.text]
        async with socket(query=CARELESS, headers={"origin": "https://evil.example"}) as browser:
            said.append(str(await browser.closed()))

    assert "<UpstreamClient " in said[2] and "<Address " in said[2]
    assert not leaks("\n".join([*said, caplog.text]))


async def test_a_site_whose_key_is_refused_tells_nobody(caplog: pytest.LogCaptureFixture) -> None:
    loudly(caplog)
    async with site(accepts=False):
        async with browsing(query=CARELESS, subprotocols=(MERGE_PROTOCOL,)) as browser:
            await browser.join("FX:EURUSD", timeframe="1D")
            state = await browser.until("state", state="offline")
            said = [json.dumps(state), await pages(), reprs()]

    assert "refused FCS_API_KEY" in caplog.text
    assert not leaks("\n".join([*said, caplog.text]))


@pytest.mark.parametrize("url", [f"https://x/?k={KEY}", f"ws://me:{KEY}@:0/", f"ws://[::1/{KEY}"])
async def test_a_site_whose_address_is_wrong_tells_nobody(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    loudly(caplog)
    with override_settings(FCS_URL=url, FCS_API_KEY=KEY):
        async with browsing(query=CARELESS) as browser:
            await browser.join("FX:EURUSD", timeframe="1D")
            await eventually(lambda: "cannot stream in this process" in caplog.text)
            said = [await pages(), reprs()]
        with pytest.raises(ConfigurationError) as caught:
            Address(url, KEY)

    told = "".join(traceback.format_exception(caught.value))
    assert not leaks("\n".join([*said, caplog.text, told]))


async def test_errors_of_the_feed_tell_nobody_with_all_that_led_to_them() -> None:
    """As a service for errors keeps them: each exception behind the one raised as well."""
    async with Simulator(RandomWalk(rate=0), accepted_keys=set()) as simulator:
        for url in (simulator.url, "ws://127.0.0.1:9", "ws://foo..bar/"):
            try:
                async with UpstreamClient(KEY, url=url) as client:
                    async for event in client.events():
                        assert not leaks(repr(event))
                        break
            except FCSError as error:
                chain: list[str] = []
                link: BaseException | None = error
                while link is not None:
                    chain.append(f"{link!r} {''.join(traceback.format_exception(link))}")
                    link = link.__context__
                assert not leaks("\n".join(chain))


def test_a_failure_in_a_page_tells_nobody(rf: RequestFactory) -> None:
    """What Django shows of settings and stack, with DEBUG or in a letter to the admins."""
    with override_settings(
        FCS_API_KEY=KEY, FCS_REST_KEY=KEY, FCS_URL="ws://127.0.0.1:9", DEBUG=True
    ):
        with pytest.raises(TemplateSyntaxError) as caught:
            engines["django"].from_string("{% load fcs %}{% fcs_ticker 'eurusd' %}")
        reporter = ExceptionReporter(rf.get("/"), caught.type, caught.value, caught.tb)
        shown = reporter.get_traceback_html() + reporter.get_traceback_text()

    assert "FCS_API_KEY" in shown and "FCS_REST_KEY" in shown
    assert not leaks(shown)


async def test_an_error_of_the_site_tells_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in the middle of a careless socket."""
    loudly(caplog)

    def broken(*args: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(SocketRooms, "join", broken)
    with pytest.raises(ZeroDivisionError) as caught:
        async with site(), browsing(query=CARELESS) as browser:
            await browser.join("FX:EURUSD", timeframe="1D")
            await browser.communicator.wait(timeout=20)

    told = "".join(traceback.format_exception(caught.value))
    assert not leaks(told + caplog.text)
