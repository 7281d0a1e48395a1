"""The site that the browser is given: the page with all charts, its files, and its socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from playwright.async_api import BrowserContext, Route, WebSocketRoute

from lab.looks.cases import CHARTS

from .sheet import POLICY, STYLE, page
from .states import MOMENT, SHEET, Shown, replies_of

__all__ = ["serve"]

_STATIC = "/static/"

#: The socket answers after the page is painted, so that whatever moves then is seen to move.
_ANSWER_SECONDS = 0.3


async def serve(
    context: BrowserContext,
    looks: Mapping[str, str],
    states: Sequence[Shown] = SHEET,
    *,
    has_scripts: bool = True,
) -> None:
    """Be the server of the charts in a browser's window."""
    known = {one.symbol: one for one in states}
    html = page(looks, states, has_scripts=has_scripts)
    headers = {"Content-Security-Policy": POLICY}

    async def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == CHARTS:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8", headers=headers)
        elif path == "/charts.css":
            await route.fulfill(body=STYLE, content_type="text/css")
        elif path.startswith(_STATIC):
            await route.fulfill(path=Path(str(finders.find(path.removeprefix(_STATIC)))))
        else:
            await route.fulfill(status=204)

    def connect(socket: WebSocketRoute) -> None:
        def hear(text: str | bytes) -> None:
            said = json.loads(text)
            if said.get("symbol") in known:
                told = json.dumps(replies_of(known[said["symbol"]], said))
                asyncio.get_running_loop().call_later(_ANSWER_SECONDS, socket.send, told)

        socket.on_message(hear)
        now = int(1000 * MOMENT.timestamp())
        socket.send(json.dumps([{"type": "welcome", "timestamp": now}]))

    await context.route("**/*", answer)
    await context.route_web_socket("**/*", connect)
