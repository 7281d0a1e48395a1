"""A page with widgets, as far as time and truth are concerned: what it shows, and when.

It follows fcs-client.js and fcs-elements.js: when a silent socket counts as dead, when
it comes back, and what it says of its rooms meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from django_fcs.rooms import Room
from django_fcs.tools.backoff import doubling
from django_fcs.tools.tasks import end
from tests.support.network import HOST

__all__ = ["DEAD_SECONDS", "Page", "Priced", "Shown", "Widget", "pauses"]

SPREAD_SECONDS = 5.0
RETRY_SECONDS, RETRY_SECONDS_MAX = 6.0, 30.0
DEAD_SECONDS = 5.0

LOST = "the connection is lost"
SILENT = "the server has not spoken of this room"


class Shown(NamedTuple):
    """What a page says of a room from a moment on."""

    at: float
    state: str
    reason: str


class Priced(NamedTuple):
    """A price that a page was sent."""

    at: float
    number: int
    seq: int


@dataclass
class Widget:
    """One room on a page."""

    states: list[Shown] = field(default_factory=list)
    prices: list[Priced] = field(default_factory=list)
    backward: list[tuple[Priced, Priced]] = field(default_factory=list)
    """Prices behind one that is shown already, each with that one."""
    left_out: float = math.inf
    """The number of the last price that was left out after a return; infinite if none was."""
    offline_after: float = 10

    @property
    def state(self) -> str:
        return self.states[-1].state if self.states else "waiting"

    @property
    def number(self) -> int:
        return self.prices[-1].number if self.prices else 0

    def turn(self, state: str, reason: str = "") -> None:
        if not self.states or self.states[-1][1:] != (state, reason):
            self.states.append(Shown(time.monotonic(), state, reason))

    def take(self, priced: Priced, *, is_first: bool) -> None:
        last = self.prices[-1] if self.prices else None
        if last is not None and self._is_behind(priced, last):
            # After a return the site sends what it has, which may be older than what is shown, and
            # then what the stream repeats. fcs-elements.js leaves both out.
            is_other = priced.seq == last.seq and priced.number != last.number
            if is_other or not (is_first or priced.seq > self.left_out):
                self.backward.append((priced, last))
            else:
                self.left_out = priced.seq
            return
        self.left_out = math.inf
        if last is not None and priced.number < last.number:
            self.backward.append((priced, last))
        self.prices.append(priced)

    def _is_behind(self, priced: Priced, last: Priced) -> bool:
        is_fresh = priced.at - last.at < self.offline_after
        return priced.seq == last.seq or (priced.seq < last.seq and is_fresh)


class Page:
    """A browser that speaks the merge protocol, for as long as it is entered.

    Args:
        ports: Where the site is; another one is tried where one does not answer.
        rooms: What it shows.
        key: What a careless page puts into the address.
        offline_after: ``FCS_OFFLINE_AFTER_SECONDS`` of the site.
    """

    def __init__(
        self,
        ports: Sequence[int],
        rooms: Iterable[Room],
        *,
        key: str = "",
        offline_after: float = 10,
    ) -> None:
        self.widgets = {room: Widget(offline_after=offline_after) for room in rooms}
        self.closes: list[tuple[float, int]] = []
        """When sockets ended, and the codes."""
        self.errors: list[str] = []
        """``short`` of the server's refusals."""
        self._ports = list(ports)
        self._key = key
        self._offline_after = offline_after
        self._fresh: set[Room] = set()
        self._silent: set[Room] = set()
        self._doubt: asyncio.TimerHandle | None = None
        self._is_welcomed = False
        self._socket: ClientConnection | None = None
        self._task: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Page:
        self._task = asyncio.ensure_future(self._run())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._task is not None
        if self._task.done():
            self._task.result()
        await end(self._task)

    def is_showing(self, state: str) -> bool:
        """Tell whether all widgets are in a state."""
        return all(widget.state == state for widget in self.widgets.values())

    def drop(self) -> None:
        """Lose the socket without goodbye, as a browser does whose network has changed."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _run(self) -> None:
        returns = pauses()
        while True:
            was_welcomed, code = await self._visit()
            self.closes.append((time.monotonic(), code))
            self._tell_all("offline", LOST)
            if was_welcomed:
                returns = pauses()
            # Another process of the site may be there.
            self._ports.append(self._ports.pop(0))
            await asyncio.sleep(random.uniform(0, next(returns)))

    async def _visit(self) -> tuple[bool, int]:
        """Open the socket and stay as long as it lives; was it welcomed, and how did it end?"""
        self._fresh = set(self.widgets)
        self._is_welcomed = False
        try:
            async with connect(
                f"ws://{HOST}:{self._ports[0]}/ws/fcs/?access_key={self._key}",
                subprotocols=[Subprotocol("fcs.merge.v1")],
                compression=None,
                ping_interval=None,
                open_timeout=self._offline_after + DEAD_SECONDS,
                close_timeout=0.1,
            ) as socket:
                self._socket = socket
                await self._read(socket)
        except (OSError, WebSocketException, asyncio.TimeoutError):
            return False, 1006
        finally:
            self._socket = None
            if self._doubt is not None:
                self._doubt.cancel()
        return self._is_welcomed, socket.close_code or 1006

    async def _read(self, socket: ClientConnection) -> None:
        """Take in what comes; who says nothing is asked, and who does not answer is dead."""
        quiet = min(10, self._offline_after)
        with suppress(ConnectionClosed, asyncio.TimeoutError):
            while True:
                try:
                    text = await asyncio.wait_for(socket.recv(decode=True), quiet)
                except asyncio.TimeoutError:
                    await socket.send('{"type":"ping"}')
                    dead = self._offline_after + DEAD_SECONDS - quiet
                    text = await asyncio.wait_for(socket.recv(decode=True), dead)
                await self._take(socket, text)

    async def _take(self, socket: ClientConnection, text: str) -> None:
        assert not self._key or self._key not in text
        for message in json.loads(text):
            kind = message["type"]
            if kind == "price" and message["prices"]["mode"] != "profile":
                self._take_price(message)
            elif kind == "state":
                room = Room(message["symbol"], message["timeframe"])
                self.widgets[room].turn(message["state"], message.get("reason", ""))
                self._silent.discard(room)
            elif kind == "ping":
                await socket.send('{"type":"pong"}')
            elif kind == "error":
                self.errors.append(message["short"])
            elif kind == "welcome":
                await self._join_all(socket)

    async def _join_all(self, socket: ClientConnection) -> None:
        self._is_welcomed = True
        self._silent = set(self.widgets)
        loop = asyncio.get_running_loop()
        self._doubt = loop.call_later(self._offline_after, self._doubt_all)
        for room in self.widgets:
            wish = {"type": "join_symbol", "symbol": room.symbol, "timeframe": room.timeframe}
            await socket.send(json.dumps(wish))

    def _take_price(self, message: dict[str, Any]) -> None:
        room = Room(message["symbol"], message["timeframe"])
        number = int(message["prices"]["c"])
        priced = Priced(time.monotonic(), number, message["seq"])
        self.widgets[room].take(priced, is_first=room in self._fresh)
        self._fresh.discard(room)

    def _doubt_all(self) -> None:
        for room in self._silent:
            self.widgets[room].turn("offline", SILENT)

    def _tell_all(self, state: str, reason: str) -> None:
        for widget in self.widgets.values():
            widget.turn(state, reason)


def pauses() -> Iterator[float]:
    """Yield the ceilings of the pauses before each return since the last welcome.

    Each pause is a random time up to its ceiling.
    """
    yield SPREAD_SECONDS
    yield from doubling(first=RETRY_SECONDS, cap=RETRY_SECONDS_MAX)
