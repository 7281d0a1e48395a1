"""Browsers for the tests of the socket."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from django.test import override_settings

from django_fcs.asgi import application
from django_fcs.consumers import MERGE_PROTOCOL, FCSConsumer, Pace
from django_fcs.fanout.hub import Hub
from django_fcs.rooms import Room
from django_fcs.simulator import Simulator
from django_fcs.site import site_store

EURUSD = Room("FX:EURUSD", "1D")


class Browser:
    """One socket, as a page has it."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator
        self.subprotocol: str | None = None
        self._heard: deque[dict[str, Any]] = deque()

    async def connect(self) -> None:
        accepted, self.subprotocol = await self.communicator.connect(timeout=60)
        assert accepted

    async def say(self, kind: str, **fields: Any) -> None:
        await self.communicator.send_json_to({"type": kind, **fields})

    async def join(self, symbol: str = "FX:EURUSD", **fields: Any) -> None:
        await self.say("join_symbol", symbol=symbol, **fields)

    async def hear(self) -> dict[str, Any]:
        """Return the next message, whether it came alone or with others."""
        while not self._heard:
            frame = await self.communicator.receive_json_from(timeout=60)
            assert isinstance(frame, list) == (self.subprotocol == MERGE_PROTOCOL)
            self._heard += frame if isinstance(frame, list) else [frame]
        return self._heard.popleft()

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next message of a type that has these fields."""
        while True:
            message = await self.hear()
            if {**message, "type": kind, **fields} == message:
                return message

    async def price(self, mode: str) -> dict[str, Any]:
        while True:
            message = await self.until("price")
            if message["prices"]["mode"] == mode:
                return message

    async def settle(self) -> list[dict[str, Any]]:
        """Return every answer that comes before the one to a ping."""
        await self.say("ping", timestamp=1)
        answers = []
        while (message := await self.hear())["type"] != "pong":
            answers.append(message)
        return answers

    async def closed(self) -> tuple[list[dict[str, Any]], int]:
        """Return what was said before the close, and its code."""
        texts, code = await self.ended()
        return [json.loads(text) for text in texts], code

    async def ended(self) -> tuple[list[str], int]:
        """Return the frames that were sent before the close, as they were, and its code."""
        texts = []
        while (event := await self.communicator.receive_output(timeout=60))["type"] != (
            "websocket.close"
        ):
            texts.append(event["text"])
        return texts, event["code"]


@asynccontextmanager
async def socket(
    *,
    headers: Mapping[str, str] | None = None,
    subprotocols: tuple[str, ...] = (),
    query: str = "",
    address: str | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[Browser]:
    """A socket that is open, whatever comes of it."""
    communicator = WebsocketCommunicator(
        FCSConsumer.as_asgi(pace=pace) if pace else application,
        f"/ws/fcs/{query}",
        headers=[(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        subprotocols=list(subprotocols),
    )
    if address is not None:
        communicator.scope["client"] = (address, 40000)
    browser = Browser(communicator)
    await browser.connect()
    try:
        yield browser
    finally:
        await communicator.disconnect(timeout=60)


@asynccontextmanager
async def browsing(**how: Any) -> AsyncIterator[Browser]:
    """A browser that was welcomed."""
    async with socket(**how) as browser:
        await browser.until("welcome")
        yield browser


@asynccontextmanager
async def vendor_of_the_site(simulator: Simulator) -> AsyncIterator[Simulator]:
    with override_settings(FCS_URL=simulator.url):
        yield simulator


def hub_of_the_site() -> Hub:
    return Hub.of_this_loop(site_store())


def rooms_of_the_hub() -> set[Room]:
    return {watched.room for watched in hub_of_the_site()._watched}


def rates_of_the_hub() -> list[float]:
    """What each browser on the merge protocol was granted."""
    cohorts = hub_of_the_site()._cohorts
    return [round(1 / cohort.interval, 6) for cohort in cohorts._of.values()]
