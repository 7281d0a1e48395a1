"""The examples of the documents run as they are printed."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import re
import time
from contextlib import AsyncExitStack
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from channels.testing import WebsocketCommunicator
from django.core import mail
from django.core.checks import ERROR, run_checks
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template, engines
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.test.utils import isolate_apps
from django.urls import path

from django_fcs.candles import Candles
from django_fcs.candles.bars import Bar, Rank
from django_fcs.candles.kept import Kept
from django_fcs.candles.reading import candle_store
from django_fcs.candles.series import Series
from django_fcs.charts.addresses import is_signed
from django_fcs.rooms import Room
from django_fcs.simulator import Faults, RandomWalk, Simulator
from django_fcs.site import streams
from django_fcs.testing import push_price, simulator as simulated_feed
from tests.simulator.fcs_client import client_of
from tests.support.waiting import eventually
from tests.widgets.test_tags import jinja

pytestmark = pytest.mark.versions

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str = "python") -> list[str]:
    """Return the examples of a page, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def block(page: str, word: str, language: str = "python") -> str:
    """Return the one example of a page in which a word stands."""
    [code] = [code for code in blocks(page, language) if word in code]
    return code


async def run(code: str, **names: Any) -> dict[str, Any]:
    """Run an example, which may await, and return the names that it has then."""
    space = {"__name__": "django_fcs.example", **names}
    compiled = compile(code, "<example>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if inspect.isawaitable(waiting := eval(compiled, space)):
        await waiting
    return space


def front(request: HttpRequest) -> HttpResponse:
    template = '{% load fcs %}{% fcs_scripts %}{% fcs_ticker "FX:EURUSD" %}'
    return HttpResponse(Template(template).render(Context()))


urlpatterns = [path("", front)]

# A fixture has to stand in a module of tests.
exec(block("testing.md", "pytest_asyncio.fixture"), globals())


# -- testing.md


def test_every_example_of_the_page_on_tests_is_run_here() -> None:
    words = ["CHANNEL_LAYERS", "push_price", "WebsocketCommunicator", "end_streams", "fixture"]

    assert len(blocks("testing.md")) == len({block("testing.md", word) for word in words}) == 5


@override_settings(ROOT_URLCONF=__name__)
def test_the_example_that_sets_one_price() -> None:
    space = asyncio.run(run(block("testing.md", "push_price")))

    space["test_the_page_shows_the_price"](Client())


@override_settings(ROOT_URLCONF=__name__)
async def test_the_settings_for_tests_are_enough() -> None:
    space = await run(block("testing.md", "CHANNEL_LAYERS"))
    names = ("CHANNEL_LAYERS", "FCS_API_KEY")

    with override_settings(**{name: space[name] for name in names}):
        await push_price("FX:EURUSD", close=1.0842)
        assert b"1.0842" in (await AsyncClient().get("/")).content


async def test_the_example_that_runs_a_feed() -> None:
    space = await run(block("testing.md", "WebsocketCommunicator"))

    await space["test_prices_arrive_in_the_browser"]()


async def test_that_example_fails_if_the_rooms_of_the_feed_are_mute() -> None:
    await push_price("FX:EURUSD", close=1.0842)
    code = block("testing.md", "WebsocketCommunicator").replace("timeout=10", "timeout=0.5")
    space = await run(code)
    space["simulator"] = partial(simulated_feed, faults=Faults(silent=("*",)))

    with pytest.raises(asyncio.TimeoutError):
        await space["test_prices_arrive_in_the_browser"]()


async def test_the_example_that_ends_what_a_test_has_started() -> None:
    await run(block("testing.md", "await end_streams()"))

    assert asyncio.get_running_loop() not in streams


async def test_the_example_of_a_fixture(feed: Simulator) -> None:
    assert feed.url.startswith("ws://127.0.0.1:")
    assert await feed.push("FX:EURUSD", "1D", c=1.5) == 0


# -- rooms.md


async def test_the_example_of_a_model() -> None:
    with isolate_apps("django_fcs"):
        space = await run(block("rooms.md", "SymbolField"))

    assert space["Instrument"]._meta.get_field("symbol").unique


async def test_the_example_of_a_consumer_gets_prices() -> None:
    space = await run(block("rooms.md", "class Desk"))
    socket = WebsocketCommunicator(space["Desk"].as_asgi(), "/")
    await socket.connect()

    await push_price("FX:EURUSD", close=1.0842)

    assert json.loads(await socket.receive_from())["prices"]["c"] == 1.0842
    await socket.disconnect()


async def test_the_examples_that_read_prices() -> None:
    await push_price("FX:EURUSD", close=1.0842)
    await push_price("FX:EURUSD_60", close=1.0843)

    space = await run(block("rooms.md", "quote.change_percent"))
    assert space["quote"].close == 1.0842

    space = await run(block("rooms.md", "get_quotes"))
    answer = json.loads(space["prices"](RequestFactory().get("/")).content)
    assert answer["FX:EURUSD"]["close"] == 1.0843
    assert answer["BINANCE:BTCUSDT"] is None


async def test_the_example_without_a_site_prints_prices() -> None:
    printed: list[Any] = []
    code = block("rooms.md", "UpstreamClient").replace("Client(key,", "Client(key, url=url,")
    async with Simulator(RandomWalk(rate=50)) as feed:
        names = {"key": "any", "url": feed.url, "print": lambda *words: printed.append(words)}
        example = asyncio.create_task(run(code, **names))
        await eventually(lambda: len({symbol for symbol, _ in printed}) == 2)
        assert feed.rooms == {Room("FX:EURUSD", "1D"): 1, Room("BINANCE:BTCUSDT", "60"): 1}
        example.cancel()
        with pytest.raises(asyncio.CancelledError):
            await example


# -- candles.md


async def keep_hours(*closes: float) -> None:
    """Keep candles of the hours up to now, of which the last one is forming."""
    room, now = Room("FX:EURUSD", "60"), time.time()
    series = Series("60", keep=600)
    for hours, close in enumerate(reversed(closes)):
        t = int(now) // 3600 * 3600 - hours * 3600
        series.put(Bar(t, 1.0, 9.0, 1.0, close, None), rank=Rank.LIVE, at=now)
    assert await candle_store().asave({room: Kept.of(series, saved_at=now)})


async def test_the_example_that_reads_candles() -> None:
    await keep_hours(1.5, 1.6)
    space = await run(block("candles.md", "candles.missing"))

    assert [candle.close for candle in space["candles"]] == [1.5, 1.6]


@pytest.mark.parametrize("closes", [[], [float(1 + n % 7) for n in range(30)]], ids=len)
async def test_the_example_with_pandas(closes: list[float]) -> None:
    pytest.importorskip("pandas")
    await keep_hours(*closes)
    space = await run(block("candles.md", "import pandas"))

    assert list(space["frame"]["close"]) == closes[:-1]
    if closes:
        assert space["average"].iloc[-1] == pytest.approx(sum(closes[-21:-1]) / 20)
    assert str(space["new_york"].index.tz) == "America/New_York"


async def test_the_example_of_an_answer_is_one() -> None:
    answers = [json.loads(code) for code in blocks("candles.md", "json")]
    read, question, message = answers

    assert read.keys() == Candles(Room("FX:EURUSD", "60")).as_dict().keys()
    assert message.keys() <= read.keys() | question.keys()


# -- charts.md


MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}


