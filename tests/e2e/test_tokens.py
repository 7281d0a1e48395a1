"""A page that stays open for longer than its tokens are valid."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from django_fcs.simulator import RandomWalk, Simulator
from tests.e2e.site import Site
from tests.support.network import free_port
from tests.support.waiting import eventually
from tests.support.wire import browser_socket

SYMBOL = "FX:EURUSD"
LIFE_SECONDS = 8
PATIENCE_MS = 30_000

#: The browser reports a change of the network, after which the client opens a new connection.
LOSE_THE_CONNECTION = "dispatchEvent(new Event('offline')), dispatchEvent(new Event('online'))"


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_a_token_that_expires_while_the_page_is_open_keeps_its_price_over_a_reconnect(
    server: str, page: Page
) -> None:
    port = free_port()
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    life = {"FCS_TOKEN_MAX_AGE_SECONDS": f"{LIFE_SECONDS}", "FCS_ALLOWED_SYMBOLS": ""}
    async with Simulator(RandomWalk(rate=20)) as simulator:
        async with Site(simulator.url, **life).web(port, server):
            await page.goto(f"http://127.0.0.1:{port}/watch/{SYMBOL}/1D/")
            ticker = page.locator("fcs-ticker")
            await expect(ticker).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
            token = await ticker.get_attribute("token")
            refusal = await until_refused(port, token)
            await page.evaluate(LOSE_THE_CONNECTION)
            await expect(ticker).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)

    assert refusal == f"{SYMBOL} has a token that has expired: load the page again"
    assert len(sockets) > 1


async def until_refused(port: int, token: str | None) -> Any:
    """Join with a token until it has expired; return what the server then says."""
    async with browser_socket(port) as viewer:

        async def refusal() -> Any:
            number = len(viewer.messages)
            await viewer.send(type="join_symbol", symbol=SYMBOL, timeframe="1D", token=token)
            await viewer.until(lambda viewer: answers(viewer.messages[number:]))
            [answer] = answers(viewer.messages[number:])
            return answer["message"] if answer["type"] == "error" else None

        return await eventually(refusal, within=60)


def answers(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in messages if one["type"] in ("message", "error")]
