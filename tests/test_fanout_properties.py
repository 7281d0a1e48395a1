"""Whatever the feed, the sockets and the clock do, every browser ends with the last price.

A hub with all that belongs to it runs on a channel layer in memory, on a loop whose
time passes at once. Beside it stand a stream that answers demand, and browsers that
stall, answer pings late or never, join, leave and wish for other rates.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from unittest import mock

from channels.layers import channel_layers
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from django_fcs import hub as hub_module
from django_fcs import subscriber as subscriber_module
from django_fcs.bus import DEMAND, Beat, Bus, Call
from django_fcs.hub import Hub
from django_fcs.messages import Price
from django_fcs.rooms import Room
from django_fcs.store import MemoryStore
from django_fcs.subscriber import Subscriber
from django_fcs.tasks import running
from django_fcs.updates import Update
from tests import virtual_time

ROOMS = [Room("FX:EURUSD", "1"), Room("FX:EURUSD", "60"), Room("OKX:LTCUSDT", "1D")]
KEYS = [(ROOMS[0], "1"), (ROOMS[1], "60"), (ROOMS[1], "1h"), (ROOMS[2], "1D")]
RATES = [10.0, 10.0, 100.0, 0.5]

Key = tuple[Room, str]


# -- the stream


class Stream:
    """What is published, with the last of each room, which it repeats for whoever asks."""

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
                assert isinstance(call, Call)
                await self._bus.publish(self.last[room] for room in call.new if room in self.last)

    async def tick(self, room: Room, mode: str) -> None:
        seq = max(self.last[room].seq + 1 if room in self.last else 1, self.epoch * 1000)
        price = Price(
            **{"symbol": room.symbol, "timeframe": room.timeframe, "mode": mode},
            **{"t": self._candles[room], "o": 1.0, "h": 1.0, "l": 1.0, "c": float(seq)},
            **{"seq": seq, "at": self._clock()},
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
        await self._bus.beat(Beat(self.epoch, self._clock(), online=True, reason=""))

    async def begin_anew(self) -> None:
        self.epoch += 1
        await self.beat()


class WatchedHub(Hub):
    """Remembers what it took for news."""

    taken: list[Update]

    def _take_update(self, update: Update) -> None:
        super()._take_update(update)
        feed = self._feeds.get(update.room)
        if feed is not None and feed.update is update:
            self.taken.append(update)


# -- browsers


@dataclass
class Stay:
    """From one join of a room to the next, or to the leave."""

    key: Key
    begun: int
    """How much the hub had taken by then."""
    first: Update | None
    """What was known by then."""
    ended: int | None = None
    is_confirmed: bool = False
    heard: list[tuple[int, int, str]] = field(default_factory=list)
    """Of each price its seq, how much the hub had taken by then, and its mode."""


class Browser:
    """One socket that may stall, with all that was handed to the server for it."""

    one: Subscriber

    def __init__(self, hub: WatchedHub, *, merge: bool, rate: float) -> None:
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
                stay.heard.append((text["seq"], len(self._hub.taken), text["prices"]["mode"]))

    def answer(self) -> None:
        """Answer what has been asked, if it reads at all."""
        if self._questions and self.reads.is_set():
            self._questions -= 1
            self.one.answered()

    def join(self, key: Key) -> None:
        room, spelling = key
        feed = self._hub._feeds.get(room)
        self._end(key)
        self.at[key] = Stay(key, len(self._hub.taken), feed.update if feed else None)
        self.stays.append(self.at[key])
        self.one.confirm(room, spelling)
        self._hub.join(self.one, room, spelling)

    def leave(self, key: Key) -> None:
        self._hub.leave(self.one, *key)
        self._end(key)

    def _end(self, key: Key) -> None:
        if key in self.at:
            self.at.pop(key).ended = len(self._hub.taken)

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


# -- the world


class World:
    def __init__(self, hub: WatchedHub, stream: Stream, browsers: list[Browser]) -> None:
        self.hub = hub
        self.stream = stream
        self.browsers = browsers

    async def do(self, what: str, number: int, key: Key, much: int) -> None:
        browser = self.browsers[number % len(self.browsers)]
        mode = "askbid" if much % 3 == 0 else "candle"
        if what == "tick":
            for _ in range(1 + much % 4):
                await self.stream.tick(key[0], mode)
        elif what == "boundary":
            await self.stream.cross_a_boundary(key[0], mode)
        elif what == "repeat":
            await self.stream.repeat(much)
        elif what == "beat":
            await self.stream.beat()
        elif what == "new epoch":
            await self.stream.begin_anew()
        elif what == "join":
            browser.join(key)
        elif what == "all join":
            for one in self.browsers:
                one.join(key)
        elif what == "leave":
            browser.leave(key)
        elif what == "stall":
            browser.reads.clear()
        elif what == "read":
            browser.reads.set()
        elif what == "pong":
            browser.answer()
        elif what == "rate":
            browser.wish(RATES[much % len(RATES)])
        elif what == "reply":
            browser.one.reply('{"type":"pong"}')

    async def pass_by(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.assert_bounds()

    def assert_bounds(self) -> None:
        for browser in self.browsers:
            if browser.one._mail:
                assert len(browser.one._mail._prices) <= 2 * len(browser.one.joined)
        for cohort in self.hub._cohorts._all:
            assert len(cohort.mail._prices) <= 2 * len(cohort.keys)

    async def rest(self) -> None:
        """The feed rests and everybody reads."""
        for browser in self.browsers:
            browser.is_prompt = True
            browser.reads.set()
            browser.answer()
        await self.pass_by(15)

    def assert_all_is_well(self) -> None:
        for browser in self.browsers:
            assert not browser.odd
            for stay in browser.stays:
                self.assert_order(stay)
                self.assert_finished_candles(stay)
            for (room, _), stay in browser.at.items():
                last = self.stream.last.get(room)
                assert [seq for seq, _, _ in stay.heard[-1:]] == ([last.seq] if last else [])
            if browser.merge:
                assert_rate(browser.frames, browser.rates)

    def assert_order(self, stay: Stay) -> None:
        seqs = [seq for seq, _, _ in stay.heard]
        modes = [mode for _, _, mode in stay.heard]
        assert seqs == sorted(set(seqs))
        assert modes[:1] in ([], ["initial"])
        assert "initial" not in modes[1:]

    def assert_finished_candles(self, stay: Stay) -> None:
        """A last state may be missed by who let more than one boundary pass meanwhile."""
        heard = {seq: place for seq, place, _ in stay.heard}
        due = [(stay.begun, stay.first)] if stay.first else []
        due += [
            (place, update)
            for place, update in enumerate(self.hub.taken[: stay.ended], start=1)
            if place > stay.begun and update.room == stay.key[0]
        ]
        for (_, last), (_, following) in pairwise(due):
            later = [seq for seq in heard if seq > last.seq]
            if last.t == following.t or last.seq in heard or not later:
                continue
            before = max((seq for seq in heard if seq < last.seq), default=0)
            waited = [it for place, it in due if it.seq > before and place <= heard[min(later)]]
            assert sum(one.t != other.t for one, other in pairwise(waited)) > 1


def assert_rate(times: Sequence[float], rates: Sequence[tuple[float, float]]) -> None:
    """In any stretch there is one frame more than the highest rate in it allows, at most."""
    for first, begun in enumerate(times):
        for last, ended in enumerate(times[first:], start=first):
            then = [rate for since, rate in rates if since <= begun][-1]
            highest = max([then, *(rate for since, rate in rates if begun <= since <= ended)])
            # A frame may be late by a tenth of an interval, and the next is not late for it.
            assert last - first <= highest * (ended - begun) + 0.1 + 1e-6


@asynccontextmanager
async def world(kinds: Sequence[tuple[bool, float, bool]]) -> AsyncIterator[World]:
    channel_layers.backends.clear()
    time = asyncio.get_running_loop().time
    hub = WatchedHub(MemoryStore(), clock=time, monotonic=time)
    hub.taken = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(hub.aclose)
        stream = Stream(await stack.enter_async_context(Bus(DEMAND, monotonic=time)), time)
        await stack.enter_async_context(running(stream.listen()))
        browsers = []
        for merge, rate, must_answer in kinds:
            browsers.append(browser := Browser(hub, merge=merge, rate=rate))
            with mock.patch.object(
                hub_module, "server_takes_everything", lambda it=must_answer: it
            ):
                browser.one = await stack.enter_async_context(
                    hub.entered(browser.send, merge=merge, rate=rate)
                )
        yield World(hub, stream, browsers)


Step = tuple[str, int, Key, int, float]

ACTIONS = [
    *(["tick"] * 6 + ["boundary"] * 3 + ["repeat", "repeat", "beat", "new epoch"]),
    *(["join"] * 2 + ["all join"] + ["leave"] + ["stall"] * 3 + ["read"] * 3),
    *("pong", "rate", "reply"),
]
PAUSES = [0.0, 0.0, 0.0, 0.004, 0.03, 0.05, 0.11, 0.4, 1.1, 31.0]

kinds = st.lists(
    st.tuples(st.sampled_from([True, True, False]), st.sampled_from(RATES), st.booleans()),
    min_size=1,
    max_size=6,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.integers(0, 5),
        st.sampled_from(KEYS),
        st.integers(0, 11),
        st.sampled_from(PAUSES),
    ),
    max_size=80,
)


async def live(of_kinds: Sequence[tuple[bool, float, bool]], story: Sequence[Step]) -> None:
    async with world(of_kinds) as it:
        for key in KEYS[:2]:
            await it.do("all join", 0, key, 0)
        await it.pass_by(1.1)
        for what, number, key, much, pause in story:
            await it.do(what, number, key, much)
            await it.pass_by(pause)
        await it.rest()
        it.assert_all_is_well()


@given(kinds, steps)
@settings(deadline=None, max_examples=150)
@override_settings(FCS_SLOW_CLIENT_SECONDS=1e9)
def test_once_the_feed_rests_every_browser_has_the_last_price_of_every_room(
    of_kinds: Sequence[tuple[bool, float, bool]], story: Sequence[Step]
) -> None:
    """And on the way nothing went back, no candle's end was lost, and no mailbox grew."""
    with (
        mock.patch.object(subscriber_module, "PING_SIZE", 1000),
        mock.patch.object(subscriber_module, "WINDOW_SIZE", 3000),
    ):
        virtual_time.run(live(of_kinds, story))
