"""One browser: what it is sent, in which order, how often, and how much may wait for it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from django_fcs import subscriber as module
from django_fcs.messages import Price
from django_fcs.rooms import Room
from django_fcs.subscriber import REPLIES_MAX, Subscriber
from django_fcs.updates import Update
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_loop")

EURUSD = Room("FX:EURUSD", "1D")
USDJPY = Room("FX:USDJPY", "1D")


class Socket:
    """The server's side of a browser that reads, or for a while does not."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.now = 0.0
        self._reads = asyncio.Event()
        self._reads.set()

    async def send(self, message: dict[str, Any]) -> None:
        await self._reads.wait()
        self.sent.append(message)

    def stall(self) -> None:
        self._reads.clear()

    def read(self) -> None:
        self._reads.set()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if "text" in message]


@asynccontextmanager
async def browser(
    *, merge: bool = False, rate: float = 10
) -> AsyncIterator[tuple[Socket, Subscriber]]:
    """A browser on a clock that stands still unless the test moves it."""
    socket = Socket()
    one = Subscriber(
        socket.send, merge=merge, rate=rate, monotonic=lambda: socket.now, clock=lambda: 1000.5
    )
    async with one:
        yield socket, one


def update(seq: int, room: Room = EURUSD, *, t: int = 60) -> Update:
    price = Price(
        **{"symbol": room.symbol, "timeframe": room.timeframe, "mode": "candle", "t": t},
        **{"o": 1.5, "h": 1.5, "l": 1.5, "c": 1.5, "seq": seq, "at": 1000.5},
    )
    return Update.encode(room, price, epoch=1)


def seqs(text: str) -> list[int]:
    return [message["seq"] for message in json.loads(text) if "seq" in message]


# -- FCS v4: one message a frame, at once


async def test_each_message_is_a_frame_in_the_order_in_which_a_page_needs_them() -> None:
    async with browser() as (socket, one):
        one.tell("beat", "state")
        one.offer(EURUSD, update(1))
        one.describe(EURUSD, "profile")
        await one.reply("confirmation")
        await eventually(lambda: len(socket.texts) == 4)

    assert socket.texts == ["confirmation", "profile", update(1).text, "state"]


async def test_prices_wait_for_no_turn() -> None:
    async with browser() as (socket, one):
        for seq in range(1, 4):
            one.offer(EURUSD, update(seq))
            await eventually(lambda seq=seq: len(socket.texts) == seq)

    assert socket.texts == [update(seq).text for seq in (1, 2, 3)]


async def test_what_waits_of_a_left_room_is_dropped() -> None:
    async with browser() as (socket, one):
        socket.stall()
        await one.reply("first")
        for room in (EURUSD, USDJPY):
            one.describe(room, f"profile of {room}")
            one.offer(room, update(1, room))
            one.tell(room, f"state of {room}")
        one.forget(EURUSD)
        socket.read()
        await eventually(lambda: len(socket.texts) == 4)

    assert not any("EURUSD" in text for text in socket.texts)


# -- the merge protocol: many messages a frame, so many frames a second


async def test_a_frame_of_the_merge_protocol_is_an_array_with_all_that_waits() -> None:
    async with browser(merge=True) as (socket, one):
        one.offer(EURUSD, update(1))
        one.offer(USDJPY, update(2, USDJPY))
        await one.reply('{"type":"pong"}')
        await eventually(lambda: socket.texts)

    [frame] = [json.loads(text) for text in socket.texts]
    assert [message["type"] for message in frame] == ["pong", "price", "price"]


async def test_the_first_price_goes_at_once_and_the_next_when_its_turn_comes() -> None:
    async with browser(merge=True, rate=4) as (socket, one):
        one.offer(EURUSD, update(1))
        await eventually(lambda: len(socket.texts) == 1)
        for seq in (2, 3, 4):
            socket.now += 0.08
            one.offer(EURUSD, update(seq))
        # A reply waits for no turn, and brings no price with it.
        await one.reply('{"type":"pong"}')
        await eventually(lambda: len(socket.texts) == 2)
        socket.now = 0.25
        await eventually(lambda: len(socket.texts) == 3)
        socket.now = 10
        one.offer(EURUSD, update(5))
        await eventually(lambda: len(socket.texts) == 4)

    assert [seqs(text) for text in socket.texts] == [[1], [], [4], [5]]


async def test_in_any_stretch_of_time_there_are_no_more_frames_than_the_rate_allows() -> None:
    """A price every millisecond for a second, at 10 frames a second."""
    async with browser(merge=True, rate=10) as (socket, one):
        for step in range(1001):
            socket.now = step / 1000
            one.offer(EURUSD, update(step + 1))
            for _ in range(5):
                await asyncio.sleep(0)
        assert 10 <= len(socket.texts) <= 11
        socket.now += 1
        await eventually(lambda: seqs(socket.texts[-1]) == [1001])


