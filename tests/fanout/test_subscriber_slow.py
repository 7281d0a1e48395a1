"""One browser that reads slowly: its credit, what waits for it, and its close."""

from __future__ import annotations

import json
import logging

import pytest

from django_fcs.fanout.flow import STEADY
from django_fcs.fanout.subscriber import (
    CLOSE_TOO_SLOW,
    PING_SECONDS,
    REPLIES_MAX,
    Subscriber,
)
from django_fcs.tools.metrics import counts
from tests.fanout.subscribers import browser
from tests.support.hubs import EURUSD, key, update
from tests.support.waiting import eventually

pytestmark = [pytest.mark.usefixtures("clean_loop"), pytest.mark.versions]

KILOBYTE = "x" * 1000


# -- a browser that asks and does not read


async def test_who_asks_on_without_reading_is_closed_with_4408_and_gets_no_more_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    async with browser() as (socket, one):
        socket.stall()
        for number in range(1000):
            one.reply(str(number))
            assert len(one._replies or ()) <= REPLIES_MAX
        socket.read()
        await eventually(lambda: socket.closes)
        one.reply("late")
        await socket.passes()

    assert socket.closes == [CLOSE_TOO_SLOW]
    assert socket.texts == ["0"]
    assert caplog.messages == ["closed a slow browser address="]


async def test_a_client_whose_browsers_are_slow_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    for _ in range(3):
        async with browser() as (socket, one):
            socket.stall()
            for number in range(REPLIES_MAX + 2):
                one.reply(str(number))
            socket.read()
            await eventually(lambda socket=socket: socket.closes)

    assert caplog.messages == ["closed a slow browser address="]
    assert counts()["hub_slow_closed"] == 3


async def test_who_asks_for_as_much_as_may_wait_gets_every_answer() -> None:
    async with browser() as (socket, one):
        socket.stall()
        for number in range(REPLIES_MAX + 1):
            one.reply(str(number))
        socket.read()
        await socket.opened()

    assert socket.texts == [str(number) for number in range(REPLIES_MAX + 1)]


# -- credit by ping and pong


