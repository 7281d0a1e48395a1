"""A text for many browsers: each at one await, whatever some of them do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from django_fcs.fanout import subscriber
from django_fcs.fanout.flow import STEADY
from django_fcs.fanout.ready import ReadyQueue
from django_fcs.fanout.subscriber import Subscriber, send_to_all
from tests.support.hubs import EURUSD, key
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]


class Socket:
    """A server's side of one browser, told how the next sends go."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.fails: Exception | None = None
        self.goes = asyncio.Event()
        self.goes.set()
        self.was_ended = False

    async def send(self, message: dict[str, Any]) -> None:
        try:
            if not self.goes.is_set():
                await self.goes.wait()
        except asyncio.CancelledError:
            self.was_ended = True
            raise
        if self.fails is not None:
            raise self.fails
        self.sent.append(message)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if "text" in message]


class Crowd:
    """Browsers that a server sends to by itself."""

    def __init__(self) -> None:
        self.ready: ReadyQueue[Subscriber] = ReadyQueue()
        self.sockets: list[Socket] = []
        self.browsers: list[Subscriber] = []
        self.others: list[int] = []
        self._stack = contextlib.AsyncExitStack()

    async def add(self, number: int, **how: Any) -> None:
        for _ in range(number):
            socket = Socket()
            one = Subscriber(socket.send, self.ready, merge=False, clock=lambda: 1000.5, **how)
            self.sockets.append(socket)
            self.browsers.append(await self._stack.enter_async_context(one))

    def send(self, text: str) -> None:
        self.others.clear()
        send_to_all(self.browsers, text, lambda one: self.others.append(self.browsers.index(one)))

    def flush(self) -> None:
        for one in self.ready.take():
            one.flush()

    async def aclose(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def crowd(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crowd]:
    monkeypatch.setattr(subscriber, "is_of_a_server", lambda send: True)
    crowd = Crowd()
    await crowd.add(5)
    yield crowd
    await crowd.aclose()


async def test_all_are_sent_the_same_text_at_once_without_a_task(crowd: Crowd) -> None:
    before = asyncio.all_tasks()
    crowd.send("one")
    crowd.send("two")

    assert [socket.texts for socket in crowd.sockets] == [["one", "two"]] * 5
    assert asyncio.all_tasks() == before
    assert not crowd.others


async def test_nobody_waits_for_those_whose_server_makes_them_wait(crowd: Crowd) -> None:
    for slow in (1, 3, 4):
        crowd.sockets[slow].goes.clear()
    crowd.send("one")

    assert [len(socket.sent) for socket in crowd.sockets] == [1, 0, 1, 0, 0]
    assert [one.is_open for one in crowd.browsers] == [True, False, True, False, False]
    crowd.send("two")
    assert crowd.others == [1, 3, 4]

    for slow in (1, 3, 4):
        crowd.sockets[slow].goes.set()
    await eventually(lambda: all(one._sending is None for one in crowd.browsers))
    crowd.flush()
    assert all(one.is_open for one in crowd.browsers)
    assert [socket.texts for socket in crowd.sockets] == [
        ["one", "two"] if number in (0, 2) else ["one"] for number in range(5)
    ]


@pytest.mark.parametrize("waits_first", [False, True])
async def test_a_socket_that_has_gone_disturbs_nobody(crowd: Crowd, waits_first: bool) -> None:
    gone = crowd.sockets[2]
    gone.fails = OSError("the browser has gone")
    if waits_first:
        gone.goes.clear()
    crowd.send("one")
    gone.goes.set()
    await eventually(lambda: crowd.browsers[2]._is_gone)
    crowd.flush()
    crowd.send("two")

    assert crowd.others == [2]
    assert [len(socket.sent) for socket in crowd.sockets] == [2, 2, 0, 2, 2]


@pytest.mark.parametrize("waits_first", [False, True])
async def test_a_server_that_cannot_send_to_one_is_logged_and_that_one_closed(
    crowd: Crowd, waits_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    broken = crowd.sockets[2]
    broken.fails = LookupError("in the server")
    if waits_first:
        broken.goes.clear()
    crowd.send("one")
    broken.goes.set()
    await eventually(lambda: crowd.browsers[2]._closing)
    broken.fails = None
    crowd.flush()
    crowd.send("two")
    crowd.flush()

    assert [message["type"] for message in broken.sent] == ["websocket.close"]
    assert crowd.others == [2]
    assert [len(socket.sent) for socket in crowd.sockets] == [2, 2, 1, 2, 2]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "cannot send to a browser" in record.message


async def test_a_send_under_way_ends_with_its_browser_and_no_other(crowd: Crowd) -> None:
    for slow in (1, 3):
        crowd.sockets[slow].goes.clear()
    crowd.send("one")
    await asyncio.sleep(0)
    await crowd.browsers[1].__aexit__(None, None, None)

    assert [socket.was_ended for socket in crowd.sockets] == [False, True, False, False, False]
    crowd.sockets[3].goes.set()
    await eventually(lambda: crowd.sockets[3].texts == ["one"])


async def test_who_was_sent_much_is_pinged_and_then_waits_if_it_must_answer(crowd: Crowd) -> None:
    await crowd.add(1, must_answer=True)
    text = "x" * (STEADY.ping_size // 2)
    crowd.send(text)
    assert not any("ping" in text for text in crowd.sockets[0].texts)
    crowd.send(text)
    assert all('"ping"' in socket.texts[-1] for socket in crowd.sockets)
    for _ in range(STEADY.window_size // len(text)):
        crowd.send(text)

    assert crowd.others == [5]
    assert [one.is_open for one in crowd.browsers] == [True] * 5 + [False]
    assert sum(map(len, crowd.sockets[5].texts)) < STEADY.window_size + len(text)


async def test_a_browser_behind_a_middleware_is_left_to_its_own_context(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "is_of_a_server", lambda send: False)
    await crowd.add(1)
    crowd.send("one")

    assert crowd.others == [5]


async def test_the_first_price_after_a_join_is_left_to_who_knows_its_mode(crowd: Crowd) -> None:
    crowd.browsers[0].expect(key(EURUSD))
    crowd.send("one")

    assert crowd.others == [0]