async def test_a_new_rate_counts_from_the_next_frame() -> None:
    async with browser(merge=True, rate=0.001) as (socket, one):
        one.offer(EURUSD, update(1))
        await eventually(lambda: len(socket.texts) == 1)
        socket.now = 0.5
        one.rate = 2
        one.offer(EURUSD, update(2))
        await eventually(lambda: len(socket.texts) == 2)


async def test_a_boundary_between_candles_costs_a_slow_browser_no_last_state() -> None:
    async with browser(merge=True) as (socket, one):
        one.offer(EURUSD, update(1))
        await eventually(lambda: len(socket.texts) == 1)
        for seq, t in ((2, 60), (3, 60), (4, 120), (5, 120)):
            one.offer(EURUSD, update(seq, t=t))
        socket.now = 1
        await eventually(lambda: len(socket.texts) == 2)

    assert seqs(socket.texts[1]) == [3, 5]


# -- a browser that does not read


async def test_prices_for_a_browser_that_never_reads_are_bounded() -> None:
    async with browser() as (socket, one):
        socket.stall()
        await one.reply("first")
        await eventually(lambda: not one._replies)
        for seq in range(1, 5001):
            for room in (EURUSD, USDJPY):
                one.offer(room, update(seq, room, t=60 * (seq // 10)))
                one.tell(room, f"state {seq}")
                one.describe(room, f"profile {seq}")
            if seq % 500 == 0:
                await asyncio.sleep(0)
        assert not socket.sent
        assert len(one._mailbox) == 4

        socket.read()
        await eventually(lambda: len(socket.texts) >= 9)
        heard = set(socket.texts)

    assert {"profile 5000", "state 5000"} <= heard
    assert {update(5000, room, t=60 * 500).text for room in (EURUSD, USDJPY)} <= heard
    assert len(socket.texts) == 9


async def test_who_asks_without_reading_waits_for_answers_and_gets_them_all() -> None:
    async with browser() as (socket, one):
        socket.stall()
        asked = 0

        async def ask() -> None:
            nonlocal asked
            for asked in range(1, 201):
                await one.reply(str(asked))

        asking = asyncio.ensure_future(ask())
        await eventually(lambda: len(one._replies) == REPLIES_MAX)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(one._replies) == REPLIES_MAX
        assert asked < 200

        socket.read()
        await asyncio.wait_for(asking, 5)
        await eventually(lambda: len(socket.texts) == 200)

    assert socket.texts == [str(number) for number in range(1, 201)]


async def test_who_waits_for_room_is_let_go_when_the_socket_has_gone() -> None:
    async def gone(message: dict[str, Any]) -> None:
        await broken.wait()
        raise OSError("the browser has gone")

    broken = asyncio.Event()
    async with Subscriber(gone, merge=False, rate=10) as one:

        async def ask() -> None:
            for number in range(3 * REPLIES_MAX):
                await one.reply(str(number))

        asking = asyncio.ensure_future(ask())
        await eventually(lambda: len(one._replies) >= REPLIES_MAX)
        broken.set()

        await asyncio.wait_for(asking, 5)


# -- the end


async def test_a_close_comes_behind_the_answers_that_wait_and_nothing_behind_it() -> None:
    async with browser() as (socket, one):
        await one.reply("why")
        one.close(4503, "this origin may not open the socket")
        one.offer(EURUSD, update(1))
        await eventually(lambda: len(socket.sent) == 3)
        one.offer(EURUSD, update(2))
        await one.reply("late")
        for _ in range(10):
            await asyncio.sleep(0)

    assert socket.texts == ["why", update(1).text]
    assert socket.sent[-1] == {
        **{"type": "websocket.close", "code": 4503},
        "reason": "this origin may not open the socket",
    }


async def test_a_socket_that_went_away_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "django_fcs")

    async def gone(message: dict[str, Any]) -> None:
        raise OSError("the browser has gone")

    async with Subscriber(gone, merge=False, rate=10) as one:
        await one.reply("hello")
        await eventually(lambda: "socket gone reason=OSError" in caplog.text)
        one.offer(EURUSD, update(1))
        await one.reply("anybody there?")

    assert all(record.levelno == logging.DEBUG for record in caplog.records)


async def test_a_subscriber_that_was_never_entered_can_be_left() -> None:
    socket = Socket()

    await Subscriber(socket.send, merge=False, rate=10).__aexit__(None, None, None)


# -- pings


@pytest.mark.parametrize("merge", [False, True])
async def test_a_silent_socket_is_pinged(merge: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.02)
    async with browser(merge=merge) as (socket, _):
        socket.now = 0.02
        await eventually(lambda: len(socket.texts) == 1)
        socket.now = 0.05
        await eventually(lambda: len(socket.texts) == 2)

    ping = {"type": "ping", "timestamp": 1000500}
    assert json.loads(socket.texts[0]) == ([ping] if merge else ping)


async def test_a_socket_that_says_something_is_not_pinged() -> None:
    async with browser() as (socket, one):
        for step in range(1, 20):
            socket.now = step * 20.0
            await one.reply("pong")
            await eventually(lambda step=step: len(socket.texts) == step)

    assert set(socket.texts) == {"pong"}
