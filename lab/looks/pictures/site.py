"""The site that the browser is given: views and files of the example, and a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from django.test import Client
from playwright.async_api import BrowserContext, Route, WebSocketRoute

from django_fcs.rooms import Room
from example_project.look import SWITCHES

from .cards import STATES, page
from .market import MOMENT, Market
from .shots import CARDS, Shot

__all__ = ["ORIGIN", "serve", "standing_still"]

ORIGIN = "http://127.0.0.1"
_STATIC = "/static/"


class _Moment(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Moment:
        return cls.fromtimestamp(MOMENT.timestamp(), tz)


@contextmanager
def standing_still(market: Market) -> Iterator[None]:
    """Let the server know these prices, and no other time than theirs."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch("django_fcs.quotes.quote_to_show", market.quote))
        stack.enter_context(mock.patch("django_fcs.widgets.chart.candles_to_show", market.candles))
        for module in ("django_fcs.widgets.context", "django.template.defaulttags"):
            stack.enter_context(mock.patch(f"{module}.datetime", _Moment))
        yield


async def serve(context: BrowserContext, shot: Shot) -> None:
    """Be the server of all pages in a browser's window."""
    looks = {switch.name: shot.looks.get(switch.name, switch.chosen()) for switch in SWITCHES}
    market = Market(STATES if shot.page == CARDS else None)
    turn = asyncio.Lock()

    async def answer(route: Route) -> None:
        _, _, path, query, _ = urlsplit(route.request.url)
        if path.startswith(_STATIC):
            await route.fulfill(path=Path(str(finders.find(path.removeprefix(_STATIC)))))
            return
        async with turn:
            with standing_still(market):
                if path == CARDS:
                    await route.fulfill(body=page(looks), content_type="text/html; charset=utf-8")
                    return
                client = Client(SERVER_NAME="127.0.0.1")
                client.cookies.load(looks)
                # Images have a view that is a coroutine: the client needs a thread without a loop.
                response = await asyncio.to_thread(client.get, path, QUERY_STRING=query)
        await route.fulfill(
            status=response.status_code, headers=dict(response.headers), body=response.content
        )

    def connect(socket: WebSocketRoute) -> None:
        def hear(text: str | bytes) -> None:
            said = json.loads(text)
            if said["type"] == "join_symbol":
                socket.send(json.dumps(market.messages(said["symbol"], said["timeframe"])))
            if said["type"] == "candles":
                room = Room.parse(said["symbol"], said["timeframe"])
                found = market.candles(room, said["limit"]).as_dict()
                socket.send(json.dumps([{"type": "candles", **found}]))

        socket.on_message(hear)
        now = int(1000 * MOMENT.timestamp())
        socket.send(json.dumps([{"type": "welcome", "timestamp": now}]))

    await context.route("**/*", answer)
    await context.route_web_socket("**/*", connect)
