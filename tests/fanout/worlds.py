"""A hub among a stream and browsers, and what each of them was sent since which join."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from unittest import mock

from channels.layers import channel_layers

from django_fcs.fanout import hub as hub_module, subscriber as subscriber_module
from django_fcs.fanout.flow import Flow
from django_fcs.fanout.hub import Hub
from django_fcs.fanout.subscriber import Subscriber
from django_fcs.fanout.watched import WatchedRoom
from django_fcs.layer.bus import DEMAND, Announcement, Beat, Bus, GroupEvent
from django_fcs.prices.paths import PathReport
from django_fcs.prices.store import MemoryStore
from django_fcs.prices.updates import Update
from django_fcs.protocol import Price
from django_fcs.rooms import Room
from django_fcs.tools.tasks import running

ROOMS = [Room("FX:EURUSD", "1"), Room("FX:EURUSD", "60"), Room("OKX:LTCUSDT", "1D")]
KEYS = [(ROOMS[0], "1"), (ROOMS[1], "60"), (ROOMS[1], "1h"), (ROOMS[2], "1D")]

Key = tuple[Room, str]
Kind = tuple[bool, float, bool, bool]
"""Whether it speaks the merge protocol, at which rate, whether it is held to pings, and
whether nothing stands between the server and the hub."""

Message = dict[str, Any]


# -- the stream


class Stream:
    """What is published, with the last of each room, which it repeats for anyone who asks."""

    def __init__(self, bus: Bus, clock: Any) -> None:
        self._bus = bus
        self._clock = clock
        self.epoch = 1
        self.said: list[Update] = []
        self.last: dict[Room, Update] = {}
        self._candles = dict.fromkeys(ROOMS, 0)

    async def listen(self) -> None:
        async for burst in self._bus.bursts():
            for call in burst:
                assert isinstance(call, Announcement)
                await self._bus.publish(self.last[room] for room in call.new if room in self.last)

    async def tick(self, room: Room, mode: str) -> None:
        seq = max(self.last[room].seq + 1 if room in self.last else 1, self.epoch * 1000)
        price = Price(
            symbol=room.symbol,
            timeframe=room.timeframe,
            mode=mode,
            t=self._candles[room],
            o=1.0,
            h=1.0,
            l=1.0,
            c=float(seq),
            seq=seq,
            at=self._clock(),
        )
        self.last[room] = Update.encode(room, price, epoch=self.epoch)
        self.said.append(self.last[room])
        await self._bus.publish([self.last[room]])

    async def cross_a_boundary(self, room: Room, mode: str) -> None:
        self._candles[room] += 60
        await self.tick(room, mode)

    async def repeat(self, back: int) -> None:
        """Say an old one again, as a layer that reorders or delivers twice does."""
        await self._bus.publish(self.said[-1 - back :][:1])

    async def beat(self) -> None:
        await self._bus.beat(Beat(self.epoch, PathReport(self._clock(), online=True, reason="")))

    async def begin_anew(self) -> None:
        self.epoch += 1
        await self.beat()


class WatchedBus(Bus):
    """Notes what comes in that a hub should hand on."""

    hub: ClassVar[Hub]
    came: ClassVar[list[Update]]
    _highest: ClassVar[dict[int, tuple[WatchedRoom, int]]]

    @classmethod
    def watch(cls, hub: Hub) -> None:
        cls.hub, cls.came, cls._highest = hub, [], {}

    async def bursts(self) -> AsyncGenerator[list[GroupEvent], None]:
        async for burst in self._collected():
            for event in burst:
                if isinstance(event, Update):
                    self._note(event)
            yield burst

    async def _collected(self) -> AsyncGenerator[list[GroupEvent], None]:
        """Let more come meanwhile, as over a network."""
        receive = self._member.receive

        async def receive_late() -> Sequence[Message | bytes]:
            await asyncio.sleep(0.002)
            return await receive()

        with mock.patch.object(self._member, "receive", receive_late):
            async for burst in super().bursts():
                yield burst

    def _note(self, update: Update) -> None:
        feed = self.hub._watched.get(update.room)
        if feed is None:
            return
        _, highest = self._highest.get(id(feed), (feed, -1))
        if update.seq > max(highest, feed.update.seq if feed.update else -1):
            self._highest[id(feed)] = feed, update.seq
            self.came.append(update)


# -- browsers


@dataclass
class Stay:
    """From one join of a room to the next, or to the leave."""

    key: Key
    begun: int
    """How much had come in by then."""
    first: Update | None
    """What was known by then."""
    ended: int | None = None
    is_confirmed: bool = False
    heard: list[tuple[int, int, str]] = field(default_factory=list)
    """Of each price its seq, how much had come in by then, and its mode."""


class Browser:
    """One socket that may stall, with all that was handed to the server for it."""

    one: Subscriber

    def __init__(self, hub: Hub, *, merge: bool, rate: float) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self.merge = merge
        self.rates = [(self._loop.time(), rate)]
        self.frames: list[float] = []
        self.odd: list[dict[str, Any]] = []
        """What was said of a room that it had not joined, or not been told it has."""
        self.stays: list[Stay] = []
        self.at: dict[Key, Stay] = {}
        self.reads = asyncio.Event()
        self.reads.set()
        self.is_prompt = False
        self._questions = 0

    async def send(self, message: dict[str, Any]) -> None:
        assert self.reads.is_set() or self.one._sending is None
        texts = json.loads(message["text"])
        assert isinstance(texts, list) == self.merge
        its = texts if self.merge else [texts]
        for text in its:
            self._take(text)
        if self.merge and any(text["type"] in ("price", "state", "beat") for text in its):
            self.frames.append(self._loop.time())
        await self.reads.wait()

    def _take(self, text: dict[str, Any]) -> None:
        if text["type"] == "ping":
            self._questions += 1
            if self.is_prompt:
                self._loop.call_soon(self.answer)
        elif text["type"] in ("message", "price", "state"):
            stay = self.at.get(key_of(text))
            if stay is None or stay.is_confirmed == (text["type"] == "message"):
                # Not raised here: the subscriber would take it for the server's.
                self.odd.append(text)
            elif text["type"] == "message":
                stay.is_confirmed = True
            elif text["type"] == "price":
                stay.heard.append((text["seq"], len(WatchedBus.came), text["prices"]["mode"]))

    def answer(self) -> None:
        """Answer what has been asked, if it reads at all."""
        if self._questions and self.reads.is_set():
            self._questions -= 1
            self.one.answered()

    def join(self, key: Key) -> None:
        room, spelling = key
        feed = self._hub._watched.get(room)
        self._end(key)
        self.at[key] = Stay(key, len(WatchedBus.came), feed.update if feed else None)
        self.stays.append(self.at[key])
        self.one.confirm(room, spelling)
        self._hub.join(self.one, room, spelling)

    def leave(self, key: Key) -> None:
        self._hub.leave(self.one, *key)
        self._end(key)

    def _end(self, key: Key) -> None:
        if key in self.at:
            self.at.pop(key).ended = len(WatchedBus.came)

    def wish(self, rate: float) -> None:
        if self.merge:
            self.rates.append((self._loop.time(), rate))
            self._hub.set_rate(self.one, rate)


def key_of(text: dict[str, Any]) -> Key:
    """Of two spellings in the rooms of this test each belongs to one room alone."""
    return next(
        (room, spelling)
        for room, spelling in KEYS
        if (room.symbol, spelling) == (text["symbol"], text["timeframe"])
    )


@asynccontextmanager
async def world(
    kinds: Sequence[Kind], flow: Flow
) -> AsyncIterator[tuple[Hub, Stream, list[Browser]]]:
    """A hub, which may never keep up with its feed, the stream and browsers of these kinds."""
    channel_layers.backends.clear()
    time = asyncio.get_running_loop().time
    hub = Hub(MemoryStore(), flow=flow, clock=time, monotonic=time)
    WatchedBus.watch(hub)
    async with AsyncExitStack() as stack:
        stack.enter_context(mock.patch.object(hub_module, "Bus", WatchedBus))
        stack.push_async_callback(hub.aclose)
        stream = Stream(await stack.enter_async_context(Bus(DEMAND, monotonic=time)), time)
        await stack.enter_async_context(running(stream.listen()))
        browsers = []
        for merge, rate, must_answer, is_direct in kinds:
            browsers.append(browser := Browser(hub, merge=merge, rate=rate))
            with (
                mock.patch.object(hub_module, "server_takes_everything", lambda it=must_answer: it),
                mock.patch.object(
                    subscriber_module, "is_of_a_server", lambda send, it=is_direct: it
                ),
            ):
                browser.one = await stack.enter_async_context(
                    hub.entered(browser.send, merge=merge, rate=rate)
                )
        yield hub, stream, browsers