@pytest.mark.parametrize("must_answer", [False, True])
async def test_it_is_asked_whether_it_reads_when_64_kb_are_unproved_and_once(
    must_answer: bool,
) -> None:
    async with browser(must_answer=must_answer) as (socket, one):
        for _ in range(STEADY.ping_size // 1000 - 1):
            one.reply(KILOBYTE)
        assert socket.pings == 0
        for _ in range(50):
            one.reply(KILOBYTE)
        assert socket.texts[STEADY.ping_size // 1000] == '{"type":"ping","timestamp":1000500}'

        assert socket.pings == 1
        assert one.is_open


async def fill(one: Subscriber) -> int:
    """Send until the gate is shut; how much that was, in kilobytes."""
    sent = 0
    while one.is_open and sent < 10 * STEADY.window_size // 1000:
        one.reply(KILOBYTE)
        sent += 1
    return sent


@pytest.mark.parametrize("merge", [False, True])
async def test_who_must_answer_is_sent_no_more_than_192_kb_before_it_does(merge: bool) -> None:
    async with browser(merge=merge, must_answer=True) as (socket, one):
        assert await fill(one) == STEADY.window_size // 1000
        sent = len(socket.sent)
        for seq in range(1, 100):
            one.put(key(EURUSD), update(seq=seq))
        await socket.passes()
        assert len(socket.sent) == sent

        one.answered()
        await socket.opened()
        assert socket.texts[-1] == update(seq=99).text
        assert socket.pings == 2


async def test_an_answer_proves_what_was_sent_before_the_question_and_no_more() -> None:
    """Who always answers the last question but one may lag by a window, never by more."""
    async with browser(must_answer=True) as (socket, one):
        sent = await fill(one)
        for _ in range(20):
            one.answered()
            await socket.passes()
            more = await fill(one)
            assert more <= STEADY.window_size // 1000
            sent += more

        assert socket.pings == 21
        assert not one.is_open


async def test_a_pong_that_nobody_asked_for_opens_nothing() -> None:
    async with browser(must_answer=True) as (socket, one):
        for _ in range(50):
            one.answered()
        assert await fill(one) == STEADY.window_size // 1000
        one.answered()
        await socket.opened()
        await fill(one)
        for _ in range(50):
            one.answered()
            await socket.passes()
        # Two questions were open, one after the other; not fifty.
        assert await fill(one) <= STEADY.window_size // 1000

        assert len(socket.texts) < 5 * STEADY.window_size // 1000


async def test_who_never_answered_is_held_to_it_only_where_the_server_takes_everything() -> None:
    async with browser() as (socket, one):
        assert await fill(one) == 10 * STEADY.window_size // 1000

        assert one.is_open
        assert socket.pings == 1


async def test_who_has_answered_once_is_held_to_it_from_then_on() -> None:
    async with browser() as (socket, one):
        for _ in range(STEADY.ping_size // 1000):
            one.reply(KILOBYTE)
        one.answered()

        assert await fill(one) <= STEADY.window_size // 1000
        assert not one.is_open


async def test_who_answers_a_question_after_megabytes_goes_on_as_it_proves_them() -> None:
    async with browser() as (socket, one):
        await fill(one)
        one.answered()
        one.put(key(EURUSD), update(seq=1))
        one.put(key(EURUSD), update(seq=2))
        assert not one.is_open
        one.answered()
        await socket.opened()

        assert socket.texts[-1] == update(seq=2).text


async def test_no_question_is_asked_in_the_midst_of_a_send() -> None:
    async with browser(must_answer=True) as (socket, one):
        socket.stall()
        one.reply("x" * (STEADY.window_size + 1))
        one.ping()
        await socket.passes()
        assert not socket.sent
        socket.read()
        await eventually(lambda: socket.pings)
        assert not one.is_open
        one.answered()
        await socket.opened()


@pytest.mark.parametrize("merge", [False, True])
async def test_a_silent_socket_is_pinged_every_25_seconds(merge: bool) -> None:
    async with browser(merge=merge) as (socket, one):
        for now in range(100, 100 + 4 * PING_SECONDS):
            one.look(now, 30)

    ping = {"type": "ping", "timestamp": 1000500}
    assert [json.loads(text) for text in socket.texts] == [[ping] if merge else ping] * 3


async def test_a_socket_that_is_sent_something_is_not_pinged() -> None:
    async with browser() as (socket, one):
        for now in range(100, 500):
            if now % (PING_SECONDS - 1) == 0:
                one.reply("price")
            one.look(now, 30)

        assert not socket.pings


# -- too slow


async def test_who_leaves_its_window_full_for_too_long_is_closed_with_4408(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "django_fcs")
    async with browser(must_answer=True) as (socket, one):
        await fill(one)
        one.put(key(EURUSD), update(seq=1))
        for now in range(100, 130):
            one.look(now, 30)
        await socket.passes()
        assert not socket.closes
        for now in range(130, 140):
            one.look(now, 30)
        await eventually(lambda: socket.closes)
        one.answered()
        one.put(key(EURUSD), update(seq=2))
        one.describe(key(EURUSD), "profile")
        one.confirm(EURUSD, "1D")
        await socket.passes()

        assert socket.sent[-1] == {
            **{"type": "websocket.close", "code": 4408},
            "reason": "too slow: nothing was read for too long",
        }
        assert socket.closes == [4408]
        assert one._mail is None
        assert caplog.messages == ["closed a slow browser address="]


async def test_who_is_busy_with_one_send_for_too_long_is_closed_when_that_ends() -> None:
    async with browser() as (socket, one):
        socket.stall()
        one.reply("long")
        one.put(key(EURUSD), update(seq=1))
        for now in (100, 130):
            one.look(now, 30)
        assert one._mail is None
        socket.read()
        await eventually(lambda: socket.closes)

    assert socket.texts == ["long"]


async def test_who_is_always_found_behind_but_goes_on_reading_is_not_closed() -> None:
    """A slow line is full whenever one looks, and yet everything gets through."""
    async with browser(must_answer=True) as (socket, one):
        for now in range(100, 200):
            await fill(one)
            one.look(now, 5)
            if now % 4 == 0:
                one.answered()
                await socket.opened()
        assert not socket.closes

        for now in range(200, 300):
            socket.stall()
            one.reply(KILOBYTE)
            one.look(now, 5)
            if now % 4 == 0:
                one.answered()
                socket.read()
                await socket.opened()
        assert not socket.closes