@override_settings(ROOT_URLCONF="tests.charts.urls", MAILERS=MAILERS)
async def test_the_example_of_a_mail_has_the_address_of_an_image() -> None:
    space = await run(block("charts.md", "EmailMultiAlternatives"))
    space["send_chart"]("ann@example.com")

    [(html, kind)] = mail.outbox[-1].alternatives
    src, width, alt = re.findall(r'="([^"]+)"', str(html))
    address = urlsplit(unescape(src))
    assert (kind, width, bool(alt)) == ("text/html", "600", True)
    assert (
        f"{address.scheme}://{address.netloc}{address.path}" == "https://example.com/fcs/chart.png"
    )
    assert is_signed(dict(parse_qsl(address.query)), "png")


@override_settings(ROOT_URLCONF="tests.charts.urls")
@pytest.mark.parametrize("language", ["django", "jinja"])
async def test_the_examples_of_link_previews(language: str) -> None:
    code = block("charts.md", "og:image", language)
    template = engines["django"].from_string(code) if language == "django" else None
    html = template.render({}, RequestFactory().get("/")) if template else jinja(code)

    address = urlsplit(unescape(re.findall(r'og:image" content="([^"]+)"', html)[0]))
    assert address.netloc == ("testserver" if template else "")
    assert is_signed(dict(parse_qsl(address.query)), "png")


# -- simulator.md, templates.md and the lines for settings


async def test_the_example_of_a_simulator() -> None:
    code = block("simulator.md", "Simulator(").replace(
        "    await simulator.joined(", "    await join(simulator)\n    await simulator.joined("
    )
    async with AsyncExitStack() as clients:

        async def join(simulator: Simulator) -> None:
            client = await clients.enter_async_context(client_of(simulator))
            await client.join()

        space = await run(code, join=join)

    assert "join(simulator)" in code
    assert space["simulator"].faults == Faults(confirm="full", pong=False)


@pytest.mark.parametrize("language", ["django", "jinja"])
async def test_the_examples_of_templates(language: str) -> None:
    space = await run(block("templates.md", "FCSExtension"))
    name = "jinja2" if language == "jinja" else "django"
    sites = [*space["TEMPLATES"], {"BACKEND": "django.template.backends.django.DjangoTemplates"}]

    with override_settings(TEMPLATES=sites):
        for code in blocks("templates.md", language):
            html = engines[name].from_string(code).render({"symbol": "FX:EURUSD"})
            assert "<fcs-" in html


SETTINGS = [
    (page.name, number)
    for page in sorted(DOCS.glob("*.md"))
    for number, code in enumerate(blocks(page.name))
    if "CHANNEL_LAYERS = " in code or "CACHES = " in code
]


@pytest.mark.parametrize(("page", "number"), SETTINGS)
async def test_lines_for_the_settings_pass_the_checks(
    page: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCS_API_KEY", "a-key-of-the-tests")
    space = await run(blocks(page)[number], os=os)

    with override_settings(**{name: value for name, value in space.items() if name.isupper()}):
        assert not [message for message in run_checks() if message.is_serious(ERROR)]
