"""Permissions on whole sites: they end, and nobody waits for somebody else's answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.members import Members, Serving, members
from tests.e2e.site import answering
from tests.support.wire import Viewer, browser_socket

WATCH_LIST = [f"BINANCE:C{number}USDT" for number in range(450)]

KINDS = {
    "async": {
        "FCS_AUTHORIZE": "members.other.may_see",
        "FCS_REAUTHORIZE_SECONDS": "2",
        "FCS_MAX_ROOMS_PER_CLIENT": "500",
    },
    "sync": {"FCS_AUTHORIZE": "members.other.may_see_later"},
}

#: Tests of one site follow one another, so that it starts once.
on_async_sites = pytest.mark.parametrize("site", ["async uvicorn", "async daphne"], indirect=True)
on_sync_sites = pytest.mark.parametrize("site", ["sync uvicorn", "sync daphne"], indirect=True)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def serving(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    """A database, and what serves a site with it."""
    place = tmp_path_factory.mktemp("members")
    async with Simulator(RandomWalk(rate=10)) as simulator, members(place, simulator) as serving:
        yield serving


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def site(serving: Serving, request: pytest.FixtureRequest) -> AsyncIterator[Members]:
    """A kind of site on a server."""
    kind, server = request.param.split()
    async with serving(server, **KINDS[kind]) as site:
        await answering(site.port)
        yield site


def refused(viewer: Viewer, symbol: str) -> bool:
    return any(
        message.get("short") == "room_not_allowed" and message["message"].startswith(symbol)
        for message in viewer.messages
    )


@on_async_sites
@pytest.mark.parametrize("end", ["sign-out-silently", "expire"])
async def test_prices_stop_after_a_logout_or_the_end_of_a_membership(
    site: Members, end: str
) -> None:
    visitor = site.visitor()
    await visitor.visit(f"sign-in/{end}")
    rooms = [("NASDAQ:AAPL", "1D"), ("FX:EURUSD", "1D")]
    async with browser_socket(site.port, *rooms, additional_headers=visitor.headers) as viewer:
        await viewer.until(lambda viewer: len(viewer.prices) == 2)
        await visitor.visit(end)

        await viewer.until(lambda viewer: refused(viewer, "NASDAQ:AAPL"))
        viewer.prices.clear()
        viewer.messages.clear()
        await viewer.until(lambda viewer: len(viewer.messages) > 20)
        assert viewer.prices.keys() == {"FX:EURUSD"}


@on_async_sites
async def test_candles_over_http_are_for_the_same_visitors(site: Members) -> None:
    ada, stranger = site.visitor(), site.visitor()
    await ada.visit("sign-in/ada")
    members_only, free = (f"fcs/candles/?symbol={one}" for one in ("NASDAQ:AAPL", "FX:EURUSD"))

    assert [await ada.status(one) for one in (members_only, free)] == [200, 200]
    assert [await stranger.status(one) for one in (members_only, free)] == [403, 200]
    await ada.visit("expire")
    assert await ada.status(members_only) == 403


@on_async_sites
async def test_a_function_that_returns_a_text_lets_nobody_in(site: Members) -> None:
    async with browser_socket(site.port, ("FX:USDJPY", "1D")) as viewer:
        await viewer.until(lambda viewer: refused(viewer, "FX:USDJPY"))
        assert not viewer.prices


@on_async_sites
async def test_a_long_watch_list_with_slow_answers_is_complete_while_prices_flow(
    site: Members,
) -> None:
    began = time.monotonic()
    rooms = [(symbol, "1D") for symbol in WATCH_LIST]
    async with browser_socket(site.port, *rooms, merge=True) as viewer:
        await viewer.until(lambda viewer: viewer.prices)
        assert len(joined(viewer)) < len(WATCH_LIST)

        await viewer.until(lambda viewer: len(joined(viewer)) == len(WATCH_LIST), within=60)
        assert time.monotonic() - began < 15


def joined(viewer: Viewer) -> set[str]:
    confirmed = [one for one in viewer.messages if one.get("short") == "joined_room"]
    return {str(one["room"]) for one in confirmed}


@on_sync_sites
async def test_a_request_ends_the_prices_of_a_session_long_before_the_next_review(
    site: Members,
) -> None:
    one, two = site.visitor(), site.visitor()
    for visitor in (one, two):
        await visitor.visit("sign-in/ada")
    room = ("NASDAQ:AAPL", "1D")
    async with (
        browser_socket(site.port, room, additional_headers=one.headers) as gone,
        browser_socket(site.port, room, additional_headers=two.headers) as staying,
    ):
        for viewer in (gone, staying):
            await viewer.until(lambda viewer: viewer.prices)
        await one.visit("sign-out")

        await gone.until(lambda viewer: refused(viewer, "NASDAQ:AAPL"))
        staying.prices.clear()
        await staying.until(lambda viewer: viewer.prices)
        assert not refused(staying, "NASDAQ:AAPL")


@on_sync_sites
async def test_a_slow_function_holds_up_no_other_visitors_handshake_or_join(site: Members) -> None:
    visitor = site.visitor()
    await visitor.visit("sign-in/eve")
    slow, quick = ("FX:GBPUSD", "1D"), ("NASDAQ:AAPL", "1D")
    async with browser_socket(site.port, slow) as waiting:
        await waiting.until(lambda viewer: viewer.messages)
        began = time.monotonic()
        async with browser_socket(site.port, quick, additional_headers=visitor.headers) as viewer:
            await viewer.until(lambda viewer: viewer.prices)

        assert time.monotonic() - began < 8
        assert not refused(waiting, "FX:GBPUSD") and not joined(waiting)
